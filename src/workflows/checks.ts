import { CancellationScope, condition, isCancellation, sleep } from '@temporalio/workflow'
import type { Timings } from '#contracts/timings'
import type { CheckResults } from '#domain/decision'
import type { CheckResult, Subject } from '#domain/evidence'
import type { CheckName, PlannedCheck } from '#domain/policy'
import type { SnapshotFacts } from '#domain/pull-request'
import { never } from '#domain/result'
import { checkSubject } from '#domain/check-subjects'
import { reviewActivities, secretActivities, testActivities } from './proxies.ts'

/** Runs one check, again after an infrastructure failure as often as the policy allows. */
export async function runCheck(snapshot: SnapshotFacts, check: PlannedCheck, timings: Timings): Promise<CheckResult> {
  for (let retriesLeft = check.retries; ; retriesLeft--) {
    const result = await runOnce(snapshot, check, timings)
    if (result.conclusion !== 'infrastructure' || retriesLeft <= 0) return result
    await sleep(timings.infrastructureRetry, { summary: `retry ${check.name}: ${result.reason}`.slice(0, 200) })
  }
}

function runOnce(snapshot: SnapshotFacts, check: PlannedCheck, timings: Timings): Promise<CheckResult> {
  const { repo, number, policy, base, mergeResult } = snapshot
  const subject: Subject = checkSubject(check.name, snapshot)
  const request = { repo, number, check, subject, policyDigest: policy.digest, evidenceMaxAge: policy.evidenceMaxAge }
  switch (check.name) {
    case 'tests':
      return testActivities(timings, check).runTests({ ...request, commit: mergeResult!.commit, base: base.sha })
    case 'secrets':
      return secretActivities(timings, check).scanSecrets(request)
    case 'review':
      return reviewActivities(timings, check).reviewChange({ ...request, base: base.sha })
    default:
      return never(check.name)
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
  return Object.fromEntries(await results) as Partial<Record<CheckName, CheckResult>>
}
