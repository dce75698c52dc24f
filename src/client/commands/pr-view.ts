import type { CommandContext, ExitCode } from '../context.ts'
import { showPullRequest, withPullRequest } from '../pull-request.ts'
import { withServerIfAny } from '../session.ts'

export async function run(context: CommandContext, { pullRequest: text }: { pullRequest: string }): Promise<ExitCode> {
  return await withPullRequest(context, text, async (installation, pullRequest) => {
    await withServerIfAny(context, installation, (connected) =>
      showPullRequest(context, installation, connected, pullRequest),
    )
    return 0
  })
}
