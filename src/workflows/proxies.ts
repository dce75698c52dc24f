import { ActivityCancellationType, proxyActivities } from '@temporalio/workflow'
import { taskQueue, type Role } from '#contracts/roles'
import type { Timings } from '#contracts/timings'
import { attemptLimit } from '#domain/check-subjects'
import type { PlannedCheck } from '#domain/policy'
import type { ClarificationActivities } from '#activities/clarification/activities'
import type { ForgeActivities } from '#activities/forge/activities'
import type { MergeActivities } from '#activities/merge/activities'
import type { PipelineActivities } from '#activities/pipelines/activities'
import type { ReviewActivities } from '#activities/review/activities'
import type { SecretActivities } from '#activities/secrets/activities'
import type { TestActivities } from '#activities/tests/activities'

/** Errors that a retry can't help: the request itself is wrong. */
const nonRetryableErrorTypes = ['NotFound', 'Forbidden', 'Unproven']

/**
 * Reads and keyed writes: each activity first looks for its own earlier effect, so a lost answer costs a repetition and
 * nothing else. Twenty attempts, about ten minutes of them in vain: then the pipeline says that it can't go on, and why,
 * and tries again later. A worker that dies is noticed by its heartbeat.
 */
export function idempotent<A>(role: Role, timings: Timings) {
  return proxyActivities<A>({
    taskQueue: taskQueue(role),
    startToCloseTimeout: timings.shortActivity,
    heartbeatTimeout: timings.heartbeat,
    retry: {
      ...{ initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '1m', maximumAttempts: 20 },
      nonRetryableErrorTypes,
    },
  } as Parameters<typeof proxyActivities>[0]) as unknown as Proxied<A>
}

/**
 * Checks: they heartbeat, are killed on cancellation, and the workflow waits for that. Five attempts, for workers that
 * die; what ended as a red test or an infrastructure failure is a result and is not attempted again here.
 */
export function long<A>(role: Role, timings: Timings, check: PlannedCheck) {
  return proxyActivities({
    taskQueue: taskQueue(role),
    startToCloseTimeout: attemptLimit(check),
    heartbeatTimeout: timings.heartbeat,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { initialInterval: '200ms', maximumInterval: '5s', maximumAttempts: 5, nonRetryableErrorTypes },
    summary: check.name,
  }) as unknown as Proxied<A>
}

type Proxied<A> = { [K in keyof A]: A[K] }

export const forgeActivities = (timings: Timings) => idempotent<ForgeActivities>('pr-review', timings)
export const pipelineActivities = (timings: Timings) => idempotent<PipelineActivities>('pr-review', timings)
export const queuePipelineActivities = (timings: Timings) => idempotent<PipelineActivities>('merge', timings)
export const mergeActivities = (timings: Timings) => idempotent<MergeActivities>('merge', timings)

export const clarificationActivities = (role: Role, timings: Timings) =>
  idempotent<ClarificationActivities>(role, timings)

/** What was answered must be on record before its workflow ends: tried for as long as it takes, which costs no history. */
export function recordingActivities(timings: Timings) {
  return proxyActivities({
    taskQueue: taskQueue('decision'),
    startToCloseTimeout: timings.shortActivity,
    heartbeatTimeout: timings.heartbeat,
    retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '1m' },
  }) as unknown as Proxied<Pick<ClarificationActivities, 'recordOutcome'>>
}

export const testActivities = (timings: Timings, check: PlannedCheck) => long<TestActivities>('testing', timings, check)
export const secretActivities = (timings: Timings, check: PlannedCheck) =>
  long<SecretActivities>('security', timings, check)
export const reviewActivities = (timings: Timings, check: PlannedCheck) =>
  long<ReviewActivities>('pr-review', timings, check)
