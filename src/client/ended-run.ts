import type { PullRequest, Waiting } from '#domain/pull-request'
import type { Connected } from '#installation/installation'
import { shownReason } from './pending.ts'

/** A pipeline's run that is over: a failed or terminated one still answers its query as it did before it ended. */
export type EndedRun = {
  /** `completed`, `failed`, `terminated`, `timed-out`, `cancelled`, or `forgotten`: no longer on the server. */
  status: string
  endedAt: string | null
  reason: string
}

const DEADLINE_MS = 5_000

/** null while the pipeline runs. */
export async function readEndedRun(connected: Connected, workflowId: string): Promise<EndedRun | null> {
  const handle = connected.client.workflow.getHandle(workflowId)
  const within = <T>(call: () => Promise<T>) => connected.client.withDeadline(Date.now() + DEADLINE_MS, call)
  try {
    const { status, closeTime } = await within(() => handle.describe())
    if (status.name === 'RUNNING') return null
    const name = status.name.toLowerCase().replaceAll('_', '-')
    const endedAt = closeTime?.toISOString() ?? null
    if (status.name === 'COMPLETED') return { status: name, endedAt, reason: 'it has ended' }
    const reason = await within(() => handle.result()).then(() => '', innermostMessage)
    return { status: name, endedAt, reason: shownReason(reason) || name }
  } catch (error) {
    if (error instanceof Error && error.name === 'WorkflowNotFoundError')
      return { status: 'forgotten', endedAt: null, reason: 'the server does not know it any more' }
    throw error
  }
}

/** What an ended pipeline of an open PR waits for: somebody who starts it again. */
export function waitingAfterEnd(
  { status, endedAt, reason }: EndedRun,
  { repo, number, author, updatedAt }: Pick<PullRequest, 'repo' | 'number' | 'author' | 'updatedAt'>,
): Waiting {
  return {
    for: `a new start of its pipeline, which ended (${status}): ${reason}`,
    since: endedAt ?? updatedAt,
    until: null,
    who: [author],
    command: reviewCommand({ repo, number }),
  }
}

/** It looks first, which starts a pipeline that has ended. */
export const reviewCommand = ({ repo, number }: { repo: string; number: number }): string =>
  `switchyard pr review ${number} --repo ${repo}`

/** Temporal wraps what an activity threw in what failed because of it. */
function innermostMessage(error: unknown): string {
  let innermost = error
  while (innermost instanceof Error && innermost.cause instanceof Error) innermost = innermost.cause
  return innermost instanceof Error ? innermost.message : String(innermost)
}
