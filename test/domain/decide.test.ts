import { describe, expect, test } from 'vitest'
import { decide } from '#domain/decide'
import type { CheckResults, Outcome, Rule, RuleOutcome } from '#domain/decision'
import type { CheckConclusion } from '#domain/evidence'
import type { PlannedCheck } from '#domain/policy'
import type { SnapshotFacts } from '#domain/pull-request'
import type { PolicyChange, ResolvedRule } from '#domain/rules/resolved'
import { checkResult, green, now, plannedCheck, policyFacts, snapshotFacts } from './facts.ts'

type Case = {
  name: string
  rule: string
  outcome: RuleOutcome
  decision: Outcome
  reason?: string | RegExp
  snapshot?: Partial<SnapshotFacts>
  checks?: CheckResults
}

const withoutMergeResult = { mergeResult: null } as const
const twoApprovals = { policy: policyFacts({ approvals: 2 }) }

const snapshotCases: Case[] = [
  { name: 'ready', rule: 'not-draft', outcome: 'pass', decision: 'approve' },
  { name: 'a draft', rule: 'not-draft', outcome: 'pending', decision: 'wait', snapshot: { draft: true } },
  { name: 'clean', rule: 'no-conflicts', outcome: 'pass', decision: 'approve', reason: 'merges cleanly into main' },
  {
    name: 'a conflict names its paths',
    rule: 'no-conflicts',
    outcome: 'fail',
    decision: 'reject',
    reason: 'conflicts with main in a.ts, b.ts',
    snapshot: { mergeable: 'conflict', conflicts: ['a.ts', 'b.ts'], ...withoutMergeResult },
  },
  {
    name: 'a conflict in paths that the forge does not tell',
    rule: 'no-conflicts',
    outcome: 'fail',
    decision: 'reject',
    reason: /unknown paths/,
    snapshot: { mergeable: 'conflict', ...withoutMergeResult },
  },
  {
    name: 'mergeable unknown means ask again, never yes',
    rule: 'no-conflicts',
    outcome: 'pending',
    decision: 'wait',
    snapshot: { mergeable: 'unknown', ...withoutMergeResult },
  },
  {
    name: 'a conflict skips the tests',
    rule: 'tests',
    outcome: 'skipped',
    decision: 'reject',
    snapshot: { mergeable: 'conflict', ...withoutMergeResult },
  },
  {
    name: 'tests that passed earlier do not count without a merge result',
    rule: 'tests',
    outcome: 'skipped',
    decision: 'wait',
    snapshot: { mergeable: 'unknown', ...withoutMergeResult },
  },
  {
    name: 'tests that were skipped never approve, even where nothing else is open',
    rule: 'tests',
    outcome: 'skipped',
    decision: 'wait',
    snapshot: withoutMergeResult,
  },
  {
    name: 'a policy without tests never approves',
    rule: 'tests',
    outcome: 'pending',
    decision: 'wait',
    reason: /declares no tests/,
    snapshot: { policy: policyFacts({ checks: [plannedCheck('secrets'), plannedCheck('review')] }) },
  },
]

const reviewCases: Case[] = [
  {
    name: 'approvals missing',
    rule: 'approvals',
    outcome: 'pending',
    decision: 'wait',
    reason: '1 of 2 approvals of this head (bob)',
    snapshot: { ...twoApprovals, approvedBy: ['bob'] },
  },
  {
    name: 'approvals that nobody needs',
    rule: 'approvals',
    outcome: 'pass',
    decision: 'approve',
    reason: 'needs no approval, and has those of bob',
    snapshot: { approvedBy: ['bob'] },
  },
  {
    name: 'approvals given',
    rule: 'approvals',
    outcome: 'pass',
    decision: 'approve',
    snapshot: { ...twoApprovals, approvedBy: ['bob', 'eve'] },
  },
  {
    name: 'somebody asks for changes',
    rule: 'no-changes-requested',
    outcome: 'fail',
    decision: 'reject',
    reason: 'bob asked for changes',
    snapshot: { changesRequestedBy: ['bob'] },
  },
  {
    name: 'changes asked for outweigh approvals',
    rule: 'review',
    outcome: 'fail',
    decision: 'reject',
    reason: 'bob asked for changes',
    snapshot: { ...twoApprovals, approvedBy: ['dan', 'eve'], changesRequestedBy: ['bob'] },
  },
  {
    name: 'missing approvals do not hide a red review',
    rule: 'review',
    outcome: 'fail',
    decision: 'reject',
    reason: 'review failed',
    snapshot: twoApprovals,
    checks: { ...green, review: checkResult('review', { conclusion: 'failed', reason: 'review failed' }) },
  },
]

