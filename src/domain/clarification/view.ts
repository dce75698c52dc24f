import type { Instant } from '../pull-request.ts'
import { expiryOf, nextRung, type Rung } from './ladder.ts'
import type { AnswerOption, ClarificationKind } from './question.ts'
import { askedOf, type ClarificationState, type OutcomeState } from './state.ts'

/** A row of `inbox --json`, without what only its id tells. */
export type ClarificationView = {
  kind: ClarificationKind
  title: string
  state: OutcomeState | 'open'
  options: AnswerOption[]
  default: string | null
  who: string[]
  /** Actors who may not answer, whoever they are. */
  not: string[]
  needed: number
  answered: { by: string; value: string; at: Instant }[]
  urgent: boolean
  /** SHA-256 of the whole context, where the ledger has more than is shown. */
  contextDigest: string | null
  repo: string | null
  number: number | null
  askedAt: Instant
  expiresAt: Instant | null
  next: Rung | null
}

export function viewOf(state: ClarificationState): ClarificationView {
  const { question, answers, outcome, askedAt } = state
  const { kind, title, options, contextDigest, default: standard, not, needed, urgent, repo, number } = question
  return {
    ...{ kind, title, options, contextDigest, default: standard, not, needed, urgent, repo, number, askedAt },
    state: outcome?.state ?? 'open',
    who: askedOf(state),
    answered: answers.map(({ by, value, at }) => ({ by, value, at })),
    expiresAt: expiryOf(state),
    next: nextRung(state),
  }
}
