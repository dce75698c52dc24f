import type { AnswerOption, ClarificationKind } from '#domain/clarification/question'
import type { NotifyTarget } from '#domain/contact'
import type { Instant } from '#domain/pull-request'

export type { NotifyTarget } from '#domain/contact'

/** What a person is told of a clarification. Every text is plain or Markdown of ours, masked, of at most 4 KB. */
export type Notification = {
  /**
   * The same delivery, tried again, has the same id: a receiver may drop the second. One that no header could take is
   * sent as its digest.
   */
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
