import { z } from 'zod'
import { defaultPermissions, type CommandName } from '#domain/comment-command'

const who = (name: CommandName, does: string) =>
  z
    .array(z.string().regex(/\S/, { error: 'must be `author`, `people`, `anyone`, a person or a group', abort: true }))
    .default(defaultPermissions[name])
    .describe(`Who may ${does}: author, people (those of switchyard.yaml), anyone, a person's name or a group`)

/** `commands` of `.switchyard.yaml`: who may tell a pipeline what, in comments and on the command line. */
export const commands = z
  .strictObject({
    merge: who('merge', 'have a PR landed'),
    hold: who('hold', 'keep a PR from landing, and lift that'),
    retry: who('retry', 'run failed checks again, and enter the queue again'),
    review: who('review', 'run checks again'),
  })
  .describe('Who may say `/switchyard merge`, `hold`, `retry` and `review`')
