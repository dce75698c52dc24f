import { describe, expect, test } from 'vitest'
import type { SnapshotFacts } from '#domain/pull-request'
import { snapshotChanges, voidsChecks, type SnapshotChange } from '#domain/snapshot-changes'
import { policyFacts, sha, snapshotFacts } from './facts.ts'

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
  ['several at once', { title: 'Other', head: { ref: 'basket', sha: sha('1') } }, ['head', 'title'], true],
]

describe('between two looks', () => {
  test.each(cases)('%s', (_name, change, expected, voided) => {
    const changes = snapshotChanges(snapshotFacts(), snapshotFacts(change))
    expect(changes).toEqual(expected)
    expect(voidsChecks(changes)).toBe(voided)
  })
})
