import type { CheckResults } from './decision.ts'
import { isReusable, subjectKey, type Subject } from './evidence.ts'
import type { CheckName, PlannedCheck } from './policy.ts'
import type { SnapshotFacts } from './pull-request.ts'

/** Milliseconds to wait for a checkout slot and to fill it, on top of a check's own limits. */
const CHECKOUT_ALLOWANCE = 60 * 60_000

/** Milliseconds that one attempt of a check may take: `setup` and the command have `timeout` each. */
export function attemptLimit(check: PlannedCheck): number {
  return 2 * check.timeout + CHECKOUT_ALLOWANCE
}

/** What a check is evidence of. Tests: the tree of the merge result. Secrets and review: the PR's own commits. */
export function checkSubject(name: CheckName, snapshot: SnapshotFacts): Subject {
  if (name !== 'tests') return { kind: 'range', base: snapshot.mergeBase, head: snapshot.head.sha }
  if (snapshot.mergeResult === null) throw new Error('tests need a merge result')
  return { kind: 'tree', tree: snapshot.mergeResult.tree }
}

/** The checks that can run on this snapshot: without a merge result there is nothing to test. */
export function runnableChecks(snapshot: SnapshotFacts): PlannedCheck[] {
  return snapshot.policy.checks.filter((check) => check.name !== 'tests' || snapshot.mergeResult !== null)
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
    if (!result || result.digest !== check.digest || check.name === 'secrets') return []
    if (subjectKey(result.subject) !== subjectKey(checkSubject(check.name, snapshot))) return []
    const final =
      isReusable(result, snapshot.takenAt, snapshot.policy.evidenceMaxAge) ||
      (!rerun && (result.conclusion === 'failed' || result.conclusion === 'timed-out'))
    return final ? [[check.name, result] as const] : []
  })
  return Object.fromEntries(kept)
}
