import type { CommandContext, ExitCode } from '../context.ts'
import { CliError, usageError } from '../errors.ts'
import { requireHead, requireOpen, showPullRequest, withPullRequest } from '../pull-request.ts'
import { selectActor } from '../select.ts'
import { tellPipeline, withServerIfAny } from '../session.ts'

export type PullRequestVerdict = {
  pullRequest: string
  state: 'approved' | 'changes-requested'
  body?: string
  as?: string
  /** The head that was looked at, when it is given. */
  head?: string
}

/** `pr approve` and `pr request-changes`: a review of the head as it is now. */
export async function run(context: CommandContext, input: PullRequestVerdict): Promise<ExitCode> {
  const { state, body = '' } = input
  if (state === 'changes-requested' && body.trim() === '') {
    throw usageError('What is to be changed?', 'Say it with --body "…": the author reads it.')
  }
  return await withPullRequest(context, input.pullRequest, async (installation, pullRequest) => {
    const { repo, number, head } = pullRequest
    requireOpen(pullRequest, 'reviewed')
    requireHead(pullRequest, input.head)
    const author = await selectActor(context, input.as)
    if (state === 'approved' && author === pullRequest.author) {
      throw new CliError(1, 'own-pull-request', `${author} is the author of ${repo}#${number} and can't approve it.`, {
        hint: 'Ask somebody else, or act as somebody else with --as.',
      })
    }
    await installation.forge.submitReview(repo, number, { author, state, head: head.sha, body })
    await tellPipeline(context, installation, pullRequest, 'review')
    const act = { done: state === 'approved' ? 'Approved' : 'Asked for changes of', actedOn: head.sha }
    await withServerIfAny(context, installation, (connected) =>
      showPullRequest(context, installation, connected, pullRequest, act),
    )
    return 0
  })
}
