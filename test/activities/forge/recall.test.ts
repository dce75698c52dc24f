import { describe, expect, test } from 'vitest'
import { askedOf, headSince } from '#activities/forge/recall'
import type { AuditEntry } from '#ledger/port'

const [A, B] = ['a'.repeat(40), 'b'.repeat(40)]

/** One entry a minute, in their order. */
function entries(...acts: [action: string, details: AuditEntry['details'], actor?: string][]): AuditEntry[] {
  return acts.map(([action, details, actor = 'bob'], index) => ({
    ...{ key: String(index), at: minute(index), actor, action, repo: 'shop', number: 1, snapshotId: null, details },
  }))
}

const minute = (count: number): string => `2026-01-01T00:0${count}:00.000Z`
const created = ['pr.created', { sha: A, head: 'feature' }] as [string, AuditEntry['details']]
const decided = (head: string): [string, AuditEntry['details']] => ['pr.decided', { outcome: 'approve', head }]
const said = (command: string, head = A, allowed = true): [string, AuditEntry['details']] => [
  ...(['pr.commanded', { command, head, allowed }] as const),
]
const ejected: [string, AuditEntry['details']] = ['pr.ejected', { head: A, reason: 'tests: red', kind: 'tests' }]

describe('a head is known', () => {
  test.each<[string, ReturnType<typeof entries>, number | null]>([
    ['since it was opened', entries(created), 0],
    ['since then, whatever was done meanwhile', entries(created, decided(A), said('hold')), 0],
    ['not at all where another was seen last', entries(created, decided(B)), null],
    ['since it came back', entries(created, decided(B), ['pr.reviewed', { head: A }], decided(A)), 2],
    ['whatever branch an entry names', entries(created, ['pr.closed', { head: 'feature' }]), 0],
    ['whatever a decision of 0.1.0 does not name', entries(created, ['pr.decided', { outcome: 'wait' }]), 0],
    ['not by what nobody recorded', entries(), null],
  ])('%s', (_, trail, at) => {
    expect(headSince(trail, A)).toBe(at === null ? null : minute(at))
  })
})

describe('what was asked of a head', () => {
  const byBob = { mergeRequest: { by: 'bob', head: A }, ejected: null }
  const nothing = { mergeRequest: null, ejected: null }
  const out = { head: A, reason: 'tests: red', kind: 'tests' }

  test.each<[string, ReturnType<typeof entries>, object]>([
    ['nothing', entries(created, decided(A), said('hold')), nothing],
    ['a merge', entries(said('merge')), byBob],
    ['a merge of it by name', entries(said('merge aaaaaaa')), byBob],
    ['no merge that was refused', entries(said('merge', A, false)), nothing],
    ['no merge of another', entries(said('merge', B)), nothing],
    ['a merge for another base', entries(said('merge'), ['pr.edited', { fields: 'base', base: 'next' }]), nothing],
    ['a merge under another title', entries(said('merge'), ['pr.edited', { fields: 'title' }]), byBob],
    ['a merge of what was closed', entries(said('merge'), ['pr.reopened', { head: 'feature' }]), nothing],
    ['an ejection', entries(ejected), { mergeRequest: null, ejected: { ...out, at: minute(0), by: null } }],
    [
      'an ejection with the policy that had approved it',
      entries(['pr.ejected', { ...ejected[1], policy: 'p1' }]),
      { mergeRequest: null, ejected: { ...out, at: minute(0), by: null, policy: 'p1' } },
    ],
    [
      'an ejection after a merge',
      entries(said('merge'), ejected),
      { mergeRequest: null, ejected: { ...out, at: minute(1), by: 'bob' } },
    ],
    [
      'nobody who lands it again, after an ejection from the queue of another base',
      entries(said('merge'), ejected, ['pr.edited', { fields: 'base', base: 'next' }], said('retry')),
      nothing,
    ],
    ['a merge after an ejection', entries(ejected, said('merge')), byBob],
    ['a retry after an ejection', entries(said('merge'), ejected, [...said('retry'), 'cay'] as never), byBob],
    ['a retry of what nobody asked to land', entries(ejected, said('retry')), nothing],
    ['a retry of what was not ejected', entries(said('retry')), nothing],
  ])('%s', (_, trail, asked) => {
    expect(askedOf(trail, A)).toEqual(asked)
  })
})
