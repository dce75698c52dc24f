import { identityOf, type KnownPerson } from '#domain/people'
import type { PullRequest } from '#domain/pull-request'
import { verdicts } from '#domain/reviews'
import type { CommandContext, ExitCode } from '../context.ts'
import { CliError, usageError } from '../errors.ts'
import { requireHead, requireOpen, showPullRequest, withPullRequest } from '../pull-request.ts'
import { newestSnapshot } from '../pull-request-command.ts'
import { selectActor } from '../select.ts'
import { tellPipeline, withServerIfAny } from '../session.ts'

export type PullRequestVerdict = {
  pullRequest: string
  /** `dismissed`: takes back a request for changes. */
  state: 'approved' | 'changes-requested' | 'dismissed'
  body?: string
  as?: string
  /** The head that was looked at, when it is given. */
  head?: string
}

/** `pr approve`, `pr request-changes` and its `--undo`: a review of the head as it is now. */
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
    const { people } = installation.config
    if (state === 'approved' && identityOf(author, people) === identityOf(pullRequest.author, people)) {
      throw new CliError(1, 'own-pull-request', `${author} is the author of ${repo}#${number} and can't approve it.`, {
        hint: 'Ask somebody else, or act as somebody else with --as.',
      })
    }
    if (state === 'dismissed') requireBlocking(pullRequest, author, people)
    const seen = await newestSnapshot(installation, pullRequest)
    await installation.forge.submitReview(repo, number, { author, state, head: head.sha, body }, seen)
    await tellPipeline(context, installation, pullRequest, 'review')
    const act = { done: DONE[state], actedOn: head.sha }
    await withServerIfAny(context, installation, (connected) =>
      showPullRequest(context, installation, connected, pullRequest, act),
    )
    return 0
  })
}

const DONE: Record<PullRequestVerdict['state'], string> = {
  approved: 'Approved',
  'changes-requested': 'Asked for changes of',
  dismissed: 'Took back the request for changes of',
}

function requireBlocking({ repo, number, reviews, head, author }: PullRequest, actor: string, people: KnownPerson[]) {
  const { changesRequestedBy } = verdicts(reviews, head.sha, author, people)
  if (changesRequestedBy.some((who) => identityOf(who, people) === identityOf(actor, people))) return
  const others = changesRequestedBy.length === 0 ? 'nobody does' : `${changesRequestedBy.join(', ')} did`
  throw new CliError(1, 'nothing-to-undo', `${actor} does not ask for changes of ${repo}#${number}; ${others}.`, {
    details: { repo, number, changesRequestedBy },
    hint: 'Only who asked for changes can take that back; --as says who acts.',
  })
}
