import type { PullRequestState } from '#domain/pull-request'
import type { CommandContext, ExitCode } from '../context.ts'
import { viewPullRequest, type PullRequestView } from '../pull-request-view.ts'
import { printPullRequests } from '../render.ts'
import { selectRepository } from '../select.ts'
import { withInstallation, withServerIfAny } from '../session.ts'

export type PullRequestList = { state: PullRequestState | 'all' }

export async function run(context: CommandContext, { state }: PullRequestList): Promise<ExitCode> {
  return await withInstallation(context, async (installation) => {
    const repo = await selectRepository(context, installation)
    return await withServerIfAny(context, installation, async (connected) => {
      const views: PullRequestView[] = []
      for (const pullRequest of await installation.forge.listPullRequests(repo, { state })) {
        views.push(await viewPullRequest(installation, connected, pullRequest))
      }
      printPullRequests(context.output, views)
      context.output.document(views)
      return 0
    })
  })
}
