import type { PullRequestChanges } from '#activities/forge/port'
import type { PullRequest } from '#domain/pull-request'
import type { CommandContext, ExitCode } from '../context.ts'
import { CliError } from '../errors.ts'
import { requireOpen, showPullRequest, withPullRequest } from '../pull-request.ts'
import { selectActor } from '../select.ts'
import { tellPipeline, withServerIfAny } from '../session.ts'

export type PullRequestStateChange = {
  pullRequest: string
  to: 'ready' | 'draft' | 'closed' | 'open'
  as?: string
  /** Written once it is so; not where it was so already. */
  comment?: string
}

/** `pr ready`, `pr close` and `pr reopen`. What is so already is success. */
export async function run(
  context: CommandContext,
  { pullRequest: text, to, as, comment }: PullRequestStateChange,
): Promise<ExitCode> {
  return await withPullRequest(context, text, async (installation, pullRequest) => {
    const changes = changesFor(pullRequest, to)
    const { repo, number } = pullRequest
    const actor = await selectActor(context, as)
    const changed =
      changes === null ? pullRequest : await installation.forge.updatePullRequest(repo, number, changes, actor)
    if (changes !== null && comment !== undefined) await installation.forge.addComment(repo, number, actor, comment)
    await tellPipeline(context, installation, changed, to)
    await withServerIfAny(context, installation, (connected) =>
      showPullRequest(context, installation, connected, pullRequest),
    )
    return 0
  })
}

function changesFor(pullRequest: PullRequest, to: PullRequestStateChange['to']): PullRequestChanges | null {
  const { repo, number, state, draft } = pullRequest
  if (state === 'merged') {
    throw new CliError(1, 'already-merged', `${repo}#${number} has landed: it can't be changed any more.`, {
      details: { repo, number },
      hint: 'Open a new pull request for what is to follow.',
    })
  }
  switch (to) {
    case 'ready':
    case 'draft': {
      requireOpen(pullRequest, to === 'ready' ? 'made ready' : 'made a draft')
      return draft === (to === 'draft') ? null : { draft: to === 'draft' }
    }
    default:
      return state === to ? null : { state: to }
  }
}
