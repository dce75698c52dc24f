import { describe, expect, test } from 'vitest'
import { decide } from '#domain/decide'
import type { CheckResults, Decision, Rule } from '#domain/decision'
import type { SnapshotFacts } from '#domain/pull-request'
import type { ResolvedApprovals } from '#domain/rules/resolved'
import {
  staleSentence,
  waitingAfter,
  waitingAfterEjection,
  waitingForChecks,
  waitingInQueue,
  type QuestionAsked,
} from '#domain/waiting'
import { checkResult, green, now, policyFacts, snapshotFacts } from './facts.ts'

type Case = {
  name: string
  snapshot?: Partial<SnapshotFacts>
  checks?: CheckResults
  for: RegExp
  who: string[]
  command: string
}

const push = 'git push switchyard basket'
const red = (check: 'tests' | 'secrets' | 'review') => ({
  ...green,
  [check]: checkResult(check, { conclusion: 'failed', reason: `${check} failed` }),
})
const broken = (check: 'tests' | 'secrets' | 'review') => ({
  ...green,
  [check]: checkResult(check, { conclusion: 'infrastructure', reason: 'no disk' }),
})
const conflict = { mergeable: 'conflict', mergeResult: null } as const
const oneApproval = { policy: policyFacts({ approvals: 1 }) }

const cases: Case[] = [
  { name: 'a draft', snapshot: { draft: true }, for: /not-draft/, who: ['ann'], command: pr('ready') },
  { name: 'a conflict', snapshot: conflict, for: /no-conflicts/, who: ['ann'], command: push },
  { name: 'red tests', checks: red('tests'), for: /tests: tests failed/, who: ['ann'], command: push },
  { name: 'a secret', checks: red('secrets'), for: /no-secrets/, who: ['ann'], command: push },
  { name: 'findings of the review', checks: red('review'), for: /review/, who: ['ann'], command: push },
  { name: 'tests that could not run', checks: broken('tests'), for: /no disk/, who: ['ann'], command: pr('review') },
  {
    name: 'a review that could not run',
    checks: broken('review'),
    for: /no disk/,
    who: ['ann'],
    command: pr('review'),
  },
  {
    name: 'a review that could not run is not solved by an approval',
    snapshot: oneApproval,
    checks: broken('review'),
    for: /review/,
    who: ['ann'],
    command: pr('review'),
  },
  {
    name: 'changes asked for: by those who asked',
    snapshot: { changesRequestedBy: ['bob', 'eve'] },
    for: /bob, eve asked/,
    who: ['bob', 'eve'],
    command: pr('approve'),
  },
  {
    name: 'an approval: by anybody but the author',
    snapshot: oneApproval,
    for: /0 of 1 approvals/,
    who: ['anybody but ann'],
    command: pr('approve'),
  },
  {
    name: 'an approval of those whom the policy names, but for the author',
    snapshot: { ...oneApproval, approvals: namedApprovals(['reviewers', 'Ann', 'ben']) },
    for: /approvals of this head from reviewers, Ann, ben/,
    who: ['reviewers', 'ben'],
    command: pr('approve'),
  },
  {
    name: 'an approval of a change of the policy, by those whom it names',
    snapshot: { policyChange: { digest: 'p2', problem: null, approvals: namedApprovals(['owners', 'ben', 'ann']) } },
    for: /policy-change/,
    who: ['owners', 'ben'],
    command: pr('approve'),
  },
  {
    name: 'an approval of a change of the policy, by anybody but the author where it names nobody',
    snapshot: { policyChange: { digest: 'p2', problem: null, approvals: namedApprovals(null) } },
    for: /policy-change/,
    who: ['anybody but ann'],
    command: pr('approve'),
  },
  {
    name: 'a failure before what is only pending',
    snapshot: { draft: true },
    checks: red('tests'),
    for: /^tests/,
    who: ['ann'],
    command: push,
  },
  {
    name: 'a policy with tests, from somebody who may push it to the base',
    snapshot: { policy: policyFacts({ checks: policyFacts().checks.filter((check) => check.name !== 'tests') }) },
    for: /declares no tests/,
    who: ['whoever may push .switchyard.yaml to main'],
    command: 'git push -o allow-direct switchyard main',
  },
  {
    name: 'pr merge, where the policy does not merge by itself',
    snapshot: { policy: policyFacts({ merge: { ...policyFacts().merge, auto: false } }) },
    for: /merge\.auto is off/,
    who: ['ann'],
    command: pr('merge'),
  },
]

function namedApprovals(from: string[] | null): ResolvedApprovals {
  return { count: 1, from, by: [], unknown: [] }
}

