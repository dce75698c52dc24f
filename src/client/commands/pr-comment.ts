import type { CommandContext, ExitCode } from '../context.ts'
import { usageError } from '../errors.ts'
import { withPullRequest } from '../pull-request.ts'
import { selectActor } from '../select.ts'
import { tellPipeline } from '../session.ts'

export type PullRequestComment = { pullRequest: string; body?: string; as?: string }

/** Writes a comment, or lists them when there is nothing to write. */
export async function run(
  context: CommandContext,
  { pullRequest: text, body, as }: PullRequestComment,
): Promise<ExitCode> {
  if (body !== undefined && body.trim() === '') throw usageError('The comment is empty.', 'Give its text with --body.')
  return await withPullRequest(context, text, async (installation, pullRequest) => {
    const { repo, number } = pullRequest
    if (body === undefined) {
      const comments = await installation.forge.listComments(repo, number)
      for (const comment of comments) {
        context.output.line({ text: `${comment.author}  ${comment.updatedAt}`, style: 'bold' })
        context.output.block(comment.body)
      }
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
