import type { Instant, Review } from '#domain/pull-request'
import type { AuditEntry } from '#ledger/port'
import type { PullRequestChanges } from './port.ts'
import type { PullRequestRecord } from './records.ts'

/** Who closes a PR whose branch went. */
const ITSELF = 'switchyard'

export function createdEntry(record: PullRequestRecord): AuditEntry {
  const { author, createdAt, head, base, draft } = record
  const details = { head: head.ref, sha: head.sha, base: base.ref, draft }
  return entry(record, 'pr.created', author, createdAt, '', details)
}

/** The state and the rest are acts of their own. */
export function changeEntries(
  record: PullRequestRecord,
  { state, ...edited }: PullRequestChanges,
  actor: string,
  at: Instant,
): AuditEntry[] {
  const fields = Object.keys(edited).sort().join(',')
  const details = { fields, ...(edited.base === undefined ? {} : { base: edited.base }) }
  const edits = fields === '' ? [] : [entry(record, 'pr.edited', actor, at, `:${fields}`, details)]
  if (!state) return edits
  const action = state === 'closed' ? 'pr.closed' : 'pr.reopened'
  return [entry(record, action, actor, at, '', { head: record.head.ref }), ...edits]
}

export function branchGoneEntry(record: PullRequestRecord, at: Instant): AuditEntry {
  return entry(record, 'pr.closed', ITSELF, at, '', { head: record.head.ref, because: 'its head or base is gone' })
}

export function reviewEntry(
  record: PullRequestRecord,
  { author, state, head, at }: Review,
  snapshotId: string | null,
  key: string | null,
): AuditEntry {
  const reviewed = entry(record, 'pr.reviewed', author, at, `:${author}:${state}`, { state, head })
  const keyed = key === null ? {} : { key: `pr.reviewed:${record.repo}#${record.number}:${key}` }
  return { ...reviewed, ...keyed, snapshotId }
}

function entry(
  { repo, number }: PullRequestRecord,
  action: string,
  actor: string,
  at: Instant,
  suffix: string,
  details: AuditEntry['details'],
): AuditEntry {
  return {
    key: `${action}:${repo}#${number}@${at}${suffix}`,
    at,
    actor,
    action,
    repo,
    number,
    snapshotId: null,
    details,
  }
}
