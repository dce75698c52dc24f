import type { Comment, Reaction } from '#activities/forge/port'
import { shownMarkdown } from './markdown.ts'
import type { Output } from './output.ts'

const signs: Record<Reaction, string> = { '+1': '👍', '-1': '👎', eyes: '👀' }

/** Each with how Switchyard answered it. */
export function printComments(output: Output, comments: Comment[]): void {
  for (const { author, updatedAt, reactions, body } of comments) {
    const answer = reactions.map((reaction) => `  ${signs[reaction]}`).join('')
    output.line({ text: `${author}  ${updatedAt}`, style: 'bold' }, answer)
    output.block(shownMarkdown(body))
  }
}