describe('a PR that was not approved waits for', () => {
  test.each(cases)('$name', (given) => {
    const snapshot = snapshotFacts(given.snapshot)
    const waiting = waitingAfter(snapshot, decide(snapshot, given.checks ?? green, now), now)
    expect(waiting.for).toMatch(given.for)
    expect(waiting).toMatchObject({ who: given.who, command: given.command })
  })

  test('until the policy calls it stale', () => {
    const snapshot = snapshotFacts({ draft: true })
    const waiting = waitingAfter(snapshot, decide(snapshot, green, now), now)
    expect(waiting).toMatchObject({ since: now, until: '2026-03-02T12:00:00.000Z' })
  })

  test.each([
    ['fix/#12', `'fix/#12'`],
    ['a;reboot', `'a;reboot'`],
    ['$(reboot)', `'$(reboot)'`],
    ["it's", `'it'\\''s'`],
    ['dependabot/npm/@types/node', 'dependabot/npm/@types/node'],
    ['c++', 'c++'],
  ])('a push of %s, written so that a shell takes the name as one word', (ref, word) => {
    const snapshot = snapshotFacts({ ...conflict, head: { ref, sha: 'f'.repeat(40) } })
    const waiting = waitingAfter(snapshot, decide(snapshot, green, now), now)
    expect(waiting.command).toBe(`git push switchyard ${word}`)
  })
})

test('an ejected PR waits for pr merge, with the reason', () => {
  expect(waitingAfterEjection(snapshotFacts(), { reason: 'tests failed', kind: 'tests' }, now)).toEqual({
    for: 'ejected from the merge queue: tests failed',
    since: now,
    until: '2026-03-02T12:00:00.000Z',
    who: ['ann'],
    command: pr('merge'),
  })
})

test.each([
  ['of which the base has everything', 'empty', pr('close')],
  [
    'whose head lacks the tip of the base',
    'behind',
    'git fetch switchyard && git rebase switchyard/main basket && ' +
      `git push --force-with-lease=basket:${'b'.repeat(40)} switchyard basket`,
  ],
] as const)('an ejected PR %s waits for what would help', (_name, kind, command) => {
  const head = { ref: 'basket', sha: 'b'.repeat(40) }
  expect(waitingAfterEjection(snapshotFacts({ head }), { reason: 'x', kind }, now).command).toBe(command)
})

test('an ejected PR that another policy approves waits for pr merge, whatever the queue said of it', () => {
  const waiting = waitingAfterEjection(snapshotFacts(), { reason: 'x', kind: 'behind', outdated: true }, now)
  expect(waiting).toMatchObject({ for: expect.stringMatching(/^pr merge: .*another policy/), command: pr('merge') })
})

test('a branch that a shell would read as more than a name is quoted in what an ejected PR waits for', () => {
  const head = { ref: 'a;$(b)', sha: 'b'.repeat(40) }
  const { command } = waitingAfterEjection(snapshotFacts({ head }), { reason: 'x', kind: 'conflict' }, now)
  expect(command).toBe(
    "git fetch switchyard && git rebase switchyard/main 'a;$(b)' && " +
      `git push --force-with-lease='a;$(b)':${'b'.repeat(40)} switchyard 'a;$(b)'`,
  )
})

const MINUTE = 60_000
const inMinutes = (minutes: number) => new Date(Date.parse(now) + minutes * MINUTE).toISOString()
const check = (name: 'tests' | 'secrets', minutes: number) => ({
  ...{ name, digest: name, timeout: minutes * MINUTE, retries: 0 },
})

test('while its checks run, a PR waits for those still running, until the longest has had its time', () => {
  expect(waitingForChecks([check('tests', 15), check('secrets', 5)], now)).toEqual({
    ...{ for: 'tests, secrets', since: now, until: inMinutes(2 * 15 + 60), who: ['switchyard'], command: null },
  })
})

describe('in the merge queue, a PR waits for', () => {
  const snapshot = snapshotFacts({ policy: policyFacts({ checks: [check('tests', 15)] }) })

  test.each([
    [{ outcome: 'offered' }, 'the merge queue', 90],
    [{ outcome: 'queued', position: 3 }, 'the merge queue, position 3', 270],
    [{ outcome: 'testing', candidate: 'c'.repeat(40) }, `tests of candidate ${'c'.repeat(12)}`, 90],
  ] as const)('%j', (place, text, minutes) => {
    expect(waitingInQueue(snapshot, place, now)).toEqual({
      ...{ for: text, since: now, until: inMinutes(minutes), who: ['switchyard'] },
      command: 'switchyard queue show --repo shop',
    })
  })
})

