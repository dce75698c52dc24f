import { merge, type LookHint } from '#contracts/pull-request'
import type { PullRequest } from '#domain/pull-request'
import type { Connected } from '#installation/installation'
import type { CommandContext, ExitCode } from '../context.ts'
import { shortSha } from '../output.ts'
import { requireHead, requireOpen, showPullRequest, withPullRequest } from '../pull-request.ts'
import { askedId, recordCommand, requirePermission, type Asked } from '../pull-request-command.ts'
import { requirePolicyMethod, type MethodFlags } from '../pull-request-method.ts'
import type { PullRequestView } from '../pull-request-view.ts'
import { selectActor } from '../select.ts'
import { requireWorkers, rolesFor, withServer } from '../session.ts'
import { sleep } from '../sleep.ts'
import { readPullRequestStatusIfAny } from '../status.ts'
import { updatePipeline } from '../update.ts'
import { followPullRequest, waitLimit } from '../wait.ts'

/** The update itself has 20 s, in which a pipeline's first look has its place. */
const LOOK_MS = 10_000
const POLL_MS = 250

export type PullRequestMerge = MethodFlags & { pullRequest: string; as?: string; head?: string; wait?: string | true }

/** Lands the PR once it is approved: where `merge.auto` is off, or again after the queue ejected it. */
export async function run(
  context: CommandContext,
  { pullRequest: text, as, head, wait, ...methods }: PullRequestMerge,
): Promise<ExitCode> {
  const limit = waitLimit(wait)
  return await withPullRequest(context, text, async (installation, pullRequest) => {
    requireOpen(pullRequest, 'merged')
    requireHead(pullRequest, head)
    const seen = pullRequest.head.sha
    await requirePolicyMethod(installation, pullRequest, methods)
    const by = await selectActor(context, as)
    const at = context.now().toISOString()
    const asked: Asked = { name: 'merge', by, at }
    await requirePermission(installation, pullRequest, asked)
    return await withServer(context, installation, async (connected) => {
      await requireWorkers(connected, rolesFor(limit))
      const hint: LookHint = { id: `cli:merge:${at}`, kind: 'merge' }
      await updatePipeline(connected, pullRequest, hint, async (handle) => {
        await untilSeen(context, connected, pullRequest)
        await handle.executeUpdate(merge, { args: [{ by, at, head: seen }], updateId: askedId(asked) })
      })
      await recordCommand(installation, pullRequest, asked)
      if (limit !== undefined) return await followPullRequest(context, installation, connected, pullRequest, limit)
      await showPullRequest(context, installation, connected, pullRequest, {
        done: (view) => doneText(view, seen),
        actedOn: seen,
      })
      return 0
    })
  })
}

/** What was asked for is kept for this head: it lands when all is met. */
function doneText({ repo, number, decision, waiting }: PullRequestView, head: string): string {
  const asked = `Asked to land ${repo}#${number} at ${shortSha(head)}.`
  if (decision === null || decision.outcome === 'approve' || waiting === null) return asked
  return `${asked} It does so once it is approved, and waits for ${waiting.for} first.`
}

/** A head that was pushed a moment ago may be news to the pipeline, which would refuse it. */
async function untilSeen(context: CommandContext, connected: Connected, { repo, number, head }: PullRequest) {
  for (const deadline = performance.now() + LOOK_MS; performance.now() < deadline;) {
    const status = await readPullRequestStatusIfAny(connected, repo, number)
    if (status === null || status.head?.sha === head.sha) return
    await sleep(POLL_MS, context.signal)
  }
}
