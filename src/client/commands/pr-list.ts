import type { PullRequest, PullRequestState } from '#domain/pull-request'
import type { CommandContext, ExitCode } from '../context.ts'
import { usageError } from '../errors.ts'
import { viewPullRequest, type PullRequestView } from '../pull-request-view.ts'
import { printPullRequests } from '../render.ts'
import { selectRepository } from '../select.ts'
import { withInstallation, withServerIfAny } from '../session.ts'

export type PullRequestList = {
  state: PullRequestState | 'all'
  label?: string[]
  author?: string
  head?: string
  base?: string
  limit?: string
}

export async function run(context: CommandContext, input: PullRequestList): Promise<ExitCode> {
  const limit = input.limit === undefined ? Infinity : wholeNumber(input.limit, '--limit')
  return await withInstallation(context, async (installation) => {
    const repo = await selectRepository(context, installation)
    return await withServerIfAny(context, installation, async (connected) => {
      const views: PullRequestView[] = []
      const listed = await installation.forge.listPullRequests(repo, { state: input.state })
      for (const pullRequest of listed.filter((each) => matches(each, input)).slice(-limit)) {
        views.push(await viewPullRequest(installation, connected, pullRequest))
      }
      printPullRequests(context.output, views)
      context.output.document(views)
      return 0
    })
  })
}

/** All that is asked for must be so. */
function matches({ labels, author, head, base }: PullRequest, asked: PullRequestList): boolean {
  if (asked.label?.some((label) => !labels.includes(label))) return false
  if (asked.author !== undefined && asked.author.toLowerCase() !== author.toLowerCase()) return false
  return (asked.head ?? head.ref) === head.ref && (asked.base ?? base.ref) === base.ref
}

function wholeNumber(text: string, flag: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text)
  throw usageError(`${flag} takes a number, not "${text}".`, 'For example 30.')
}
