import { createHash } from 'node:crypto'
import {
  beginningOf,
  completeQuestion,
  limits,
  problemOfQuestion,
  type Asked,
  type AtExpiry,
  type Question,
} from '#domain/clarification/question'
import { maskedText } from '#domain/mask'
import { usageError } from './errors.ts'
import { durationFlag } from './select.ts'

export type QuestionFlags = {
  title: string
  options?: string[]
  option?: string[]
  who?: string[]
  needed?: string
  default?: string
  expires?: string
  remindAfter?: string
  escalateAfter?: string
  escalateTo?: string[]
  atExpiry?: AtExpiry
  kind: 'question' | 'approval'
  urgent?: boolean
  remember?: 'repository' | 'installation'
}

/** `whole`: a context that is too long for the question, which the ledger is to keep under its SHA-256. */
export type Prepared = { question: Question; whole: { digest: string; text: string } | null }

/** The question of a command line: plain, without secrets, complete. Throws what is wrong with which flag. */
export function prepareQuestion(flags: QuestionFlags, about: { repo: string | null; context: string }): Prepared {
  const text = maskedText(about.context, { multiline: true })
  if (Buffer.byteLength(text) > limits.wholeContext) {
    throw usageError(`--context is longer than ${limits.wholeContext} bytes.`, 'Give its address instead.')
  }
  const digest = createHash('sha256').update(text).digest('hex')
  const isLong = Buffer.byteLength(text) > limits.text
  const asked: Asked = {
    ...{ kind: flags.kind, title: maskedText(flags.title).trim(), repo: about.repo, options: optionsOf(flags) },
    ...{ context: isLong ? beginningOf(text) : text, urgent: flags.urgent === true, who: flags.who ?? [] },
    ...(flags.default === undefined ? {} : { default: maskedText(flags.default) }),
    ...(flags.needed === undefined ? {} : { needed: Number(flags.needed) }),
    ...(flags.remember === undefined
      ? {}
      : { remember: { scope: flags.remember, context: text === '' ? '' : digest } }),
    ladder: ladderOf(flags),
  }
  if (flags.escalateAfter !== undefined && flags.escalateTo === undefined)
    throw usageError('--escalate-after says when, and nothing says to whom.', 'Add --escalate-to <names>.')
  const question = { ...completeQuestion(asked), contextDigest: isLong ? digest : null }
  const problem = problemOfQuestion(question)
  if (problem !== null) throw usageError(`${problem.replaceAll(/`(\w+)`/g, flagOf)}.`, 'See `switchyard ask --help`.')
  return { question, whole: isLong ? { digest, text } : null }
}

/** `a`, or `a=What it means`. */
function optionsOf({ options = [], option = [] }: QuestionFlags): Question['options'] {
  const named = option.map((text) => {
    const [value = '', ...label] = text.split('=')
    return { value, label: label.join('=') || value }
  })
  const all = [...options.map((value) => ({ value, label: value })), ...named]
  return all.map(({ value, label }) => ({ value: maskedText(value).trim(), label: maskedText(label).trim() }))
}

/** A default that nobody is to take would be none. */
function ladderOf(flags: QuestionFlags): Partial<Question['ladder']> {
  const { expires, remindAfter, escalateAfter, escalateTo, atExpiry, default: standard } = flags
  const end = atExpiry ?? (standard === undefined ? undefined : 'default')
  return {
    ...(expires === undefined ? {} : { expiresAfter: durationFlag(expires, '--expires') }),
    ...(remindAfter === undefined ? {} : { remindAfter: durationFlag(remindAfter, '--remind-after') }),
    ...(escalateAfter === undefined ? {} : { escalateAfter: durationFlag(escalateAfter, '--escalate-after') }),
    ...(escalateTo === undefined ? {} : { escalateTo: stepsOf(escalateTo) }),
    ...(end === undefined ? {} : { atExpiry: end }),
  }
}

const MAX_STEPS = 10

/** One after the other, each a step. */
function stepsOf(names: string[]): string[][] {
  if (names.length === 0) throw usageError('--escalate-to names nobody.', 'Give people or groups, with commas.')
  if (names.length > MAX_STEPS) throw usageError(`--escalate-to has more than ${MAX_STEPS} names.`)
  return names.map((name) => [name])
}

const FLAGS: Record<string, string> = {
  ...{ title: 'The title', options: '--options', default: '--default', needed: '--needed', who: '--who' },
  ...{ atExpiry: '--at-expiry', expiresAfter: '--expires' },
  ...{ remindAfter: '--remind-after', escalateAfter: '--escalate-after' },
}

function flagOf(_: string, field: string): string {
  return FLAGS[field] ?? field
}
