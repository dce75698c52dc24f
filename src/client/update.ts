import { pullRequestId } from '#contracts/ids'
import type { LookHint } from '#contracts/pull-request'
import type { PullRequest } from '#domain/pull-request'
import type { Connected } from '#installation/installation'
import type { WorkflowHandle } from '@temporalio/client'

const UPDATE_DEADLINE_MS = 20_000

/** Sends an update to the PR's pipeline, which is started first where it has ended or was never seen. */
export async function updatePipeline<T>(
  connected: Connected,
  { repo, number }: Pick<PullRequest, 'repo' | 'number'>,
  hint: LookHint,
  send: (handle: WorkflowHandle) => Promise<T>,
): Promise<T> {
  await connected.pipelines.lookAtPullRequest(repo, number, hint)
  const handle = connected.client.workflow.getHandle(pullRequestId(repo, number))
  return await connected.client.withDeadline(Date.now() + UPDATE_DEADLINE_MS, () => send(handle))
}
