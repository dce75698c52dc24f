import { describe, expect, test } from 'vitest'
import type { KnownPerson } from '#domain/people'
import type { Condition } from '#domain/rules/condition'
import { resolveRules, type RuleSubject, type RuleTools } from '#domain/rules/resolve'
import { rulesKey, type ResolvedFact } from '#domain/rules/resolved'
import { now } from '../facts.ts'

const person = (name: string, ...groups: string[]): KnownPerson => ({ name, login: null, email: null, groups })
const people = [{ ...person('ann', 'shop'), email: 'ann@example.org' }, person('bob', 'reviewers'), person('eve')]

const subject: RuleSubject = {
  author: 'ann@example.org',
  labels: ['size/small', 'ready'],
  base: 'main',
  changedPaths: ['docs/a.md', 'src/a.ts', 'src/b.ts'],
  lines: 40,
  approvedBy: ['bob', 'eve'],
  checks: ['tests', 'lint'],
  people,
  now,
}

/** Globs that end in `*` are enough here; the real ones have their own tests. */
const matches = (glob: string, text: string) =>
  glob.endsWith('*') ? text.startsWith(glob.slice(0, -1)) : glob === text
const open = [{ from: now, until: null }]
const tools: RuleTools = {
  matchesName: matches,
  matchesPath: matches,
  openTimes: () => ({ open, knownUntil: null }),
}

function resolved(condition: Condition, change: Partial<RuleSubject> = {}) {
  const rules = [{ name: 'mine', if: null, require: condition }]
  return resolveRules(rules, { ...subject, ...change }, tools)[0]!.require
}

const names = (kind: 'author' | 'group', ...of: string[]): Condition => ({ kind, names: of })
const label = (...globs: string[]): Condition => ({ kind: 'label', globs })
const paths = (globs: string[], only = false): Condition => ({ kind: 'paths', globs, only })
const size = (
  files: [number | null, number | null] | null,
  lines: [number | null, number | null] | null,
): Condition => {
  const range = (bounds: [number | null, number | null] | null) => bounds && { min: bounds[0], max: bounds[1] }
  return { kind: 'size', files: range(files), lines: range(lines) }
}
const approvals = (count: number, from: string[] | null): Condition => ({ kind: 'approvals', count, from })

type Case = [string, Condition, ResolvedFact['truth'], string]

const cases: Case[] = [
  ['a label that it has', label('ready'), true, 'has the label ready'],
  ['a label by a glob', label('nope', 'size/*'), true, 'has the label size/small'],
  ['a label that it lacks', label('blocked', 'wip'), false, 'has no label blocked, wip'],
  ['a path that it changes', paths(['src/*']), true, 'changes src/a.ts, src/b.ts'],
  ['a path that it does not change', paths(['ops/*']), false, 'changes nothing in ops/*'],
  ['nothing but some paths', paths(['src/*', 'docs/*'], true), true, 'changes nothing but src/*, docs/*'],
  ['more than some paths', paths(['docs/*'], true), false, 'also changes src/a.ts, src/b.ts'],
  ['the author, by another of their names', names('author', 'Ann'), true, 'the author is ann@example.org'],
  ['another author', names('author', 'bob', 'shop'), false, 'the author is ann@example.org, not bob, shop'],
  ['a group of the author', names('group', 'Shop'), true, 'ann@example.org is in Shop'],
  ['another group', names('group', 'reviewers'), false, 'ann@example.org is not in reviewers'],
  [
    'a group of nobody',
    names('group', 'owners'),
    null,
    'nobody in this installation is "owners" or in a group of that name',
  ],
  ['a size inside', size([null, 3], [10, 40]), true, '3 files changed, 40 lines changed'],
  ['too many files', size([null, 2], [10, 40]), false, '3 files changed'],
  ['too few lines', size(null, [41, null]), false, '40 lines changed'],
  ['the base', { kind: 'base', globs: ['release/*', 'main'] }, true, 'lands on main'],
  ['another base', { kind: 'base', globs: ['release/*'] }, false, 'lands on main, not on release/*'],
  ['approvals of anybody', approvals(2, null), true, '2 of 2 approvals of this head (bob, eve)'],
  ['approvals of a group', approvals(1, ['reviewers']), true, '1 of 1 approvals of this head from reviewers (bob)'],
  [
    'approvals of a group that are missing',
    approvals(2, ['reviewers']),
    false,
    '1 of 2 approvals of this head from reviewers (bob)',
  ],
  [
    'approvals of nobody',
    approvals(1, ['owners']),
    null,
    '0 of 1 approvals of this head from owners; nobody in this installation is "owners" or in a group of that name',
  ],
]

