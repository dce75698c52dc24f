import { describe, expect, test } from 'vitest'
import type { SnapshotFacts } from '#domain/pull-request'
import type { ResolvedRule } from '#domain/rules/resolved'
import { snapshotChanges, voidsChecks, type SnapshotChange } from '#domain/snapshot-changes'
import { policyFacts, sha, snapshotFacts } from './facts.ts'

const approvals = { count: 1, from: ['ops'], by: ['bob'], unknown: [] }
const labelled = (truth: boolean): ResolvedRule => ({
  ...{ name: 'labelled', if: null },
  require: {
    ...{ kind: 'fact', text: 'label: x', truth, final: false, reason: String(truth) },
    ...{ values: {}, toHold: null, toEnd: null },
  },
})
const hours = (day: string): ResolvedRule => ({
  ...{ name: 'hours', if: null },
  require: { kind: 'time', text: 'time: x', open: [{ from: `${day}T09:00:00.000Z`, until: null }], knownUntil: null },
})

const cases: [string, Partial<SnapshotFacts>, SnapshotChange[], boolean][] = [
  ['nothing', {}, [], false],
  ['the time of the look', { takenAt: '2026-03-02T00:00:00.000Z', id: 'snapshot 2' }, [], false],
  [
    'a base that only moved',
    { base: { ref: 'main', sha: sha('1') }, mergeResult: { commit: sha('2'), tree: sha('3') } },
    [],
    false,
  ],
  ['the state', { state: 'closed' }, ['state'], true],
  ['the head', { head: { ref: 'basket', sha: sha('1') } }, ['head'], true],
  ['the base branch', { base: { ref: 'next', sha: sha('b') } }, ['base-branch'], true],
  ['the policy', { policy: policyFacts({ digest: 'policy 2' }) }, ['policy'], true],
  ['a problem with the policy', { policy: policyFacts({ problem: 'line 3' }) }, ['policy'], true],
  ['mergeable', { mergeable: 'conflict' }, ['mergeable'], false],
  ['draft', { draft: true }, ['draft'], false],
  ['an approval', { approvedBy: ['bob'] }, ['reviews'], false],
  ['a request for changes', { changesRequestedBy: ['bob'] }, ['reviews'], false],
  ['the title', { title: 'Other' }, ['title'], false],
  ['a fact that a rule asks for', { rules: [labelled(true)] }, ['rules'], false],
  ['the next hours of a rule', { rules: [labelled(false), hours('2026-03-02')] }, [], false],
  ['an approval that a rule asks for', { approvals }, ['rules'], false],
  ['that it changes the policy', { policyChange: { digest: 'x', problem: null, approvals } }, ['rules'], false],
  ['several at once', { title: 'Other', head: { ref: 'basket', sha: sha('1') } }, ['head', 'title'], true],
]

describe('between two looks', () => {
  test.each(cases)('%s', (_name, change, expected, voided) => {
    const before = snapshotFacts({ rules: [labelled(false), hours('2026-03-01')] })
    const changes = snapshotChanges(before, { ...before, ...change })
    expect(changes).toEqual(expected)
    expect(voidsChecks(changes)).toBe(voided)
  })
})