test.each([
  [30 * 24 * 60 * MINUTE, '30 d'],
  [36 * 60 * MINUTE, '36 h'],
  [1_500, '1500 ms'],
])('after %i ms a PR is told that it ended after %s without news', (staleAfter, words) => {
  expect(staleSentence(staleAfter)).toBe(
    `ended after ${words} without news; the next commit, approval or comment starts it again`,
  )
})

function pr(verb: string): string {
  return `switchyard pr ${verb} 7 --repo shop`
}

describe('a rule of the policy', () => {
  const conditioned = (rule: string, change: Partial<Rule> = {}): Decision => ({
    ...{ outcome: 'wait', snapshotId: 's', policyDigest: 'p', decidedAt: now },
    rules: [
      {
        ...{ rule: 'mine', outcome: 'pending', reason: 'so', evidence: null },
        rules: [{ rule, outcome: 'pending', reason: 'so', evidence: null, needs: 'do it', ...change }],
      },
    ],
  })

  test.each<[string, string, Partial<Rule>, string[], RegExp]>([
    ['a label', 'label: ready', {}, ['ann'], /pr edit 7 --repo shop --add-label ready$/],
    ['one of some labels', 'label: a, b*', {}, ['ann'], /--add-label '<label>'$/],
    [
      'the end of a label',
      'label: wip',
      { outcome: 'pass', values: { labels: ['wip'] } },
      ['ann'],
      /--remove-label wip$/,
    ],
    ['approvals', 'approvals: 1', {}, ['anybody but ann'], /pr approve/],
    ['approvals of a group', 'approvals: 1 from ops', { values: { from: ['ops'] } }, ['ops'], /pr approve/],
    ['a time', 'time: later', {}, ['switchyard'], /policy explain/],
    ['a check', 'check: lint', {}, ['ann'], /pr review/],
    ['a group of nobody', 'group: ops', {}, ['whoever may change switchyard.yaml'], /policy explain/],
  ])('that lacks %s says who can act', (_, rule, change, who, command) => {
    const waiting = waitingAfter(snapshotFacts(), conditioned(rule, change), now)
    expect(waiting).toMatchObject({ for: 'mine: so', who })
    expect(waiting.command).toMatch(command)
  })

  test('that waits for a time does so until then', () => {
    const soon = '2026-03-01T13:00:00.000Z'
    expect(waitingAfter(snapshotFacts(), { ...conditioned('time: later'), changesAt: soon }, now).until).toBe(soon)
    const late = { ...conditioned('time: later'), changesAt: '2027-03-01T13:00:00.000Z' }
    expect(waitingAfter(snapshotFacts(), late, now).until).toBe('2026-03-02T12:00:00.000Z')
  })

  test('is told as a dry run where it is one', () => {
    const dry = { ...conditioned('label: ready'), dryRun: true as const }
    expect(waitingAfter(snapshotFacts(), dry, now).for).toBe('dry run: it would not land, mine: so')
    const waiting = waitingAfter(snapshotFacts(), { ...dry, rules: [] }, now)
    expect(waiting).toMatchObject({
      for: 'dry run: it would land',
      who: ['whoever may change .switchyard.yaml on main'],
    })
    expect(waiting.command).toBe('git push -o allow-direct switchyard main')
  })
})

describe('what people were asked about', () => {
  const snapshot = snapshotFacts({ policy: policyFacts({ approvals: 1 }) })
  const decision = decide(snapshot, green, now)
  const waiting = (asked: QuestionAsked[]) => waitingAfter(snapshot, decision, now, asked)

  test('is shown with who was asked, and answered by a command', () => {
    expect(waiting([{ of: 'review', id: 'ask:12ab', who: ['owners'], state: 'open' }])).toMatchObject({
      for: 'review: 0 of 1 approvals of this head; asked as ask:12ab',
      who: ['owners'],
      command: 'switchyard answer ask:12ab approve',
    })
  })

  test('is said to have expired, and leaves the other way', () => {
    expect(waiting([{ of: 'review', id: 'ask:12ab', who: [], state: 'expired' }])).toMatchObject({
      for: 'review: 0 of 1 approvals of this head; nobody answered in time when asked',
      who: ['anybody but ann'],
      command: 'switchyard pr approve 7 --repo shop',
    })
  })

  test('is not shown where it is about another criterion, or has no id', () => {
    const without = waiting([])
    expect(waiting([{ of: 'policy-change', id: 'ask:12ab', who: [], state: 'open' }])).toEqual(without)
    expect(waiting([{ of: 'review', id: null, who: [], state: 'open' }])).toEqual(without)
  })
})
