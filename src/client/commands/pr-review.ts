import { review, type LookHint } from '#contracts/pull-request'
import type { CommandContext, ExitCode } from '../context.ts'
import { requireOpen, showPullRequest, withPullRequest } from '../pull-request.ts'
import { recordCommand, requirePermission, type Asked } from '../pull-request-command.ts'
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
    const asked: Asked = { name: 'review', by, at: context.now().toISOString() }
    await requirePermission(installation, pullRequest, asked)
    return await withServer(context, installation, async (connected) => {
      await requireWorkers(connected, rolesFor(limit))
      const hint: LookHint = { id: `cli:review:${asked.at}`, kind: 'review' }
      await updatePipeline(connected, pullRequest, hint, (handle) => handle.executeUpdate(review, { args: [{ by }] }))
      await recordCommand(installation, pullRequest, asked)
      if (limit !== undefined) return await followPullRequest(context, installation, connected, pullRequest, limit)
      await showPullRequest(context, installation, connected, pullRequest)
      return 0
    })
  })
}
