import type { Milliseconds } from '#domain/policy'

/** Every deadline that a pipeline keeps, from the installation's configuration; tests shorten them. */
export type Timings = {
  /** Between two sweeps of the forge by `repositoryWatch`. */
  sweep: Milliseconds
  /** An enqueue that the queue has not acknowledged is repeated after this. */
  enqueueAcknowledgement: Milliseconds
  /** Before asking again for a mergeability that the forge had not computed. */
  mergeableRetry: Milliseconds
  /** An activity's heartbeat; a worker that dies is noticed after this. */
  heartbeat: Milliseconds
  /** One attempt of an activity that runs no check, at most; on a big repository a snapshot takes minutes. */
  shortActivity: Milliseconds
  /** Before an infrastructure failure is tried again. */
  infrastructureRetry: Milliseconds
}

export const defaultTimings: Timings = {
  sweep: 30_000,
  enqueueAcknowledgement: 20_000,
  mergeableRetry: 2_000,
  heartbeat: 10_000,
  shortActivity: 600_000,
  infrastructureRetry: 2_000,
}
