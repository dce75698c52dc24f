import type { Refusal, RefusalType } from '#domain/clarification/state'
import type { ClarificationView } from '#domain/clarification/view'
import type { Connected } from '#installation/installation'
import type { UpdateDefinition } from '@temporalio/common'
import { CliError } from './errors.ts'
import { isUnanswered } from './status.ts'

const UPDATE_DEADLINE_MS = 20_000

/**
 * Sends an update to a question. Throws what is to be shown; a question that ended before the update came throws the
 * code `ended`, of which only its outcome tells more.
 */
export async function tellClarification<Said>(
  connected: Connected,
  id: string,
  update: UpdateDefinition<ClarificationView, [Said]>,
  words: Said,
): Promise<Omit<ClarificationView, 'not'>> {
  const handle = connected.client.workflow.getHandle(id)
  try {
    const { not: _, ...view } = await connected.client.withDeadline(Date.now() + UPDATE_DEADLINE_MS, () =>
      handle.executeUpdate(update, { args: [words] }),
    )
    return view
  } catch (error) {
    throw shown(error, id)
  }
}

/** What the question's own rules refuse with. */
export function refusalError({ type, message }: Refusal): CliError {
  return new CliError(EXIT_CODES[type], CODES[type], message, { hint: HINTS[type] })
}

const CODES: Record<RefusalType, string> = {
  ...{ UnknownOption: 'unknown-option', NotAllowed: 'not-allowed', AlreadyAnswered: 'already-answered' },
  ...{ Expired: 'expired', Superseded: 'superseded', TooLong: 'too-long', NoReason: 'no-reason', Invalid: 'invalid' },
}

const EXIT_CODES: Record<RefusalType, 1 | 2> = {
  ...{ UnknownOption: 2, TooLong: 2, NoReason: 2, Invalid: 2 },
  ...{ NotAllowed: 1, AlreadyAnswered: 1, Expired: 1, Superseded: 1 },
}

const HINTS: Record<RefusalType, string> = {
  UnknownOption: 'Give one of them.',
  NotAllowed: 'Ask one of them; --as says who acts, which is asserted here and not authenticated.',
  AlreadyAnswered: 'An answer is not taken back. Tell who asked, or add a remark while it is open: --remark.',
  Expired: 'Its asker has gone on. See `switchyard inbox` for what waits now.',
  Superseded: 'Its asker has gone on. See `switchyard inbox` for what waits now.',
  TooLong: 'Put the long text somewhere and answer with its address.',
  NoReason: 'Say why with --comment.',
  Invalid: 'Give a text of printable characters.',
}

/** The type of a failure of the server, where the workflow ended with the update under way. */
const ENDED = 'AcceptedUpdateCompletedWorkflow'

function shown(error: unknown, id: string): unknown {
  if (!(error instanceof Error)) return error
  if (error.name === 'WorkflowNotFoundError') return ended(error)
  if (error.name === 'WorkflowUpdateFailedError') {
    const { type, message } = (error.cause ?? {}) as { type?: string; message?: string }
    if (type === ENDED) return ended(error)
    if (type !== undefined && type in CODES) return refusalError({ type: type as RefusalType, message: message ?? '' })
    return error
  }
  if (!isUnanswered(error)) return error
  return new CliError(3, 'not-acknowledged', 'It was not acknowledged: no worker of the role decision answered.', {
    details: { id },
    hint: 'Start the workers with `switchyard up` and run the same command again: the same answer twice counts once.',
    cause: error,
  })
}

function ended(cause: Error): CliError {
  return new CliError(1, 'ended', 'It has ended.', { cause })
}
