import type { PullRequestChanges } from '#activities/forge/port'
import type { PullRequest } from '#domain/pull-request'
import type { CommandContext, ExitCode } from '../context.ts'
import { usageError } from '../errors.ts'
import { showPullRequest, withPullRequest } from '../pull-request.ts'
import { bodyText, type BodyFlags } from '../pull-request-body.ts'
import { selectActor } from '../select.ts'
import { tellPipeline, withServerIfAny } from '../session.ts'

export type PullRequestEdit = BodyFlags & {
  pullRequest: string
  title?: string
  base?: string
  addLabel?: string[]
  removeLabel?: string[]
  as?: string
}

/** Changes its texts, labels or base. What is so already is success. */
export async function run(context: CommandContext, input: PullRequestEdit): Promise<ExitCode> {
  const body = await bodyText(context, input)
  return await withPullRequest(context, input.pullRequest, async (installation, pullRequest) => {
    const changes = changesOf(pullRequest, input, body)
    if (Object.keys(changes).length === 0) {
      throw usageError(
        'What is to be changed?',
        'Say it with --title, --body, --body-file, --add-label, --remove-label or --base.',
      )
    }
    const actor = await selectActor(context, input.as)
    const { repo, number } = pullRequest
    const changed = await installation.forge.updatePullRequest(repo, number, changes, actor)
    await tellPipeline(context, installation, changed, 'edit')
    await withServerIfAny(context, installation, (connected) =>
      showPullRequest(context, installation, connected, pullRequest),
    )
    return 0
  })
}

function changesOf(
  { labels }: PullRequest,
  { title, base, addLabel, removeLabel }: PullRequestEdit,
  body: string | undefined,
): PullRequestChanges {
  const removed = new Set(removeLabel)
  const wanted = [...new Set([...labels, ...(addLabel ?? [])])].filter((label) => !removed.has(label))
  return {
    ...(title === undefined ? {} : { title: title.trim() }),
    ...(body === undefined ? {} : { body }),
    ...(base === undefined ? {} : { base }),
    ...(addLabel === undefined && removeLabel === undefined ? {} : { labels: wanted }),
  }
}
