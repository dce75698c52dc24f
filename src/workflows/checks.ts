import { ActivityFailure, CancellationScope, condition, isCancellation, rootCause, sleep } from '@temporalio/workflow'
import type { Timings } from '#contracts/timings'
import type { CheckResults } from '#domain/decision'
import type { CheckResult, Subject } from '#domain/evidence'
import type { PlannedCheck } from '#domain/policy'
import type { SnapshotFacts } from '#domain/pull-request'
import { never } from '#domain/result'
import { oneLine } from '#domain/text'
import { checkKind, checkSubject } from '#domain/check-subjects'
import { reviewActivities, secretActivities, testActivities } from './proxies.ts'

const MAX_REASON = 300

/** Runs one check, again after an infrastructure failure as often as the policy allows. */
export async function runCheck(snapshot: SnapshotFacts, check: PlannedCheck, timings: Timings): Promise<CheckResult> {
  for (let retriesLeft = check.retries; ; retriesLeft--) {
    const subject = checkSubject(check, snapshot)
    const result = await orInfrastructure(check, subject, () => runOnce(snapshot, check, subject, timings))
    if (result.conclusion !== 'infrastructure' || retriesLeft <= 0) return result
    await sleep(timings.infrastructureRetry, { summary: `retry ${check.name}: ${result.reason}`.slice(0, 200) })
  }
}

function runOnce(
  snapshot: SnapshotFacts,
  check: PlannedCheck,
  subject: Subject,
  timings: Timings,
): Promise<CheckResult> {
  const { repo, number, policy, base, mergeResult } = snapshot
  const request = { repo, number, check, subject, policyDigest: policy.digest, evidenceMaxAge: policy.evidenceMaxAge }
  const kind = checkKind(check)
  switch (kind) {
    case 'command':
      return testActivities(timings, check).runTests({ ...request, commit: mergeResult!.commit, base: base.sha })
    case 'secrets':
      return secretActivities(timings, check).scanSecrets({ ...request, snapshotId: snapshot.id })
    case 'review':
      return reviewActivities(timings, check).reviewChange({ ...request, base: base.sha })
    default:
      return never(kind)
  }
}

/** A check whose every attempt broke left no evidence; that is a result too, and never the end of the pipeline. */
export async function orInfrastructure(
  check: PlannedCheck,
  subject: Subject,
  run: () => Promise<CheckResult>,
): Promise<CheckResult> {
  const startedAt = new Date().toISOString()
  try {
    return await run()
  } catch (error) {
    if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error
    return {
      ...{ id: '', check: check.name, subject, digest: check.digest },
      conclusion: 'infrastructure',
      reason: oneLine(`it could not run: ${rootCause(error) ?? error.message}`, MAX_REASON),
      ...{ findings: [], findingsTotal: 0, log: null, reused: false },
      ...{ startedAt, finishedAt: new Date().toISOString() },
    }
  }
}

/**
 * Runs checks in parallel until all have ended, or until `interrupted` says that what they test is no longer what the
 * PR is: then their processes are killed, and the answer is null once they are dead.
 */
export async function runChecksUntil(
  planned: PlannedCheck[],
  run: (check: PlannedCheck) => Promise<CheckResult>,
  interrupted: (finished: () => boolean) => Promise<boolean>,
): Promise<CheckResults | null> {
  const scope = new CancellationScope()
  let finished = false
  const results = scope
    .run(() => Promise.all(planned.map(async (check) => [check.name, await run(check)] as const)))
    .finally(() => (finished = true))
  results.catch(() => undefined)
  while (!finished) {
    if (!(await interrupted(() => finished))) continue
    scope.cancel()
    try {
      await results
    } catch (error) {
      if (!isCancellation(error)) throw error
    }
    await condition(() => finished)
    return null
  }
  return Object.fromEntries(await results)
}
