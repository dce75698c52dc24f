import { describe, expect, test } from 'vitest'
import { completeQuestion, problemOfQuestion, type Asked } from '#domain/clarification/question'

const problem = (asked: Partial<Asked>) =>
  problemOfQuestion(completeQuestion({ kind: 'question', title: 'Which?', ...asked }))
const options = [
  { value: 'a', label: 'A' },
  { value: 'b', label: 'B' },
]

test('an approval has its options, of which a rejection is a veto', () => {
  const { options, vetoes } = completeQuestion({ kind: 'approval', title: 'Ship it?' })
  expect(options.map(({ value }) => value)).toEqual(['approve', 'reject'])
  expect(vetoes).toEqual(['reject'])
})

test('a question can be asked with nothing but its kind and title', () => {
  expect(problem({})).toBeNull()
})

describe('a question can not be asked', () => {
  test.each<[string, Partial<Asked>, string]>([
    ['without a title', { title: ' ' }, '`title` is empty'],
    ['with a title of a page', { title: 'x'.repeat(201) }, '`title` is longer'],
    ['with an option twice', { options: [...options, options[0]!] }, 'the same value twice'],
    ['with an option of two lines', { options: [{ value: 'a\nb', label: '' }] }, '`options`'],
    ['with a default that is no option', { options, default: 'c' }, '`default`: "c" is not among'],
    ['with a veto that is no option', { options, vetoes: ['c'] }, '`vetoes`: "c" is not among'],
    ['of two without options', { needed: 2 }, '`needed` is more than 1'],
    ['of nobody', { options, needed: 0 }, '`needed` is not 1 to'],
    ['with a default at expiry that it lacks', { ladder: { atExpiry: 'default' } }, 'there is no `default`'],
    ['with a duration of nothing', { ladder: { expiresAfter: 0 } }, '`expiresAfter` is not a duration'],
    ['with a duration beyond all dates', { ladder: { remindAfter: 1e300 } }, '`remindAfter` is not a duration'],
  ])('%s', (_, asked, expected) => {
    expect(problem(asked)).toContain(expected)
  })
})
