import type { ExitCode } from './context.ts'

type Details = Record<string, unknown>

/** What a command refuses with: one sentence, then what to do. */
export class CliError extends Error {
  readonly exitCode: ExitCode
  readonly code: string
  readonly details: Details
  readonly hint: string | null
  constructor(
    exitCode: ExitCode,
    code: string,
    message: string,
    options: { details?: Details; hint?: string; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause })
    this.name = 'CliError'
    this.exitCode = exitCode
    this.code = code
    this.details = options.details ?? {}
    this.hint = options.hint ?? null
  }
}

/** A wrong argument or flag. */
export function usageError(message: string, hint?: string, details?: Details): CliError {
  return new CliError(2, 'usage', message, { ...(hint === undefined ? {} : { hint }), ...(details ? { details } : {}) })
}

/** Ctrl-C: the command ends, what it started goes on. */
export function detached(message = 'detached; what was started goes on'): CliError {
  return new CliError(130, 'interrupted', message)
}

/**
 * The error that is shown and the exit code. Errors of other layers are known by their names, so that the command line
 * loads neither Temporal nor the configuration's parser before a command needs them.
 */
export function toCliError(error: unknown): CliError {
  if (error instanceof CliError) return error
  if (!(error instanceof Error)) return new CliError(1, 'internal', String(error))
  return fromConfiguration(error) ?? fromForge(error) ?? fromServer(error) ?? fromStores(error) ?? internal(error)
}

function fromConfiguration(error: Error): CliError | null {
  if (error.name !== 'ConfigError') return null
  return new CliError(2, 'configuration', error.message, {
    details: ownDetails(error),
    hint: ownHint(error) ?? 'Correct the file and run the command again; `switchyard doctor` checks it.',
    cause: error,
  })
}

function fromForge(error: Error): CliError | null {
  if (error.name !== 'ForgeError') return null
  const { kind, retryAfter } = error as Error & { kind?: string; retryAfter?: number | null }
  const options = { details: { kind, ...(retryAfter == null ? {} : { retryAfter }) }, cause: error }
  switch (kind) {
    case 'not-found':
      return new CliError(2, 'not-found', error.message, { ...options, hint: 'See `switchyard pr list --state all`.' })
    case 'forbidden':
      return new CliError(1, 'forbidden', error.message, { ...options, hint: 'Ask somebody who may, or use --as.' })
    case 'invalid':
      return new CliError(2, 'invalid', error.message, options)
    case 'conflict':
      return new CliError(1, 'conflict', error.message, { ...options, hint: 'Look with `switchyard pr view`.' })
    default:
      return new CliError(1, 'forge-unavailable', error.message, { ...options, hint: 'Try again in a moment.' })
  }
}

function fromServer(error: Error): CliError | null {
  const hint = 'Start it with `switchyard up`, or set TEMPORAL_ADDRESS.'
  switch (error.name) {
    case 'NoServerError':
      return new CliError(3, 'no-server', error.message, { hint: ownHint(error) ?? hint, cause: error })
    case 'ServerAwayError':
      return new CliError(3, 'no-server', error.message, { hint, cause: error })
    case 'NamespaceNotReadyError':
      return new CliError(3, 'namespace-not-ready', error.message, { hint: NEW_NAMESPACE, cause: error })
    case 'WorkflowNotFoundError':
      return new CliError(2, 'unknown-pipeline', 'There is no such pipeline on the server.', {
        hint: 'See `switchyard runs`.',
        cause: error,
      })
    case 'WorkflowUpdateFailedError':
      return refusedUpdate(error)
    case 'WorkflowUpdateRPCTimeoutOrCancelledError':
    case 'QueryRejectedError':
    case 'QueryNotRegisteredError':
      return noWorker(error)
    case 'ServiceError':
      return isDeadline(error)
        ? noWorker(error)
        : new CliError(3, 'no-server', `The Temporal server refused the call: ${reason(error)}`, { hint, cause: error })
    default:
      return fromNamespace(error)
  }
}

const NEW_NAMESPACE = 'A worker makes it at its start where it may: `switchyard up`, or `switchyard worker --roles …`.'
/** gRPC status NOT_FOUND. */
const NOT_FOUND = 5

/** A server that no worker has met yet. */
function fromNamespace(error: Error): CliError | null {
  const { code, details } = error as Error & { code?: unknown; details?: unknown }
  if (code !== NOT_FOUND || !/^namespace \S+ is not found/i.test(String(details))) return null
  return new CliError(3, 'namespace-not-ready', `The Temporal server says: ${String(details)}`, {
    hint: NEW_NAMESPACE,
    cause: error,
  })
}

function refusedUpdate(error: Error): CliError {
  const cause = error.cause as (Error & { type?: string }) | undefined
  return new CliError(1, kebab(cause?.type ?? 'refused'), cause?.message ?? error.message, {
    hint: 'Look with `switchyard pr view`.',
    cause: error,
  })
}

function noWorker(error: Error): CliError {
  return new CliError(3, 'no-worker', 'The pipeline did not answer: no worker polls its role now.', {
    hint: 'Start the workers with `switchyard up`, or `switchyard worker --roles pr-review,merge,decision,testing,security`.',
    cause: error,
  })
}

function fromStores(error: Error): CliError | null {
  switch (error.name) {
    case 'LedgerError':
      return fromLedger(error)
    case 'GitError':
      return new CliError(1, 'git', error.message, { hint: '`switchyard doctor` checks git.', cause: error })
    default:
      return null
  }
}

function fromLedger(error: Error): CliError {
  const { kind = 'failed' } = error as Error & { kind?: string }
  const refuse = (exitCode: ExitCode, hint: string) =>
    new CliError(exitCode, `ledger-${kind}`, error.message, { hint, cause: error })
  switch (kind) {
    case 'refused':
      return refuse(2, 'Correct `ledger` in switchyard.yaml, or its password: PGPASSWORD or PGPASSFILE.')
    case 'unavailable':
      return refuse(3, 'Start the server that `ledger` in switchyard.yaml names, and run the command again.')
    default:
      return refuse(1, 'Check the disk and the `ledger` setting with `switchyard doctor`.')
  }
}

function internal(error: Error): CliError {
  return new CliError(1, 'internal', error.message || error.name, {
    hint: 'This looks like a mistake in Switchyard. SWITCHYARD_DEBUG=1 prints where it happened.',
    cause: error,
  })
}

function ownHint(error: Error): string | null {
  const { hint } = error as Error & { hint?: unknown }
  return typeof hint === 'string' ? hint : null
}

function ownDetails(error: Error): Details {
  const entries = Object.entries(error).filter(
    ([key, value]) => !['name', 'cause', 'hint'].includes(key) && value !== undefined,
  )
  return Object.fromEntries(entries)
}

/** gRPC status 4 (deadline exceeded) and the server's "no poller" answer (9). */
function isDeadline(error: Error): boolean {
  const cause = error.cause as { code?: number } | undefined
  return cause?.code === 4 || cause?.code === 1 || (cause?.code === 9 && /poller|worker/i.test(reason(error)))
}

function reason(error: Error): string {
  const cause = error.cause as { details?: string; message?: string } | undefined
  return cause?.details || cause?.message || error.message
}

function kebab(name: string): string {
  return name.replace(/(?<=[a-z0-9])[A-Z]/g, (letter) => `-${letter}`).toLowerCase()
}
