import type { PullRequest } from '#domain/pull-request'
import type { Connected, Installation } from '#installation/installation'
import type { CommandContext, ExitCode } from './context.ts'
import { CliError } from './errors.ts'
import { viewPullRequest } from './pull-request-view.ts'
import { printPullRequest } from './render.ts'
import { selectPullRequest } from './select.ts'
import { withInstallation } from './session.ts'

/** Opens the installation and the PR that an argument names. */
export async function withPullRequest(
  context: CommandContext,
  text: string,
  use: (installation: Installation, pullRequest: PullRequest) => Promise<ExitCode>,
): Promise<ExitCode> {
  return await withInstallation(context, async (installation) => {
    const { repo, number } = await selectPullRequest(context, installation, text)
    return await use(installation, await getPullRequest(installation, repo, number))
  })
}

export async function getPullRequest(installation: Installation, repo: string, number: number): Promise<PullRequest> {
  const pullRequest = await installation.forge.getPullRequest(repo, number)
  if (pullRequest !== null) return pullRequest
  throw new CliError(2, 'unknown-pull-request', `There is no pull request ${repo}#${number}.`, {
    details: { repo, number },
    hint: `See \`switchyard pr list --state all --repo ${repo}\`.`,
  })
}

/** Prints the PR as it is on the forge now. */
export async function showPullRequest(
  context: CommandContext,
  installation: Installation,
  connected: Connected | null,
  { repo, number }: Pick<PullRequest, 'repo' | 'number'>,
): Promise<void> {
  const view = await viewPullRequest(installation, connected, await getPullRequest(installation, repo, number))
  printPullRequest(context.output, view, context.now())
  context.output.document(view)
}

export function requireOpen(pullRequest: PullRequest, verb: string): void {
  if (pullRequest.state === 'open') return
  const { repo, number, state } = pullRequest
  throw new CliError(1, 'not-open', `${repo}#${number} is ${state}: it can't be ${verb}.`, {
    details: { repo, number, state },
    hint:
      state === 'closed'
        ? `Open it again: switchyard pr reopen ${number} --repo ${repo}`
        : 'Open a new one for what is to follow.',
  })
}
