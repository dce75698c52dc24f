import type { Comment } from '#activities/forge/port'
import type { PullRequest, Sha } from '#domain/pull-request'
import type { Connected, Installation } from '#installation/installation'
import type { CommandContext, ExitCode } from './context.ts'
import { CliError, usageError } from './errors.ts'
import { shortSha } from './output.ts'
import { printComments } from './pull-request-comments.ts'
import { viewPullRequest, type PullRequestView } from './pull-request-view.ts'
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

/** Prints the PR as it is on the forge now; its head may have moved on from the one that was `actedOn`. */
export async function showPullRequest(
  context: CommandContext,
  installation: Installation,
  connected: Connected | null,
  { repo, number }: Pick<PullRequest, 'repo' | 'number'>,
  also: { done?: string | ((view: PullRequestView) => string); actedOn?: Sha; comments?: Comment[] } = {},
): Promise<void> {
  const view = await viewPullRequest(installation, connected, await getPullRequest(installation, repo, number))
  if (connected === null) noteNoServer(context, view)
  const { done, actedOn, comments } = also
  if (typeof done === 'function') context.output.line(done(view))
  else if (done && actedOn) context.output.line(`${done} ${repo}#${number} at ${shortSha(actedOn)}.`)
  printPullRequest(context.output, view, context.now())
  if (comments) printComments(context.output, comments)
  context.output.document({ ...view, ...(actedOn ? { actedOn } : {}), ...(comments ? { comments } : {}) })
}

/** Without a server there is no pipeline to ask: what the ledger and the forge say may be old. */
export function noteNoServer(
  { output }: CommandContext,
  { state, decision, waiting }: Pick<PullRequestView, 'state' | 'decision' | 'waiting'>,
): void {
  if (state !== 'open') return
  const known = decision === null ? 'nothing is decided about it yet' : `what it waits for is as of ${waiting?.since}`
  output.note({ text: `No server is running: ${known}.`, style: 'yellow' })
}

const HEAD = /^[0-9a-f]{7,40}$/i

/** `--head`: the commit that the person looked at, or its first digits; refused where the head is another one now. */
export function requireHead({ repo, number, head }: PullRequest, wanted: string | undefined): void {
  if (wanted === undefined || (HEAD.test(wanted) && head.sha.startsWith(wanted.toLowerCase()))) return
  if (!HEAD.test(wanted)) throw usageError(`"${wanted}" is no commit.`, '--head takes at least 7 digits of its SHA.')
  throw new CliError(1, 'head-moved', `The head of ${repo}#${number} is ${head.sha}, not ${wanted}.`, {
    details: { repo, number, expected: wanted, actual: head.sha },
    hint: `Look at it again: switchyard pr diff ${number} --repo ${repo}`,
  })
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
