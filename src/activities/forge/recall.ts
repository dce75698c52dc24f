import type { Instant, Sha, Snapshot } from '#domain/pull-request'
import type { Ejection } from '#domain/waiting'
import type { AuditEntry } from '#ledger/port'

/** What earlier runs of a pipeline were told of the head that its PR has now. */
export type Recalled = {
  /** Since when it is known to be the head: earlier words may be about another. */
  headSince: Instant
  mergeRequest: { by: string; head: Sha; base?: string } | null
  ejected: (Ejection & { head: Sha; at: Instant; by: string | null; policy?: string }) | null
}

type Asked = Pick<Recalled, 'mergeRequest' | 'ejected'>

/** For a pipeline that begins anew: what a person asked for outlives the run that was told of it. `entries`: of its PR. */
export function recall(
  entries: AuditEntry[],
  { head, base, takenAt }: Pick<Snapshot, 'head' | 'base' | 'takenAt'>,
): Recalled {
  const { mergeRequest, ejected } = askedOf(entries, head.sha)
  return {
    headSince: headSince(entries, head.sha) ?? takenAt,
    mergeRequest: mergeRequest && { ...mergeRequest, base: base.ref },
    ejected,
  }
}

/** The first time that this head was seen after any other was; null: never. */
export function headSince(entries: AuditEntry[], head: Sha): Instant | null {
  const seen = entries.filter((entry) => headIn(entry) !== null)
  const other = seen.findLastIndex((entry) => headIn(entry) !== head)
  return seen[other + 1]?.at ?? null
}

function headIn({ action, details }: AuditEntry): Sha | null {
  const head = HEADS[action] === undefined ? null : details[HEADS[action]]
  return typeof head === 'string' ? head : null
}

/** Where entries name the head of their moment. */
const HEADS: Record<string, string> = {
  'pr.created': 'sha',
  'pr.decided': 'head',
  'pr.reviewed': 'head',
  'pr.commanded': 'head',
}

/** Whether somebody asked that this head lands, and whether the queue ejected it after that. */
export function askedOf(entries: AuditEntry[], head: Sha): Asked {
  return entries.reduce<Asked>((asked, entry) => next(asked, entry, head), { mergeRequest: null, ejected: null })
}

function next(asked: Asked, { action, actor, at, details }: AuditEntry, head: Sha): Asked {
  // What was asked before concerned what was closed, or another base.
  if (action === 'pr.reopened') return { mergeRequest: null, ejected: null }
  if (action === 'pr.edited' && details['base'] !== undefined) {
    return { mergeRequest: null, ejected: asked.ejected && { ...asked.ejected, by: null } }
  }
  if (details['head'] !== head) return asked
  if (action === 'pr.ejected') {
    const { reason, kind, policy } = details as Ejection & { policy?: string | null }
    const by = asked.mergeRequest?.by ?? null
    const ejected = { head, reason, ...(kind ? { kind } : {}), at, by, ...(policy ? { policy } : {}) }
    return { mergeRequest: null, ejected }
  }
  if (action !== 'pr.commanded' || details['allowed'] !== true) return asked
  const command = String(details['command'])
  if (/^merge\b/.test(command)) return { mergeRequest: { by: actor, head }, ejected: null }
  if (command !== 'retry' || asked.ejected === null) return asked
  const { by } = asked.ejected
  return { mergeRequest: by === null ? asked.mergeRequest : { by, head }, ejected: null }
}
