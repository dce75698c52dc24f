import { mergeQueueId, pullRequestId } from '#contracts/ids'
import { mergeQueueStatus, type MergeQueueStatus } from '#contracts/merge-queue'
import { pullRequestStatus, type PullRequestStatus } from '#contracts/pull-request'
import type { Connected } from '#installation/installation'

/** A query needs a worker; without one the server would hold it for long. */
const QUERY_DEADLINE_MS = 5_000

/** What the PR's pipeline says of itself; null when it was never started or is forgotten. */
export async function readPullRequestStatus(
  connected: Connected,
  repo: string,
  number: number,
): Promise<PullRequestStatus | null> {
  const handle = connected.client.workflow.getHandle(pullRequestId(repo, number))
  return await orUnknown(connected, () => handle.query(pullRequestStatus))
}

export async function readQueueStatus(
  connected: Connected,
  repo: string,
  branch: string,
): Promise<MergeQueueStatus | null> {
  const handle = connected.client.workflow.getHandle(mergeQueueId(repo, branch))
  return await orUnknown(connected, () => handle.query(mergeQueueStatus))
}

/** The same, but a pipeline that does not answer now is null, too: for views that have another source. */
export async function readPullRequestStatusIfAny(
  connected: Connected | null,
  repo: string,
  number: number,
): Promise<PullRequestStatus | null> {
  if (connected === null) return null
  return await readPullRequestStatus(connected, repo, number).catch((error: unknown) => {
    if (isUnanswered(error)) return null
    throw error
  })
}

/** Errors that mean "nobody answers now": no worker, a server that is starting again, a deadline. */
export function isUnanswered(error: unknown): boolean {
  return (
    error instanceof Error &&
    [
      'ServiceError',
      'QueryRejectedError',
      'QueryNotRegisteredError',
      'WorkflowUpdateRPCTimeoutOrCancelledError',
    ].includes(error.name)
  )
}

/** The same, and what says that there is no server now: for those who go on until there is one again. */
export function isAway(error: unknown): boolean {
  if (isUnanswered(error)) return true
  return error instanceof Error && ['NoServerError', 'ServerAwayError'].includes(error.name)
}

async function orUnknown<T>(connected: Connected, query: () => Promise<T>): Promise<T | null> {
  try {
    return await connected.client.withDeadline(Date.now() + QUERY_DEADLINE_MS, query)
  } catch (error) {
    if (error instanceof Error && error.name === 'WorkflowNotFoundError') return null
    throw error
  }
}
