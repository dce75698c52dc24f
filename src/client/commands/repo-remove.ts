import { removeRepositoryFromFile } from '#config/load'
import type { CommandContext, ExitCode } from '../context.ts'
import { CliError } from '../errors.ts'
import { selectRepository } from '../select.ts'
import { withInstallation } from '../session.ts'

export type RepositoryRemove = { name: string; force?: boolean }

/** Takes it out of `switchyard.yaml` only: commits and records are nothing to delete by the way. */
export async function run(context: CommandContext, { name, force = false }: RepositoryRemove): Promise<ExitCode> {
  return await withInstallation(context, async (installation) => {
    const repo = await selectRepository({ ...context, flags: { ...context.flags, repo: name } }, installation)
    const open = await installation.forge.listPullRequests(repo, { state: 'open' })
    if (open.length > 0 && !force) {
      throw new CliError(1, 'open-pull-requests', `${repo} has ${open.length} open pull requests.`, {
        details: { repo, open: open.map(({ number }) => number) },
        hint: 'Close them, or take it out all the same with --force.',
      })
    }
    const { file } = installation.paths
    if (file !== null) await removeRepositoryFromFile(file, repo)
    const remote = installation.config.repositories.find((one) => one.name === repo)!.remote
    context.output.line(`Removed ${repo}. Its commits stay in ${remote}, its record in the ledger.`)
    context.output.document({ repo, remote })
    return 0
  })
}
