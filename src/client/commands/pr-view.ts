import type { CommandContext, ExitCode } from '../context.ts'
import { showPullRequest, withPullRequest } from '../pull-request.ts'
import { withServerIfAny } from '../session.ts'

export type PullRequestViewing = { pullRequest: string; comments?: boolean }

export async function run(
  context: CommandContext,
  { pullRequest: text, comments = false }: PullRequestViewing,
): Promise<ExitCode> {
  return await withPullRequest(context, text, async (installation, pullRequest) => {
    const { repo, number } = pullRequest
    const conversation = comments ? await installation.forge.listComments(repo, number) : null
    await withServerIfAny(context, installation, (connected) =>
      showPullRequest(
        ...([context, installation, connected, pullRequest] as const),
        conversation === null ? {} : { comments: conversation },
      ),
    )
    return 0
  })
}
