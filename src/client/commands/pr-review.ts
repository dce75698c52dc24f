import { review, type LookHint } from '#contracts/pull-request'
import type { CommandContext, ExitCode } from '../context.ts'
import { requireOpen, showPullRequest, withPullRequest } from '../pull-request.ts'
import { selectActor } from '../select.ts'
import { requireWorkers, rolesFor, withServer } from '../session.ts'
import { updatePipeline } from '../update.ts'
import { followPullRequest, waitLimit } from '../wait.ts'

export type PullRequestReview = { pullRequest: string; as?: string; wait?: string | true }

/** Runs the PR's checks again: failures are never reused, so a flake gets its second look. */
export async function run(
  context: CommandContext,
  { pullRequest: text, as, wait }: PullRequestReview,
): Promise<ExitCode> {
  const limit = waitLimit(wait)
  return await withPullRequest(context, text, async (installation, pullRequest) => {
    requireOpen(pullRequest, 'reviewed')
    const by = await selectActor(context, as)
    return await withServer(context, installation, async (connected) => {
      await requireWorkers(connected, rolesFor(limit))
      const hint: LookHint = { id: `cli:review:${context.now().toISOString()}`, kind: 'review' }
      await updatePipeline(connected, pullRequest, hint, (handle) => handle.executeUpdate(review, { args: [{ by }] }))
      if (limit !== undefined) return await followPullRequest(context, installation, connected, pullRequest, limit)
      await showPullRequest(context, installation, connected, pullRequest)
      return 0
    })
  })
}
