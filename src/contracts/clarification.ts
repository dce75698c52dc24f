import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow'
import type { Question } from '#domain/clarification/question'
import type { Answer, Channel, ClarificationOutcome, ClarificationState, Remark } from '#domain/clarification/state'
import type { ClarificationView } from '#domain/clarification/view'
import type { KnownPerson } from '#domain/people'
import type { Timings } from './timings.ts'

/** Type name of the workflow; id `ask:<digest of asker and key>`. Runs on role `decision`. */
export const clarificationType = 'clarification'

export type ClarificationInput = {
  /** The workflow that hears the answer by the signal `answered`; null: a script that asks for itself. */
  asker: { workflowId: string } | null
  /** One asker's name for the question: asked twice with the same key, it is one. */
  key: string
  question: Question
  people: KnownPerson[]
  timings: Timings
  /** What a run hands to its successor through continue-as-new. */
  carried?: { state: ClarificationState; told: ClarificationOutcome['state'] | null }
}

/** What the asker hears. Sent again where it is not known that it came; `id` and `key` tell which question it ends. */
export type AnsweredWord = { id: string; key: string; outcome: ClarificationOutcome }

/** To the asker. A parked question sends a second one when it is answered after all. */
export const answered = defineSignal<[AnsweredWord]>('answered')

/** All that was said so far to a question that is not settled: what one word lost, the next one brings. */
export type ProgressWord = { id: string; key: string; answers: Answer[]; remarks: Remark[] }

/** To the asker, with each answer that is not the last, and with each comment. */
export const progress = defineSignal<[ProgressWord]>('progress')

/**
 * `temporal workflow signal --name reply --input '{"by":"ann","value":"yes"}'`, and the Web UI. Nobody waits for what
 * becomes of it: a reply that does not count is logged, shown on the run's page, and changes nothing.
 */
export const reply = defineSignal<[{ by: string; value: string; comment?: string; through?: Channel }]>('reply')

/**
 * Answers at once whether it counts. Refused with an `ApplicationFailure` of the type `UnknownOption`, `NotAllowed`,
 * `AlreadyAnswered` (by this person otherwise, or by others for good), `Expired`, `Superseded`, `TooLong`, `NoReason` or
 * `Invalid`; the same answer by the same person again is none.
 */
export const answer = defineUpdate<
  ClarificationView,
  [{ by: string; value: string; comment?: string; through?: Channel }]
>('answer')

/** Kept as the conversation. Refused with `TooLong`, `Invalid`, or as an answer of the moment would be. */
export const comment = defineUpdate<ClarificationView, [{ by: string; text: string }]>('comment')

/** Lets another one answer as well. Refused with `NotAllowed` or `Invalid`. */
export const delegate = defineUpdate<ClarificationView, [{ by: string; to: string }]>('delegate')

/** From the asker: it does not want to know any more. Answers after it are refused as `Superseded`. */
export const cancel = defineSignal<[{ reason: string }]>('cancel')

/** All there is to show. */
export type ClarificationStatus = ClarificationView & {
  asker: string | null
  key: string
  context: string
  contextDigest: string | null
  answers: Answer[]
  remarks: ClarificationState['remarks']
  delegations: ClarificationState['delegations']
  outcome: ClarificationOutcome | null
}

export const clarificationStatus = defineQuery<ClarificationStatus>('status')

/** Key of the memo in which visibility keeps a `ClarificationView`, for lists that ask no worker. */
export const viewMemo = 'clarification'
/** Key of the memo with the context, at most 4 KB. */
export const contextMemo = 'context'
/** Key of the memo with the `ClarificationOutcome`, once there is one: to hear it again, no worker is asked. */
export const outcomeMemo = 'outcome'
/** Key of the memo with the id of the asker, or null. */
export const askerMemo = 'asker'
