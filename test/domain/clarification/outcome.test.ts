import { describe, expect, it } from 'vitest'
import { readOutcome, readSaid } from '#domain/clarification/outcome'
import { limits } from '#domain/clarification/question'
import type { ClarificationOutcome } from '#domain/clarification/state'

const at = '2026-03-02T12:00:00.000Z'
const answer = { by: 'ann', value: 'yes', comment: 'go', through: 'inbox' as const, at }
const outcome: ClarificationOutcome = {
  ...{ state: 'answered', value: 'yes', by: ['ann'], at, comment: 'go', answers: [answer], remembered: 'ask:1' },
}
const huge = 'x'.repeat(2_000_000)

describe('an outcome that somebody sent', () => {
  it('is read as it was said', () => {
    expect(readOutcome(outcome)).toEqual(outcome)
    const parked = { ...outcome, state: 'parked', value: null, by: [], comment: '', answers: [], remembered: undefined }
    expect(readOutcome(parked)).toEqual({ state: 'parked', value: null, by: [], at, comment: '', answers: [] })
  })

  it('brings nothing along that it does not have', () => {
    expect(readOutcome({ ...outcome, answers: [{ ...answer, huge }], huge })).toEqual(outcome)
  })

  it.each([
    ['nothing', null],
    ['text', 'yes'],
    ['an unknown state', { ...outcome, state: 'perhaps' }],
    ['a value of two megabytes', { ...outcome, value: huge }],
    ['a comment of two megabytes', { ...outcome, comment: huge }],
    ['a name of two megabytes', { ...outcome, by: [huge] }],
    ['an instant of two megabytes', { ...outcome, at: huge }],
    ['a source of two megabytes', { ...outcome, remembered: huge }],
    ['names without end', { ...outcome, by: Array.from({ length: 51 }, () => 'ann') }],
    ['an answer of two megabytes', { ...outcome, answers: [{ ...answer, comment: huge }] }],
    [
      'answers without end',
      { ...outcome, answers: Array(1_000).fill({ ...answer, comment: 'x'.repeat(limits.text) }) },
    ],
    ['answers that are none', { ...outcome, answers: [7] }],
    ['an answer of nobody', { ...outcome, answers: [{ ...answer, by: '' }] }],
  ])('is none where it is %s', (_, word) => {
    expect(readOutcome(word)).toBeNull()
  })
})

describe('what was said so far', () => {
  const remark = { by: 'bob', text: 'which region?', at }
  const said = { answers: [answer], remarks: [remark] }

  it('is read as it was said, and brings nothing else along', () => {
    expect(readSaid({ id: 'ask:1', answers: [{ ...answer, huge }], remarks: [{ ...remark, huge }] })).toEqual(said)
    expect(readSaid({ answers: [], remarks: [] })).toEqual({ answers: [], remarks: [] })
  })

  it.each([
    ['nothing', null],
    ['without answers', { ...said, answers: undefined }],
    ['an answer without its moment', { ...said, answers: [{ ...answer, at: undefined }] }],
    ['an answer that is none', { ...said, answers: [7] }],
    ['without comments', { ...said, remarks: null }],
    ['a comment that is none', { ...said, remarks: [null] }],
    ['a comment of nobody', { ...said, remarks: [{ ...remark, by: '' }] }],
    ['a comment of two megabytes', { ...said, remarks: [{ ...remark, text: huge }] }],
    ['comments without end', { ...said, remarks: Array(51).fill(remark) }],
  ])('is none where it is %s', (_, word) => {
    expect(readSaid(word)).toBeNull()
  })
})
