import type { CommandContext, ExitCode } from '../context.ts'
import { withInstallation } from '../session.ts'

export async function run(context: CommandContext): Promise<ExitCode> {
  return await withInstallation(context, async (installation) => {
    const repositories = await Promise.all(
      installation.config.repositories.map(async ({ name, remote }) => {
        const open = await installation.forge.listPullRequests(name, { state: 'open' })
        return { repo: name, forge: installation.forge.kind, remote, openPullRequests: open.length }
      }),
    )
    if (repositories.length === 0) context.output.line('No repositories. Run `switchyard init` inside one.')
    else {
      context.output.table(
        ['repository', 'open', 'remote'],
        repositories.map(({ repo, openPullRequests, remote }) => [repo, String(openPullRequests), remote]),
      )
    }
    context.output.document(repositories)
    return 0
  })
}
