import type { AnswerOption, ClarificationKind } from '#domain/clarification/question'
import type { Instant } from '#domain/pull-request'

/** What a person is told of a clarification. Every text is plain or Markdown of ours, masked, of at most 4 KB. */
export type Notification = {
  /** The same delivery, tried again, has the same id: a receiver may drop the second. */
  id: string
  event: 'asked' | 'reminder' | 'escalation' | 'parked'
  clarification: string
  kind: ClarificationKind
  to: string
  title: string
  context: string
  options: AnswerOption[]
  default: string | null
  urgent: boolean
  expiresAt: Instant | null
  /** For a shell. */
  command: string
  webUrl: string | null
}

/** Where a person wants to hear of it, from `people[].notify` of `switchyard.yaml`. */
export type NotifyTarget =
  | { via: 'slack'; url: string }
  | { via: 'webhook'; url: string; /** Name of the environment variable with the key of the signature. */ secret: string | null }
  | { via: 'command'; run: string }
  | { via: 'terminal' }

/**
 * Tells people. At least once: a delivery whose answer was lost is tried again under the same id. Rejects where the
 * target did not take it, by a network or a status of 5xx or 429 (`retryable`), or for good.
 */
export interface Notifier {
  send(target: NotifyTarget, notification: Notification, signal: AbortSignal): Promise<void>
}

export class NotifyError extends Error {
  readonly retryable: boolean
  constructor(message: string, retryable: boolean, cause?: unknown) {
    super(message, { cause })
    this.name = 'NotifyError'
    this.retryable = retryable
  }
}
