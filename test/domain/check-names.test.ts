import { describe, expect, test } from 'vitest'
import { problemOfCheckName, reservedNames } from '#domain/check-names'
import { decide } from '#domain/decide'
import type { Rule } from '#domain/decision'
import { green, now, snapshotFacts } from './facts.ts'

describe('the name of a check', () => {
  test.each(['lint', 'type-check', 'e2e', 'a', 'x'.repeat(50)])('may be %s', (name) => {
    expect(problemOfCheckName(name)).toBeNull()
  })

  test.each([
    ['Lint', /lower-case/],
    ['type check', /lower-case/],
    ['type--check', /lower-case/],
    ['-f', /lower-case/],
    ['2e', /lower-case/],
    ['../lint', /lower-case/],
    ['x'.repeat(51), /at most 50/],
    ['no-secrets', /reserved/],
    ['not-held', /reserved/],
    ['constructor', /reserved/],
  ])('may not be %s', (name, problem) => {
    expect(problemOfCheckName(name)).toMatch(problem)
  })

  test('is never that of a built-in criterion', () => {
    const names = (rules: Rule[]): string[] => rules.flatMap(({ rule, rules: inner }) => [rule, ...names(inner ?? [])])
    const builtIn = names(decide(snapshotFacts(), green, now).rules).filter((name) => name !== 'tests')
    expect(reservedNames).toEqual(expect.arrayContaining(builtIn))
  })
})
