import { plainText } from '../text.ts'
import type { Milliseconds } from '../policy.ts'

export type ClarificationKind = 'question' | 'approval' | 'hold' | 'escalation'

/** What stands still when nobody answered in time: `park` keeps it open, and its asker may go on without. */
export type AtExpiry = 'default' | 'fail' | 'park'

export type AnswerOption = { value: string; label: string }

/** When a question that nobody answers makes itself heard. Counted from when it was asked, in milliseconds. */
export type Ladder = {
  /** The first reminder; null: none. */
  remindAfter: Milliseconds | null
  /** Between later reminders, those of a parked question too; null: one only. */
  remindEvery: Milliseconds | null
  /** Between two steps of `escalateTo`. */
  escalateAfter: Milliseconds
  /** People and groups who are asked as well, a step at a time. */
  escalateTo: string[][]
  /** null: it is reminded of until somebody answers. */
  expiresAfter: Milliseconds | null
  atExpiry: AtExpiry
}

/** What is asked, complete: `completeQuestion` fills in what an asker leaves out. */
export type Question = {
  kind: ClarificationKind
  /** One line, at most 200 characters. */
  title: string
  /** Markdown, at most 4 KB of UTF-8: the whole, or the beginning of what the ledger has under `contextDigest`. */
  context: string
  /** SHA-256 of the whole context, where it is longer. */
  contextDigest: string | null
  /** None: any text is an answer. */
  options: AnswerOption[]
  default: string | null
  /** Reminders do not wait for working hours. */
  urgent: boolean
  /** Names of people and groups; none: anybody. */
  who: string[]
  /** Whom it is escalated to sees it and may comment, but only `who` may answer, and delegate only among themselves. */
  onlyWho?: boolean
  /** So many of them must give the same answer. */
  needed: number
  /** Options that settle it when one person chooses them, however many are needed for the others. */
  vetoes: string[]
  /** Actors who may not answer, such as the author of what is approved. */
  not: string[]
  /** Whether an answer must say why. */
  reason: boolean
  ladder: Ladder
  /** The same question is not asked again where it was answered for the same context. */
  remember: { scope: 'repository' | 'installation'; context: string } | null
  repo: string | null
  number: number | null
}

/** What an asker says; the rest has defaults by kind. */
export type Asked = Pick<Question, 'kind' | 'title'> &
  Partial<Omit<Question, 'kind' | 'title' | 'ladder' | 'contextDigest'>> & { ladder?: Partial<Ladder> }

const MINUTE = 60_000
const DAY = 86_400_000
/** Nothing is asked for longer, and no instant is beyond what a date can tell. */
const LONGEST = 366 * DAY

const ladder = { remindAfter: 10 * MINUTE, remindEvery: DAY, escalateAfter: 30 * MINUTE, escalateTo: [] }

/** A question waits half an hour and is parked, an approval a week and fails; a hold waits, and says so each day. */
export const ladders: Record<ClarificationKind, Ladder> = {
  question: { ...ladder, expiresAfter: 30 * MINUTE, atExpiry: 'park' },
  approval: { ...ladder, expiresAfter: 7 * DAY, atExpiry: 'fail' },
  hold: { ...ladder, remindAfter: DAY, expiresAfter: null, atExpiry: 'park' },
  escalation: { ...ladder, expiresAfter: null, atExpiry: 'park' },
}

const approval = {
  options: [
    { value: 'approve', label: 'Approve' },
    { value: 'reject', label: 'Reject' },
  ],
  vetoes: ['reject'],
}

export function completeQuestion(asked: Asked): Question {
  const byKind = asked.kind === 'approval' && (asked.options ?? []).length === 0 ? approval : {}
  return {
    ...{ context: '', options: [], default: null, urgent: false, who: [], needed: 1, vetoes: [], not: [] },
    ...{ reason: false, remember: null, repo: null, number: null, contextDigest: null },
    ...asked,
    ...byKind,
    ladder: { ...ladders[asked.kind], ...asked.ladder },
  }
}

export const limits = {
  /** Characters. */
  title: 200,
  /** Bytes of UTF-8, also of an answer and of a comment. */
  text: 4_096,
  options: 20,
  /** Characters of a value, and of a label. */
  value: 100,
  who: 50,
  /** Characters of an actor's name. */
  name: 200,
  /** Bytes of all answers and comments of one question. */
  said: 131_072,
  /** Bytes of UTF-8 of a context that goes to the ledger. */
  wholeContext: 1_048_576,
}

/** Why it can't be asked, naming the field; null when it can. */
export function problemOfQuestion(question: Question): string | null {
  const { title, options, default: standard, needed, vetoes, who, ladder, not } = question
  if (title.trim() === '') return '`title` is empty'
  if ([...title].length > limits.title) return `\`title\` is longer than ${limits.title} characters`
  if (options.length > limits.options) return `\`options\` has more than ${limits.options}`
  const values = options.map(({ value }) => value)
  const bad = options.find(({ value, label }) => !isValue(value) || [...label].length > limits.value)
  if (bad) return `\`options\`: ${JSON.stringify(plainText(bad.value).slice(0, limits.value))} is no value`
  if (new Set(values).size < values.length) return '`options` has the same value twice'
  for (const [field, named] of [
    ['default', standard === null ? [] : [standard]],
    ['vetoes', vetoes],
  ] as const) {
    const unknown = named.find((value) => values.length > 0 && !values.includes(value))
    if (unknown !== undefined) return `\`${field}\`: ${JSON.stringify(plainText(unknown))} is not among the options`
  }
  if (!Number.isInteger(needed) || needed < 1 || needed > limits.who) return `\`needed\` is not 1 to ${limits.who}`
  if (who.length > limits.who || not.length > limits.who) return `\`who\` has more than ${limits.who} names`
  if (needed > 1 && options.length === 0) return '`needed` is more than 1, which wants `options` to agree on'
  if (question.remember?.scope === 'repository' && question.repo === null) return '`remember` names no repository'
  if (ladder.atExpiry === 'default' && standard === null) return '`atExpiry` is default, and there is no `default`'
  return problemOfLadder(ladder)
}

function problemOfLadder({ remindAfter, remindEvery, escalateAfter, expiresAfter }: Ladder): string | null {
  const times = { remindAfter, remindEvery, escalateAfter, expiresAfter }
  const bad = Object.entries(times).find(([, time]) => time !== null && !(time > 0 && time <= LONGEST))
  return bad ? `\`${bad[0]}\` is not a duration of at most 366 days` : null
}

/** One line of plain text that is neither empty nor too long. */
function isValue(value: string): boolean {
  return value.trim() !== '' && [...value].length <= limits.value && plainText(value) === value
}

const MORE = '\n…'

/** Of a context that is too long: as many whole characters as a question may carry, and a sign that there is more. */
export function beginningOf(text: string): string {
  const encoder = new TextEncoder()
  const left = encoder.encode(text).subarray(0, limits.text - encoder.encode(MORE).length)
  return `${new TextDecoder().decode(left, { stream: true })}${MORE}`
}
