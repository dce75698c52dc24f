import { describe, expect, it } from 'vitest'
import { completeQuestion, type Asked } from '#domain/clarification/question'
import { answersToo } from '#domain/clarification/remembered'
import type { KnownPerson } from '#domain/people'

const people: KnownPerson[] = [
  { name: 'ann', login: 'ann-on-the-forge', email: null, groups: ['managers'] },
  { name: 'bob', login: null, email: null, groups: ['managers'] },
]

/** Whether what `by` said to the same words is an answer to a question of the managers. */
function counts(
  asked: Partial<Asked>,
  by: string[],
  said: { value?: string; comment?: string } = {},
  delegations: { by: string; to: string }[] = [],
): boolean {
  const options = ['yes', 'no'].map((value) => ({ value, label: value }))
  const question = completeQuestion({ kind: 'question', title: 'Ship it?', who: ['managers'], options, ...asked })
  return answersToo(question, people, { value: 'yes', comment: '', ...said, by }, delegations)
}

const annToEve = { by: 'ann-on-the-forge', to: 'eve' }
const eveToMax = { by: 'eve', to: 'max' }

describe('a remembered answer', () => {
  it.each<[string, boolean]>([
    ['by one who may answer counts', counts({}, ['ann'])],
    ['by the login of one who may answer counts', counts({}, ['ann-on-the-forge'])],
    ['by anybody counts where anybody may answer', counts({ who: [] }, ['mallory'])],
    ['by as many as it needs counts', counts({ needed: 2 }, ['ann', 'bob'])],
    ['that settles it alone counts by one', counts({ needed: 2, vetoes: ['no'] }, ['ann'], { value: 'no' })],
    ['by one whom one who may answer let answer counts', counts({}, ['eve'], {}, [annToEve])],
    ['by one whom such a one let answer counts', counts({}, ['max'], {}, [annToEve, eveToMax])],
    ['with its reason counts', counts({ reason: true }, ['ann'], { comment: 'late' })],
  ])('%s', (_, does) => {
    expect(does).toBe(true)
  })

  it.each<[string, boolean]>([
    ['by one who may not answer', counts({}, ['mallory'])],
    ['by one of two who may not answer', counts({}, ['ann', 'mallory'])],
    ['by one whom somebody let answer who may not', counts({}, ['max'], {}, [eveToMax])],
    ['by one whom somebody let answer whom it is about', counts({ not: ['ann'] }, ['eve'], {}, [annToEve])],
    ['by a delegate where only those named may', counts({ onlyWho: true }, ['eve'], {}, [annToEve])],
    ['by one it is about', counts({ not: ['ann'] }, ['ann-on-the-forge'])],
    ['by fewer than it needs', counts({ needed: 2 }, ['ann'])],
    ['by one under two names', counts({ needed: 2 }, ['ann', 'ann-on-the-forge'])],
    ['without the reason that is wanted', counts({ reason: true }, ['ann'], { comment: ' ' })],
    ['that is no option', counts({}, ['ann'], { value: 'perhaps' })],
  ])('%s does not count', (_, does) => {
    expect(does).toBe(false)
  })
})