describe('each criterion of a snapshot', () => {
  test.each([...snapshotCases, ...reviewCases])('$name: $rule is $outcome, the decision is $decision', (given) => {
    const decision = decide(snapshotFacts(given.snapshot), given.checks ?? green, now)
    const rule = find(decision.rules, given.rule)
    expect(rule.outcome).toBe(given.outcome)
    if (given.reason !== undefined) expect(rule.reason).toMatch(given.reason)
    expect(decision.outcome).toBe(given.decision)
  })
})

const conclusions: [CheckConclusion | 'not run', RuleOutcome, Outcome][] = [
  ['passed', 'pass', 'approve'],
  ['failed', 'fail', 'reject'],
  ['timed-out', 'fail', 'reject'],
  ['infrastructure', 'pending', 'wait'],
  ['interrupted', 'pending', 'wait'],
  ['not run', 'pending', 'wait'],
]

const checkRules: [keyof typeof green, string][] = [
  ['tests', 'tests'],
  ['secrets', 'no-secrets'],
  ['review', 'review'],
]

describe.each(checkRules)('the check %s', (check, rule) => {
  test.each(conclusions)('%s: the rule is %s, the decision is %s', (conclusion, outcome, decided) => {
    const { [check]: _removed, ...others } = green
    const checks = conclusion === 'not run' ? others : { ...green, [check]: checkResult(check, { conclusion }) }
    const decision = decide(snapshotFacts(), checks, now)
    expect(find(decision.rules, rule).outcome).toBe(outcome)
    expect(decision.outcome).toBe(decided)
  })

  test('names the evidence that it rests on', () => {
    expect(find(decide(snapshotFacts(), green, now).rules, rule).evidence).toBe(`evidence of ${check}`)
  })
})

describe('a decision', () => {
  test('lists the criteria in the order in which they are told', () => {
    const { rules } = decide(snapshotFacts(), green, now)
    expect(rules.map((rule) => rule.rule)).toEqual(['not-draft', 'no-conflicts', 'tests', 'review', 'no-secrets'])
  })

  test('names what it was made from', () => {
    expect(decide(snapshotFacts(), green, now)).toMatchObject({
      snapshotId: 'snapshot 1',
      policyDigest: 'policy 1',
      decidedAt: now,
    })
  })

  test('a failure outweighs what is only pending', () => {
    const checks = { ...green, tests: checkResult('tests', { conclusion: 'failed' }) }
    expect(decide(snapshotFacts({ draft: true }), checks, now).outcome).toBe('reject')
  })

  test('is never an approval without any check', () => {
    expect(decide(snapshotFacts(), {}, now).outcome).toBe('wait')
  })
})

function find(rules: Rule[], name: string): Rule {
  const all = rules.flatMap((rule) => [rule, ...(rule.rules ?? [])])
  return all.find((rule) => rule.rule === name)!
}

describe("a policy's own check", () => {
  const planned = [plannedCheck('secrets'), plannedCheck('review')]
  const lint = plannedCheck('lint', { kind: 'command', subject: 'tree' })
  const commits = plannedCheck('commits', { kind: 'command', subject: 'range' })
  const decideWith = (checks: PlannedCheck[], results: CheckResults, change: Partial<SnapshotFacts> = {}) =>
    decide(snapshotFacts({ policy: policyFacts({ checks: [...checks, ...planned] }), ...change }), results, now)

  test('is a criterion of its name, which must pass', () => {
    const tests = plannedCheck('tests')
    expect(decideWith([tests, lint], { ...green, lint: checkResult('lint') }).outcome).toBe('approve')
    const red = decideWith([tests, lint], { ...green, lint: checkResult('lint', { conclusion: 'failed' }) })
    expect(red.outcome).toBe('reject')
    expect(find(red.rules, 'lint')).toMatchObject({ outcome: 'fail', evidence: 'evidence of lint' })
    expect(decideWith([tests, lint], green).outcome).toBe('wait')
  })

  test('of the tree is enough for a policy without tests', () => {
    const decision = decideWith([lint], { ...green, lint: checkResult('lint') })
    expect(decision.outcome).toBe('approve')
    expect(decision.rules.map(({ rule }) => rule)).not.toContain('tests')
  })

  test('of the range alone is not: nothing untested lands', () => {
    const decision = decideWith([commits], { ...green, commits: checkResult('commits') })
    expect(decision.outcome).toBe('wait')
    expect(find(decision.rules, 'tests').reason).toMatch(/nothing untested lands/)
  })

  test('is skipped while there is no merge result', () => {
    const decision = decideWith([lint, commits], green, { mergeable: 'conflict', mergeResult: null })
    expect(find(decision.rules, 'lint').outcome).toBe('skipped')
    expect(find(decision.rules, 'commits').outcome).toBe('skipped')
  })
})

