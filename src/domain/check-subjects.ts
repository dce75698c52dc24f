import type { CheckResults } from './decision.ts'
import { isReusable, subjectKey, type Subject } from './evidence.ts'
import type { CheckKind, PlannedCheck, SubjectKind } from './policy.ts'
import type { SnapshotFacts } from './pull-request.ts'

/** Milliseconds to wait for a checkout slot and to fill it, on top of a check's own limits. */
const CHECKOUT_ALLOWANCE = 60 * 60_000

/** Milliseconds that one attempt of a check may take: `setup` and the command have `timeout` each. */
export function attemptLimit(check: PlannedCheck): number {
  return 2 * check.timeout + CHECKOUT_ALLOWANCE
}

/** The same for several that may have to run one after the other, for want of slots. */
export function attemptLimits(checks: PlannedCheck[]): number {
  return checks.reduce((sum, check) => sum + attemptLimit(check), 0)
}

/** 0.1.0 had one command, its tests. */
export function checkKind({ name, kind }: Pick<PlannedCheck, 'name' | 'kind'>): CheckKind {
  return kind ?? (name === 'secrets' || name === 'review' ? name : 'command')
}

export function subjectKind(check: Pick<PlannedCheck, 'name' | 'kind' | 'subject'>): SubjectKind {
  return check.subject ?? (checkKind(check) === 'command' ? 'tree' : 'range')
}

/** The checks that prove a tree: the merge queue runs them again for each candidate. */
export function treeChecks(checks: PlannedCheck[]): PlannedCheck[] {
  return checks.filter((check) => subjectKind(check) === 'tree')
}

/** What a check is evidence of: the tree of the merge result, or the PR's own commits. */
export function checkSubject(check: PlannedCheck, snapshot: SnapshotFacts): Subject {
  if (subjectKind(check) === 'range') return { kind: 'range', base: snapshot.mergeBase, head: snapshot.head.sha }
  if (snapshot.mergeResult === null) throw new Error(`${check.name} needs a merge result`)
  return { kind: 'tree', tree: snapshot.mergeResult.tree }
}

/** The checks that can run on this snapshot: without a merge result there is nothing to check out. */
export function runnableChecks(snapshot: SnapshotFacts): PlannedCheck[] {
  return snapshot.policy.checks.filter((check) => checkKind(check) !== 'command' || snapshot.mergeResult !== null)
}

/**
 * Results of an earlier look that still say something of this one: the same subject, the same check, a pass not beyond
 * its maximum age. Kept even when red, so that an approval or a new title doesn't run the tests again; `rerun` drops
 * all that did not pass. Secrets are looked at anew each time: their scan reads title and body, too, which are no part
 * of its subject, and finds the evidence of the commits by itself.
 */
export function keptResults(results: CheckResults, snapshot: SnapshotFacts, rerun: boolean): CheckResults {
  const kept = runnableChecks(snapshot).flatMap((check) => {
    const result = results[check.name]
    if (!result || result.digest !== check.digest || checkKind(check) === 'secrets') return []
    if (subjectKey(result.subject) !== subjectKey(checkSubject(check, snapshot))) return []
    const final =
      isReusable(result, snapshot.takenAt, snapshot.policy.evidenceMaxAge) ||
      (!rerun && (result.conclusion === 'failed' || result.conclusion === 'timed-out'))
    return final ? [[check.name, result] as const] : []
  })
  return Object.fromEntries(kept)
}
