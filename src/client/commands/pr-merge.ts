import { merge, type LookHint } from '#contracts/pull-request'
import type { CommandContext, ExitCode } from '../context.ts'
import { requireOpen, showPullRequest, withPullRequest } from '../pull-request.ts'
import { selectActor } from '../select.ts'
import { requireWorkers, rolesFor, withServer } from '../session.ts'
import { updatePipeline } from '../update.ts'
import { followPullRequest, waitLimit } from '../wait.ts'

export type PullRequestMerge = { pullRequest: string; as?: string; wait?: string | true }

/** Lands the PR once it is approved: where `merge.auto` is off, or again after the queue ejected it. */
export async function run(
  context: CommandContext,
  { pullRequest: text, as, wait }: PullRequestMerge,
): Promise<ExitCode> {
  const limit = waitLimit(wait)
  return await withPullRequest(context, text, async (installation, pullRequest) => {
    requireOpen(pullRequest, 'merged')
    const by = await selectActor(context, as)
    return await withServer(context, installation, async (connected) => {
      await requireWorkers(connected, rolesFor(limit))
      const at = context.now().toISOString()
      const hint: LookHint = { id: `cli:merge:${at}`, kind: 'merge' }
      await updatePipeline(connected, pullRequest, hint, (handle) =>
        handle.executeUpdate(merge, { args: [{ by, at }] }),
      )
      if (limit !== undefined) return await followPullRequest(context, installation, connected, pullRequest, limit)
      await showPullRequest(context, installation, connected, pullRequest)
      return 0
    })
  })
}
