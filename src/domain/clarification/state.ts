import { identityOf, isAnyOf, type KnownPerson } from '../people.ts'
import type { Instant } from '../pull-request.ts'
import { plainText } from '../text.ts'
import { limits, type Question } from './question.ts'

/** Through what somebody spoke: `cli`, `signal` (the Temporal CLI or Web UI), `inbox`, `comment`. */
export type Channel = 'cli' | 'signal' | 'inbox' | 'comment'

/** What somebody said. `at`: when the clarification heard it. */
export type Answer = { by: string; value: string; comment: string; through: Channel; at: Instant }

export type Remark = { by: string; text: string; at: Instant }

export type Delegation = { by: string; to: string; at: Instant }

/**
 * `parked` is no end: an answer may still come. `expired`: nobody answered, and its asker must take that as a no.
 * `cancelled`: its asker does not want to know any more.
 */
export type OutcomeState = 'answered' | 'defaulted' | 'expired' | 'parked' | 'cancelled'

/** What an asker gets. `answers`: all that were given, of which those with `value` settled it. */
export type ClarificationOutcome = {
  state: OutcomeState
  value: string | null
  by: string[]
  at: Instant
  /** Of whoever settled it; or why it was cancelled. */
  comment: string
  answers: Answer[]
  /** The clarification whose answer was used again, where this one was never asked. */
  remembered?: string
}

/** Small facts that a clarification carries through continue-as-new. */
export type ClarificationState = {
  question: Question
  /** Those of the installation who matter here, as they were when it last looked. */
  people: KnownPerson[]
  askedAt: Instant
  answers: Answer[]
  remarks: Remark[]
  delegations: Delegation[]
  /** How many steps of `escalateTo` were taken. */
  escalations: number
  reminders: number
  lastReminderAt: Instant | null
  /** A reminder was due outside of working hours, and waits for them. */
  remindAt: Instant | null
  outcome: ClarificationOutcome | null
}

export const MAX_REMARKS = 50

export function opened(question: Question, people: KnownPerson[], now: Instant): ClarificationState {
  return {
    ...{ question, people, askedAt: now, answers: [], remarks: [], delegations: [] },
    ...{ escalations: 0, reminders: 0, lastReminderAt: null, remindAt: null, outcome: null },
  }
}

export type RefusalType =
  'UnknownOption' | 'NotAllowed' | 'AlreadyAnswered' | 'Expired' | 'Superseded' | 'TooLong' | 'NoReason' | 'Invalid'

/** Why a reply counts for nothing. */
export type Refusal = { type: RefusalType; message: string }

export type Reply = { by: string; value: string; comment: string }

/** null: it may be given. The same answer by the same person again may, and changes nothing. */
export function refusalOf(state: ClarificationState, { by, value, comment }: Reply): Refusal | null {
  const { question, outcome } = state
  if (by.length > limits.name) return refusal('TooLong', `A name has at most ${limits.name} characters.`)
  if ([value, comment].some((text) => bytesOf(text) > limits.text))
    return refusal('TooLong', `An answer has at most ${limits.text} bytes.`)
  if (by.trim() === '' || plainText(by) !== by) return refusal('Invalid', 'It does not say who answers.')
  if (isSaid(state, { by, value })) return null
  if (outcome !== null && outcome.state !== 'parked') return refusalOfEnded(outcome)
  const forbidden = notAllowed(state, by)
  if (forbidden !== null) return forbidden
  const given = answerOf(state, by)
  if (given) return refusal('AlreadyAnswered', `${plainText(by)} answered ${shown(given.value)} already.`)
  const { options } = question
  if (options.length > 0 && !options.some((option) => option.value === value)) {
    return refusal(
      'UnknownOption',
      `${shown(value)} is not among the options: ${options.map((o) => o.value).join(', ')}.`,
    )
  }
  if (value.trim() === '' || plainText(value, { multiline: true }) !== value) {
    return refusal('Invalid', 'The answer is empty, or has characters that are not shown.')
  }
  if (isFull(state)) return refusal('TooLong', 'Too much was said about it already.')
  if (question.reason && comment.trim() === '') return refusal('NoReason', 'It wants a reason, as the comment.')
  return null
}

/** The answer counts; the question is settled once so many say the same. Only after `refusalOf` said null. */
export function answered(state: ClarificationState, answer: Answer): ClarificationState {
  if (isSaid(state, answer)) return state
  const answers = [...state.answers, { ...answer, comment: plainText(answer.comment, { multiline: true }) }]
  const { needed, vetoes } = state.question
  const agreeing = answers.filter(({ value }) => value === answer.value)
  const settles = vetoes.includes(answer.value) || agreeing.length >= needed
  if (!settles) return { ...state, answers }
  const { value, comment, at } = answers.at(-1)!
  const by = agreeing.map((each) => each.by)
  return { ...state, answers, outcome: { state: 'answered', value, by, at, comment, answers } }
}

