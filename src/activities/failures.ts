import { ApplicationFailure, CancelledFailure } from '@temporalio/activity'
import type { LedgerError } from '#ledger/port'
import { ForgeError } from './forge/port.ts'
import { GitError } from './git/run.ts'

/**
 * Turns what a tool throws into what Temporal retries or gives up, in one place. A type that a retry can't help is
 * final; a forge that says when to come back is asked then. What nobody recognises is thrown on, and retried.
 */
export function toFailure(error: unknown): unknown {
  if (error instanceof ApplicationFailure || error instanceof CancelledFailure) return error
  if (error instanceof ForgeError) return forgeFailure(error)
  if (isLedgerError(error))
    return ApplicationFailure.create({ type: `Ledger.${error.kind}`, message: error.message, cause: error })
  if (error instanceof GitError) return ApplicationFailure.create({ type: 'Git', message: error.message, cause: error })
  return error
}

/** By name: activities know the ledger's port as a type only. */
function isLedgerError(error: unknown): error is LedgerError {
  return error instanceof Error && error.name === 'LedgerError'
}

function forgeFailure(error: ForgeError): ApplicationFailure {
  const { kind, message, retryAfter } = error
  switch (kind) {
    case 'not-found':
      // Retried: a repository that was just added is known once this worker has read the installation's file again.
      return ApplicationFailure.create({ type: 'Unknown', message, cause: error })
    case 'forbidden':
      return ApplicationFailure.create({ type: 'Forbidden', message, nonRetryable: true, cause: error })
    case 'invalid':
      return ApplicationFailure.create({ type: 'Invalid', message, nonRetryable: true, cause: error })
    case 'conflict':
    case 'unavailable':
      return ApplicationFailure.create({
        type: kind === 'conflict' ? 'Conflict' : 'Unavailable',
        message,
        cause: error,
        ...(retryAfter === null ? {} : { nextRetryDelay: retryAfter }),
      })
  }
}

type AnyActivity = (...args: never[]) => Promise<unknown>

/** The same activities; what they throw is classified. */
export function withFailures<A extends Record<string, AnyActivity>>(activities: A): A {
  const wrapped = Object.entries(activities).map(([name, activity]) => [
    name,
    async (...args: never[]) => {
      try {
        return await activity(...args)
      } catch (error) {
        throw toFailure(error)
      }
    },
  ])
  return Object.fromEntries(wrapped) as A
}
