import { after } from '../instant.ts'
import type { Instant } from '../pull-request.ts'
import { isSettled, settledBy, type ClarificationState } from './state.ts'

/** What happens next to a question that nobody answers. */
export type Rung = { at: Instant; action: 'remind' | 'escalate' | 'expire' }

/** null: it waits for nothing but an answer, or for nothing at all. */
export function nextRung(state: ClarificationState): Rung | null {
  if (isSettled(state)) return null
  const rungs = [escalation(state), expiry(state), reminder(state)].filter((rung) => rung !== null)
  const [first] = rungs.sort((one, other) => Date.parse(one.at) - Date.parse(other.at))
  return first ?? null
}

/** null: it never expires. */
export function expiryOf({ question, askedAt }: Pick<ClarificationState, 'question' | 'askedAt'>): Instant | null {
  const { expiresAfter } = question.ladder
  return expiresAfter === null ? null : after(askedAt, expiresAfter)
}

/** The state after a rung. What is said to people is an effect of its own. */
export function climbed(state: ClarificationState, { action }: Rung, now: Instant): ClarificationState {
  switch (action) {
    case 'remind':
      return { ...state, reminders: state.reminders + 1, lastReminderAt: now, remindAt: null }
    case 'escalate':
      return { ...state, escalations: state.escalations + 1, lastReminderAt: now, remindAt: null }
    case 'expire':
      return expired(state, now)
  }
}

/** A reminder that is not given, for people are still being told: the next comes in its turn. */
export function skipped(state: ClarificationState, now: Instant): ClarificationState {
  return { ...state, lastReminderAt: now, remindAt: null }
}

/** A reminder that found nobody at work is given when somebody is. */
export function postponed(state: ClarificationState, until: Instant): ClarificationState {
  return { ...state, remindAt: until }
}

function expired(state: ClarificationState, now: Instant): ClarificationState {
  const { default: standard, ladder } = state.question
  switch (ladder.atExpiry) {
    case 'default':
      return settledBy(state, { state: 'defaulted', value: standard, comment: '' }, now)
    case 'fail':
      return settledBy(state, { state: 'expired', value: null, comment: '' }, now)
    case 'park':
      return { ...settledBy(state, { state: 'parked', value: null, comment: '' }, now), lastReminderAt: now }
  }
}

/** Of the same moment the escalation is first, and a reminder last. A parked question has expired already. */
function expiry(state: ClarificationState): Rung | null {
  const at = state.outcome === null ? expiryOf(state) : null
  return at === null ? null : { at, action: 'expire' }
}

/** Goes on while it is parked: it may be answered. */
function escalation({ question, askedAt, escalations }: ClarificationState): Rung | null {
  const { escalateAfter, escalateTo } = question.ladder
  if (escalations >= escalateTo.length) return null
  return { at: after(askedAt, escalateAfter * (escalations + 1)), action: 'escalate' }
}

function reminder(state: ClarificationState): Rung | null {
  const { question, askedAt, lastReminderAt, remindAt } = state
  const { remindAfter, remindEvery } = question.ladder
  if (remindAt !== null) return { at: remindAt, action: 'remind' }
  if (lastReminderAt === null)
    return remindAfter === null ? null : { at: after(askedAt, remindAfter), action: 'remind' }
  return remindEvery === null ? null : { at: after(lastReminderAt, remindEvery), action: 'remind' }
}
