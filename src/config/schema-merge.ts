import { z } from 'zod'
import { bodyPlaceholders, subjectPlaceholders } from '#domain/commit-message'
import { duration } from './units.ts'

const LONGEST_MARK = 200

const methods = ['merge', 'squash', 'rebase', 'fast-forward'] as const

const placeholders = [...subjectPlaceholders, ...bodyPlaceholders]
const named = (names: string[]) => names.map((name) => `{${name}}`).join(', ')

const message = z
  .string()
  .superRefine(checkTemplate)
  .default('{title} (#{number})')
  .describe(
    `The message of a merge or squash: its first line is the subject. Placeholders: ${named(subjectPlaceholders)}, ` +
      `below the subject ${named(bodyPlaceholders)}, too. Without {body} the PR's body follows`,
  )

const cutMark = z
  .string()
  .max(LONGEST_MARK)
  .regex(/^[^\S\n]*\S[^\n]*$/, { error: 'must be one line of text' })

/** `merge` of `.switchyard.yaml`. */
export const merge = z.strictObject({
  auto: z.boolean().default(true).describe('Land an approved PR without `pr merge`'),
  method: z
    .enum(methods, { error: 'must be merge, squash, rebase or fast-forward' })
    .default('squash')
    .describe('How the commits of a PR get onto its base'),
  message,
  cutMarks: z
    .array(cutMark)
    .max(20)
    .default(['<!-- switchyard: cut -->'])
    .describe("A line of a PR's body that equals one of them, and all below it, is left out of the message"),
  deleteBranch: z.boolean().default(true).describe('Delete the head branch after landing'),
  staleAfter: duration({ example: '30d' }).prefault('30d').describe('A rejected PR without news ends after this'),
})

function checkTemplate(template: string, context: z.RefinementCtx): void {
  const namesIn = (text: string) => [...text.matchAll(/\{([^{}]*)\}/g)].map((match) => match[1] ?? '')
  const names = namesIn(template)
  const subject = namesIn(template.trim().split('\n')[0] ?? '')
  const misplaced = subject.find((name) => bodyPlaceholders.includes(name))
  if (names.some((name) => !placeholders.includes(name))) {
    context.addIssue(`must name no other placeholders than ${named(placeholders)}`)
  } else if (names.length === 0) {
    context.addIssue(`must name at least one of the placeholders ${named(placeholders)}`)
  } else if (misplaced !== undefined) {
    context.addIssue(`must name {${misplaced}} below its first line, which is the subject`)
  }
}
