import type { CommandContext, ExitCode } from '../context.ts'
import { usageError } from '../errors.ts'
import { withPullRequest } from '../pull-request.ts'
import { bodyText, type BodyFlags } from '../pull-request-body.ts'
import { printComments } from '../pull-request-comments.ts'
import { selectActor } from '../select.ts'
import { tellPipeline } from '../session.ts'

export type PullRequestComment = BodyFlags & { pullRequest: string; as?: string }

/** Writes a comment, or lists them when there is nothing to write. */
export async function run(
  context: CommandContext,
  { pullRequest: text, as, ...flags }: PullRequestComment,
): Promise<ExitCode> {
  const body = await bodyText(context, flags)
  if (body !== undefined && body.trim() === '') throw usageError('The comment is empty.', 'Give its text with --body.')
  return await withPullRequest(context, text, async (installation, pullRequest) => {
    const { repo, number } = pullRequest
    if (body === undefined) {
      const comments = await installation.forge.listComments(repo, number)
      printComments(context.output, comments)
      context.output.document(comments)
      return 0
    }
    const comment = await installation.forge.addComment(repo, number, await selectActor(context, as), body)
    await tellPipeline(context, installation, pullRequest, 'comment')
    context.output.line(`Commented on ${repo}#${number} as ${comment.author}.`)
    context.output.document(comment)
    return 0
  })
}
