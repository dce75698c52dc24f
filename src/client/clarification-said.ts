import { refusalOfEnded, type ClarificationOutcome } from '#domain/clarification/state'
import type { Instant } from '#domain/pull-request'
import { missingFor, type InboxRow } from './clarifications.ts'
import { CliError } from './errors.ts'
import { refusalError } from './clarification-update.ts'

/** `answer --json`: `ask --json` of the question as it is now, and what is missing of `needed`. */
export type Said = {
  id: string
  state: InboxRow['state']
  value: string | null
  by: string[]
  at: Instant | null
  needed: number
  missing: number
  answered: InboxRow['answered']
}

/** What settles a question is its last answer. */
export function said(row: InboxRow, given?: string): Said {
  const { id, state, needed, answered } = row
  const last = state === 'answered' ? answered.at(-1) : undefined
  const by = last === undefined ? [] : answered.filter(({ value }) => value === last.value).map((one) => one.by)
  const missing = state === 'answered' ? 0 : fewestMissing(row, given)
  return { id, state, value: last?.value ?? null, by, at: last?.at ?? null, needed, missing, answered }
}

export function tooLate({ id, title }: InboxRow, outcome: ClarificationOutcome): CliError {
  const { state, value, by, at, comment } = outcome
  const error = refusalError(refusalOfEnded(outcome))
  return new CliError(1, error.code, error.message, {
    details: { id, title, state, value, by, at, comment },
    hint: 'See `switchyard inbox` for what waits now.',
  })
}

function fewestMissing(row: InboxRow, given: string | undefined): number {
  const values = given === undefined ? row.answered.map(({ value }) => value) : [given]
  return Math.min(row.needed, ...values.map((value) => missingFor(row, value)))
}