describe('rules of the repository', () => {
  const label = (truth: boolean): ResolvedRule => ({
    ...{ name: 'labelled', if: null },
    require: {
      ...{ kind: 'fact', text: 'label: ready', truth, final: false, reason: truth ? 'has it' : 'has it not' },
      ...{ values: {}, toHold: 'set the label ready', toEnd: null },
    },
  })
  const hours = (open: { from: string; until: string }[]): ResolvedRule => ({
    ...{ name: 'hours', if: null, require: { kind: 'time', text: 'time: x', open, knownUntil: null } },
  })

  test('are criteria besides the built-in ones', () => {
    const built = decide(snapshotFacts(), green, now).rules.length
    const approved = decide(snapshotFacts({ rules: [label(true)] }), green, now)
    expect(approved).toMatchObject({ outcome: 'approve' })
    expect(approved.rules).toHaveLength(built + 1)
    const waits = decide(snapshotFacts({ rules: [label(false)] }), green, now)
    expect(waits.outcome).toBe('wait')
    expect(waits.rules.at(-1)).toMatchObject({ rule: 'labelled', outcome: 'pending', reason: 'has it not' })
  })

  test('never outweigh a built-in one', () => {
    expect(decide(snapshotFacts({ draft: true, rules: [label(true)] }), green, now).outcome).toBe('wait')
    expect(decide(snapshotFacts({ rules: [label(true)] }), {}, now).outcome).toBe('wait')
  })

  test('say when time alone would decide otherwise', () => {
    const later = '2026-03-01T13:00:00.000Z'
    const opening = snapshotFacts({ rules: [hours([{ from: later, until: '2026-03-01T14:00:00.000Z' }])] })
    expect(decide(opening, green, now)).toMatchObject({ outcome: 'wait', changesAt: later })
    expect(decide(opening, green, later)).toMatchObject({ outcome: 'approve', changesAt: '2026-03-01T14:00:00.000Z' })
    expect(decide(snapshotFacts({ rules: [label(true)] }), green, now)).not.toHaveProperty('changesAt')
  })
})

describe('approvals by people and groups', () => {
  const approvals = { count: 1, from: ['reviewers'], by: [], unknown: [] as string[] }

  test('count only theirs', () => {
    const waits = decide(snapshotFacts({ approvedBy: ['eve'], approvals }), green, now)
    expect(waits.outcome).toBe('wait')
    expect(waits.rules.find(({ rule }) => rule === 'review')!.reason).toBe(
      '0 of 1 approvals of this head from reviewers',
    )
    expect(decide(snapshotFacts({ approvals: { ...approvals, by: ['bob'] } }), green, now).outcome).toBe('approve')
  })

  test('of nobody are waited for, and it is said why', () => {
    const waits = decide(snapshotFacts({ approvals: { ...approvals, unknown: ['reviewers'] } }), green, now)
    expect(waits.rules.find(({ rule }) => rule === 'review')!.reason).toContain(
      'nobody in this installation is "reviewers" or in a group of that name',
    )
  })
})

describe('a change of the policy', () => {
  const approvals = { count: 0, from: null, by: [], unknown: [] }
  const change = (change: Partial<PolicyChange>) => {
    const policyChange = { digest: 'policy 2', problem: null, approvals, ...change }
    const decision = decide(snapshotFacts({ policyChange }), green, now)
    return { ...decision, rule: decision.rules.find(({ rule }) => rule === 'policy-change')! }
  }

  test.each<[string, Partial<PolicyChange>, Outcome, string]>([
    ['is only said', {}, 'approve', 'changes the policy: it lands alone, decided under the policy on main'],
    [
      'may mean the same',
      { digest: 'policy 1' },
      'approve',
      'rewrites the policy, with the same meaning: it lands alone',
    ],
    ['may take it away', { digest: null }, 'approve', 'takes the policy away: it lands alone'],
    ['must be a policy', { digest: null, problem: 'p.yaml:3:1: no' }, 'reject', 'p.yaml:3:1: no'],
    [
      'needs its own approvals',
      { approvals: { ...approvals, count: 1, from: ['owners'] } },
      'wait',
      '0 of 1 approvals of this head from owners',
    ],
    [
      'has its own approvals',
      { approvals: { ...approvals, count: 1, by: ['bob'] } },
      'approve',
      '1 of 1 approvals of this head (bob)',
    ],
  ])('%s', (_, facts, outcome, reason) => {
    const decided = change(facts)
    expect(decided.outcome).toBe(outcome)
    expect(decided.rule.reason).toContain(reason)
  })

  test('is no criterion of a PR that leaves it as it is', () => {
    expect(decide(snapshotFacts(), green, now).rules.map(({ rule }) => rule)).not.toContain('policy-change')
  })
})

test('a dry run decides the same, and says that it is one', () => {
  const dry = decide(snapshotFacts({ policy: policyFacts({ mode: 'dry-run' }) }), green, now)
  expect(dry).toMatchObject({ outcome: 'approve', dryRun: true })
  expect(decide(snapshotFacts(), green, now)).not.toHaveProperty('dryRun')
})
