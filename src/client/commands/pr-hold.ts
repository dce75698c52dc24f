import { hold, type LookHint } from '#contracts/pull-request'
import type { CommandContext, ExitCode } from '../context.ts'
import { usageError } from '../errors.ts'
import { requireOpen, showPullRequest, withPullRequest } from '../pull-request.ts'
import { askedId, requirePermission, type Asked } from '../pull-request-command.ts'
import { selectActor } from '../select.ts'
import { requireWorkers, withServer } from '../session.ts'
import { updatePipeline } from '../update.ts'

export type PullRequestHold = { pullRequest: string; reason?: string; cancel?: boolean; as?: string }

/** Keeps the PR from landing until somebody lifts that, or lifts it. */
export async function run(context: CommandContext, input: PullRequestHold): Promise<ExitCode> {
  const { reason, cancel = false } = input
  if (cancel && reason !== undefined) throw usageError('A hold that is lifted needs no reason.')
  return await withPullRequest(context, input.pullRequest, async (installation, pullRequest) => {
    requireOpen(pullRequest, cancel ? 'let go on' : 'held')
    const at = context.now().toISOString()
    const asked: Asked = { name: 'hold', by: await selectActor(context, input.as), at }
    await requirePermission(installation, pullRequest, asked)
    return await withServer(context, installation, async (connected) => {
      await requireWorkers(connected, ['pr-review'])
      const hint: LookHint = { id: `cli:hold:${at}`, kind: 'hold' }
      const args: [{ by: string; cancel: boolean; reason?: string }] = [
        { by: asked.by, cancel, ...(reason === undefined ? {} : { reason }) },
      ]
      await updatePipeline(connected, pullRequest, hint, (handle) =>
        handle.executeUpdate(hold, { args, updateId: askedId(asked) }),
      )
      const { repo, number } = pullRequest
      context.output.line(cancel ? `${repo}#${number} is held no more.` : `${repo}#${number} is held by ${asked.by}.`)
      await showPullRequest(context, installation, connected, pullRequest)
      return 0
    })
  })
}