describe('of a snapshot', () => {
  test.each(cases)('%s', (_, condition, truth, reason) => {
    expect(resolved(condition)).toMatchObject({ kind: 'fact', truth, reason })
  })

  test('one of a kind is told as one', () => {
    expect(resolved(size([1, 1], null), { changedPaths: ['a'] })).toMatchObject({ reason: '1 file changed' })
  })

  test('lines that nobody counted are not known, but what is known decides', () => {
    const uncounted = { lines: null }
    expect(resolved(size([null, 3], [10, 40]), uncounted)).toMatchObject({
      truth: null,
      reason: 'the lines are not counted yet',
    })
    expect(resolved(size([null, 2], [10, 40]), uncounted)).toMatchObject({ truth: false, reason: '3 files changed' })
  })

  test('no change at all is not "nothing but"', () => {
    expect(resolved(paths(['docs/*'], true), { changedPaths: [] })).toMatchObject({ truth: false })
  })

  test('only what another head changes is final', () => {
    const final = (condition: Condition) => (resolved(condition) as ResolvedFact).final
    expect([label('x'), approvals(9, null)].map(final)).toEqual([false, false])
    expect([paths(['x']), names('author', 'x'), size([1, 1], null)].map(final)).toEqual([true, true, true])
  })

  test('checks and time are left open', () => {
    expect(resolved({ kind: 'check', name: 'lint' })).toEqual({ kind: 'check', name: 'lint', declared: true })
    expect(resolved({ kind: 'check', name: 'e2e' })).toMatchObject({ declared: false })
    const window = { days: [1, 2, 3, 4, 5], from: 540, to: 1020 }
    expect(
      resolved({ kind: 'time', windows: [window], zone: 'Europe/Berlin', after: null, before: '2026-12-24T00:00:00Z' }),
    ).toEqual({
      kind: 'time',
      text: 'time: within Mon,Tue,Wed,Thu,Fri 09:00-17:00 (Europe/Berlin), before 2026-12-24T00:00:00Z',
      open,
      knownUntil: null,
    })
  })

  test('examples are few, short and without secrets', () => {
    const token = `ghp_${'a1B2'.repeat(9)}`
    const fact = resolved(paths(['src/*']), {
      changedPaths: [`src/${token}`, ...Array.from({ length: 500 }, (_, index) => `src/${'x'.repeat(400)}${index}`)],
    }) as ResolvedFact
    expect(JSON.stringify(fact).length).toBeLessThan(2_000)
    expect(JSON.stringify(fact)).not.toContain(token)
    expect(fact.reason).toContain('ghp_****')
  })
})

describe('the key of rules', () => {
  const rules = (...conditions: Condition[]) =>
    conditions.map((require) => ({ name: 'mine', if: null, require: resolved(require) }))
  const time = (openTimes: typeof open) => [
    { name: 'mine', if: null, require: { kind: 'time' as const, text: 'time: x', open: openTimes, knownUntil: now } },
  ]

  test('is of the facts, not of the instants, which move by themselves', () => {
    expect(rulesKey(rules(label('ready')))).not.toBe(rulesKey(rules(label('wip'))))
    expect(rulesKey(rules(label('ready')))).toBe(rulesKey(rules(label('ready'))))
    expect(rulesKey(time([]))).toBe(rulesKey(time(open)))
  })
})
