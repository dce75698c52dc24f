import { describe, expect, test } from 'vitest'
import { completeQuestion, type Asked } from '#domain/clarification/question'
import {
  answered,
  askedOf,
  delegated,
  isSettled,
  opened,
  refusalOf,
  refusalOfDelegation,
  refusalOfRemark,
  remarked,
  settledBy,
  MAX_REMARKS,
  type ClarificationState,
} from '#domain/clarification/state'
import type { KnownPerson } from '#domain/people'

const now = '2026-03-02T10:00:00.000Z'
const later = '2026-03-02T11:00:00.000Z'

const person = (name: string, ...groups: string[]): KnownPerson => {
  return { name, login: `${name}-at-forge`, email: `${name}@example.org`, groups }
}
const people = [person('ann', 'reviewers'), person('ben', 'reviewers'), person('cleo', 'leads'), person('dan')]

const open = (asked: Partial<Asked> = {}): ClarificationState =>
  opened(completeQuestion({ kind: 'question', title: 'Which?', ...asked }), people, now)
const approval = (asked: Partial<Asked> = {}) => open({ kind: 'approval', who: ['reviewers'], ...asked })
const said = (by: string, value: string, comment = '') => ({ by, value, comment })
const give = (state: ClarificationState, by: string, value: string) =>
  answered(state, { ...said(by, value), through: 'cli', at: later })
const typeOf = (state: ClarificationState, by: string, value: string, comment = '') =>
  refusalOf(state, said(by, value, comment))?.type ?? null

describe('an answer', () => {
  test('of one who is asked settles what needs one', () => {
    const { outcome } = give(approval(), 'ann', 'approve')
    expect(outcome).toMatchObject({ state: 'answered', value: 'approve', by: ['ann'], at: later })
  })

  test.each([
    ['an option that is not there', () => typeOf(approval(), 'ann', 'maybe'), 'UnknownOption'],
    ['somebody who is not asked', () => typeOf(approval(), 'dan', 'approve'), 'NotAllowed'],
    ['the author', () => typeOf(approval({ not: ['ann'] }), 'ann@example.org', 'approve'), 'NotAllowed'],
    ['no reason where one is wanted', () => typeOf(approval({ reason: true }), 'ann', 'approve', ' '), 'NoReason'],
    ['no name', () => typeOf(open(), ' ', 'yes'), 'Invalid'],
    ['a name with an escape sequence', () => typeOf(open(), 'ann\u001b[31m', 'yes'), 'Invalid'],
    ['text with control characters', () => typeOf(open(), 'ann', 'yes\u0007'), 'Invalid'],
    ['nothing', () => typeOf(open(), 'ann', ''), 'Invalid'],
    ['a megabyte', () => typeOf(open(), 'ann', 'x'.repeat(1_048_577)), 'TooLong'],
  ])('of %s is refused', (_, type, expected) => {
    expect(type()).toBe(expected)
  })

  test('is refused once it was answered, but for the same answer of the same person', () => {
    const settled = give(approval(), 'ann', 'approve')
    expect(typeOf(settled, 'ben', 'approve')).toBe('AlreadyAnswered')
    expect(typeOf(settled, 'ann-at-forge', 'approve')).toBeNull()
    expect(give(settled, 'ann-at-forge', 'approve')).toBe(settled)
  })

  test('of a person cannot be changed', () => {
    expect(typeOf(give(approval({ needed: 2 }), 'ann', 'approve'), 'ann', 'reject')).toBe('AlreadyAnswered')
  })

  test.each([
    ['expired', 'Expired'],
    ['defaulted', 'Expired'],
    ['cancelled', 'Superseded'],
  ] as const)('to what is %s is refused', (state, type) => {
    const ended = settledBy(approval(), { state, value: null, comment: '' }, now)
    expect(typeOf(ended, 'ann', 'approve')).toBe(type)
  })

  test('to what is parked counts', () => {
    const parked = settledBy(open(), { state: 'parked', value: null, comment: '' }, now)
    expect(isSettled(parked)).toBe(false)
    expect(give(parked, 'ann', 'blue').outcome).toMatchObject({ state: 'answered', value: 'blue' })
  })
})

describe('a question that needs two', () => {
  test('waits for the second', () => {
    const one = give(approval({ needed: 2 }), 'ann', 'approve')
    expect(one.outcome).toBeNull()
    expect(give(one, 'ben', 'approve').outcome).toMatchObject({ value: 'approve', by: ['ann', 'ben'] })
  })

  test('takes no person for two, by whatever name', () => {
    const one = give(approval({ needed: 2 }), 'ann', 'approve')
    expect(give(one, 'ann@example.org', 'approve').outcome).toBeNull()
  })

  test('is settled by one veto', () => {
    const one = give(approval({ needed: 2 }), 'ann', 'approve')
    expect(give(one, 'ben', 'reject').outcome).toMatchObject({ value: 'reject', by: ['ben'] })
  })
})

describe('who may answer', () => {
  test('is anybody where nobody is named', () => {
    expect(askedOf(open())).toEqual([])
    expect(typeOf(open(), 'somebody', 'blue')).toBeNull()
  })

  test('does not grow where only those named may, but whom it is escalated to may comment', () => {
    const state = { ...approval({ onlyWho: true, ladder: { escalateTo: [['leads']] } }), escalations: 1 }
    expect(refusalOf(state, said('cleo', 'approve'))).toEqual({
      type: 'NotAllowed',
      message: 'cleo is not among those who may answer: reviewers. A comment is welcome.',
    })
    expect(refusalOf(state, said('dan', 'approve'))?.message).not.toContain('comment')
    expect(typeOf(state, 'ann', 'approve')).toBeNull()
    expect(askedOf(state)).toEqual(['reviewers', 'leads'])
    expect(refusalOfRemark(state, { by: 'cleo', text: 'not today' })).toBeNull()
    expect(refusalOfDelegation(state, { by: 'ann', to: 'cleo' })?.type).toBe('NotAllowed')
    expect(refusalOfDelegation(state, { by: 'ann', to: 'ben' })).toBeNull()
  })

  test('grows by each step of the escalation', () => {
    const state = approval({ ladder: { escalateTo: [['leads']] } })
    expect(typeOf(state, 'cleo', 'approve')).toBe('NotAllowed')
    expect(typeOf({ ...state, escalations: 1 }, 'cleo', 'approve')).toBeNull()
  })

  test('grows by a delegation of one who may', () => {
    const delegation = { by: 'ann', to: 'dan', at: now }
    expect(refusalOfDelegation(approval(), delegation)).toBeNull()
    expect(typeOf(delegated(approval(), delegation), 'dan', 'approve')).toBeNull()
  })

  test('grows neither by somebody who may not, nor to whom it is about', () => {
    expect(refusalOfDelegation(approval(), { by: 'dan', to: 'cleo' })?.type).toBe('NotAllowed')
    expect(refusalOfDelegation(approval({ not: ['dan'] }), { by: 'ann', to: 'dan' })?.type).toBe('NotAllowed')
  })
})

describe('a comment', () => {
  test('is kept as text that shows nothing but itself', () => {
    const [remark] = remarked(open(), { by: 'ann', text: 'why\u001b[2J?\nso', at: now }).remarks
    expect(remark).toEqual({ by: 'ann', text: 'why?\nso', at: now })
  })

  test('is refused where there are too many', () => {
    const full = { ...open(), remarks: Array.from({ length: MAX_REMARKS }, () => ({ by: 'a', text: 'b', at: now })) }
    expect(refusalOfRemark(full, { by: 'ann', text: 'more' })?.type).toBe('TooLong')
  })
})