export function refusalOfRemark(state: ClarificationState, { by, text }: Omit<Remark, 'at'>): Refusal | null {
  if (by.length > limits.name || bytesOf(text) > limits.text)
    return refusal('TooLong', `A comment has at most ${limits.text} bytes.`)
  if (by.trim() === '' || text.trim() === '') return refusal('Invalid', 'It says nothing, or not who says it.')
  if (state.outcome !== null && state.outcome.state !== 'parked') return refusalOfEnded(state.outcome)
  return state.remarks.length >= MAX_REMARKS || isFull(state)
    ? refusal('TooLong', `It has ${MAX_REMARKS} comments already.`)
    : null
}

export function remarked(state: ClarificationState, { by, text, at }: Remark): ClarificationState {
  const remark = { by: plainText(by), text: plainText(text, { multiline: true }), at }
  return { ...state, remarks: [...state.remarks, remark] }
}

/** Who may answer may let another one answer instead. */
export function refusalOfDelegation(state: ClarificationState, { by, to }: Omit<Delegation, 'at'>): Refusal | null {
  if (bytesOf(to) > limits.value || to.trim() === '' || plainText(to) !== to) {
    return refusal('Invalid', 'It does not say to whom.')
  }
  if (state.outcome !== null && state.outcome.state !== 'parked') return refusalOfEnded(state.outcome)
  const forbidden = notAllowed(state, by)
  if (forbidden !== null) return forbidden
  if (isAnyOf(state.question.not, to, state.people)) return refusal('NotAllowed', `${to} may not answer this.`)
  const { onlyWho, who } = state.question
  if (onlyWho && who.length > 0 && !isAnyOf(who, to, state.people)) {
    return refusal('NotAllowed', `${to} may not answer this: it is for ${who.join(', ')} alone.`)
  }
  return state.delegations.length >= limits.who ? refusal('TooLong', 'It was delegated too often.') : null
}

export function delegated(state: ClarificationState, delegation: Delegation): ClarificationState {
  if (askedOf(state).includes(delegation.to)) return state
  return { ...state, delegations: [...state.delegations, delegation] }
}

/** The names of those who may answer now; none: anybody may. */
export function answerersOf(state: ClarificationState): string[] {
  return state.question.onlyWho ? state.question.who : askedOf(state)
}

/** The names of those whom it is put to now; none: anybody. */
export function askedOf({ question, escalations, delegations }: ClarificationState): string[] {
  if (question.who.length === 0) return []
  const steps = question.ladder.escalateTo.slice(0, escalations).flat()
  return [...new Set([...question.who, ...steps, ...delegations.map(({ to }) => to)])]
}

export function settledBy(
  state: ClarificationState,
  how: Pick<ClarificationOutcome, 'state' | 'value' | 'comment'>,
  at: Instant,
): ClarificationState {
  return { ...state, outcome: { ...how, by: [], at, answers: state.answers } }
}

/** Whether it waits for nobody any more. */
export function isSettled({ outcome }: ClarificationState): boolean {
  return outcome !== null && outcome.state !== 'parked'
}

function isSaid(state: ClarificationState, { by, value }: { by: string; value: string }): boolean {
  return answerOf(state, by)?.value === value
}

function answerOf({ answers, people }: ClarificationState, by: string): Answer | undefined {
  const identity = identityOf(by, people)
  return answers.find((answer) => identityOf(answer.by, people) === identity)
}

function notAllowed(state: ClarificationState, by: string): Refusal | null {
  const { question, people } = state
  if (question.not.length > 0 && isAnyOf(question.not, by, people)) {
    return refusal('NotAllowed', `${plainText(by)} may not answer this: it is about what is theirs.`)
  }
  const answerers = answerersOf(state)
  if (answerers.length === 0 || isAnyOf(answerers, by, people)) return null
  const comment = isAnyOf(askedOf(state), by, people) ? ' A comment is welcome.' : ''
  return refusal('NotAllowed', `${plainText(by)} is not among those who may answer: ${answerers.join(', ')}.${comment}`)
}

/** Why it is too late; of an outcome that is no parking. */
export function refusalOfEnded({ state, value, by, at, comment }: ClarificationOutcome): Refusal {
  switch (state) {
    case 'answered':
      return refusal('AlreadyAnswered', `${by.join(', ')} answered ${shown(value ?? '')} at ${at}.`)
    case 'cancelled':
      return refusal('Superseded', `It was taken back at ${at}: ${comment || 'its asker went on'}.`)
    default:
      return refusal(
        'Expired',
        `Nobody answered in time; it ended at ${at}${value === null ? '' : ` with ${shown(value)}`}.`,
      )
  }
}

/** What is carried of a question stays small, whoever says how much. */
function isFull({ answers, remarks }: ClarificationState): boolean {
  return bytesOf(JSON.stringify([answers, remarks])) > limits.said
}

function refusal(type: RefusalType, message: string): Refusal {
  return { type, message }
}

function shown(value: string): string {
  return JSON.stringify(plainText(value).slice(0, limits.value))
}

/** Of UTF-8, at most; the workflow's sandbox has no Buffer. */
function bytesOf(text: string): number {
  if (text.length > limits.wholeContext) return text.length
  return new TextEncoder().encode(text).length
}
