import { describe, expect, test } from 'vitest'
import { commandRefusal } from '#domain/comment-command'
import { isAnyOf, type KnownPerson } from '#domain/people'

const person = (name: string, groups: string[] = []): KnownPerson => ({ name, login: null, email: null, groups })
const people = [person('ann', ['Owners']), person('bob')]

describe('who is meant by a name', () => {
  test.each([
    ['a person', ['bob'], 'Bob'],
    ['somebody unlisted', ['cay'], 'cay'],
    ['a member of a group', ['owners'], 'ann'],
  ])('is %s', (_, who, actor) => {
    expect(isAnyOf(who, actor, people)).toBe(true)
  })

  test.each([
    ['who is called like a group', ['owners'], 'OWNERS'],
    ['who is in no such group', ['owners'], 'bob'],
  ])('is nobody %s', (_, who, actor) => {
    expect(isAnyOf(who, actor, people)).toBe(false)
  })
})

test('the author of a pull request is one person, though called like a group', () => {
  const refusal = (actor: string) =>
    commandRefusal('merge', actor, { author: 'owners', permissions: { merge: ['author'] }, people })
  expect(refusal('ann')).toContain('only author may')
  expect(refusal('owners')).toBeNull()
})
