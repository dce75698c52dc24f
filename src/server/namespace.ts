import { searchAttributeTypes } from '#contracts/search-attributes'
import { Connection, isGrpcServiceError } from '@temporalio/client'
import { encodeSearchAttributeIndexedValueType } from '@temporalio/common/lib/search-attributes.js'
import { msToTs } from '@temporalio/common/lib/time.js'
import type { ServerAddress } from './port.ts'

/** How long ended workflows stay readable. */
export const RETENTION_DAYS = 90
const RETENTION = msToTs(RETENTION_DAYS * 24 * 60 * 60_000)
/** A server may take its caches' age to know a new namespace or attribute; Temporal's default is ten seconds. */
const USABLE_WITHIN_MS = 30_000
const CONNECT_MS = 5_000
const PREPARED_WITHIN_MS = 60_000
const NOT_FOUND = 5
const ALREADY_EXISTS = 6

const TYPE_ON_COMMAND_LINE: Record<string, string> = { KEYWORD: 'Keyword', INT: 'Int', DATETIME: 'Datetime' }

/** `Pr` → `Int` and so on, as the `temporal` command writes the types. */
export const searchAttributeFlags: [name: string, type: string][] = Object.entries(searchAttributeTypes).map(
  ([name, type]) => [name, TYPE_ON_COMMAND_LINE[type] ?? type],
)

/** What this server does not let us create. The message holds the commands with which somebody else can. */
export class NamespaceNotReadyError extends Error {
  override readonly name = 'NamespaceNotReadyError'
  readonly commands: string[]

  constructor(problem: string, commands: string[], cause?: unknown) {
    super([`${problem} Run, with the rights to do so:`, ...commands.map((line) => `  ${line}`)].join('\n'), { cause })
    this.commands = commands
  }
}

/** Nobody answers at the address that the environment or a profile names. */
export class ServerAwayError extends Error {
  override readonly name = 'ServerAwayError'
}

export type NamespaceOptions = {
  address: string
  namespace: string
  /** The embedded server's namespace gets our retention; that of somebody else's server is not ours to change. */
  enforceRetention: boolean
}

/**
 * Makes a server ready for an installation: `up` calls it for an external one, the embedded one comes so.
 * @throws NamespaceNotReadyError where this server does not let us; ServerAwayError where it does not answer
 */
export async function prepareServer({ kind, address, namespace, connection: how }: ServerAddress): Promise<void> {
  const connection = await Connection.connect({ ...how, connectTimeout: CONNECT_MS }).catch((error: unknown) => {
    throw new ServerAwayError(
      `no Temporal server answers at ${address}: ${text(error)}. Check the address, TLS and the key of the profile.`,
      { cause: error },
    )
  })
  try {
    await connection.withDeadline(Date.now() + PREPARED_WITHIN_MS, () =>
      prepareNamespace(connection, { address, namespace, enforceRetention: kind === 'embedded' }),
    )
  } finally {
    await connection.close()
  }
}

/**
 * Makes the namespace and the search attributes where they are missing, and returns when both can be used. Idempotent.
 * @throws NamespaceNotReadyError where this server does not let us
 */
export async function prepareNamespace(connection: Connection, options: NamespaceOptions): Promise<void> {
  await ensureNamespace(connection, options)
  // A managed server may refuse to list attributes to us though they are all there: only a query can tell.
  if ((await attributesProblem(connection, options.namespace)) === null) return
  await ensureSearchAttributes(connection, options)
  await waitUntilUsable(connection, options)
}

async function ensureNamespace(connection: Connection, options: NamespaceOptions): Promise<void> {
  const { namespace, enforceRetention } = options
  const { workflowService } = connection
  try {
    const { config } = await workflowService.describeNamespace({ namespace })
    const kept = config?.workflowExecutionRetentionTtl?.seconds
    if (!enforceRetention || String(kept) === String(RETENTION.seconds)) return
    await workflowService.updateNamespace({ namespace, config: { workflowExecutionRetentionTtl: RETENTION } })
    return
  } catch (error) {
    if (!isGrpcServiceError(error) || Number(error.code) !== NOT_FOUND) {
      throw new Error(
        `the Temporal server at ${options.address} does not describe namespace ${namespace}: ${text(error)}`,
        {
          cause: error,
        },
      )
    }
  }
  try {
    await workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: RETENTION })
  } catch (error) {
    if (isGrpcServiceError(error) && Number(error.code) === ALREADY_EXISTS) return
    throw new NamespaceNotReadyError(
      `The Temporal server at ${options.address} has no namespace ${namespace}, and refuses to create it (${text(error)}).`,
      [namespaceCommand(options), attributesCommand(options, Object.keys(searchAttributeTypes))],
      error,
    )
  }
}

async function ensureSearchAttributes(connection: Connection, options: NamespaceOptions): Promise<void> {
  const { namespace } = options
  let missing = Object.keys(searchAttributeTypes)
  try {
    const present = await retryUntilKnown(() => connection.operatorService.listSearchAttributes({ namespace }))
    missing = missing.filter((name) => present.customAttributes?.[name] === undefined)
    if (missing.length === 0) return
    const wanted = Object.entries(searchAttributeTypes).filter(([name]) => missing.includes(name))
    const searchAttributes: Record<string, number> = {}
    for (const [name, type] of wanted) searchAttributes[name] = encodeSearchAttributeIndexedValueType(type) ?? 0
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes })
  } catch (error) {
    if (isGrpcServiceError(error) && Number(error.code) === ALREADY_EXISTS) return
    throw new NamespaceNotReadyError(
      `Namespace ${namespace} at ${options.address} has no search attributes ${missing.join(', ')}, ` +
        `and refuses to create them (${text(error)}).`,
      [attributesCommand(options, missing)],
      error,
    )
  }
}

/** A namespace just registered is NOT_FOUND until the server's cache has it. */
async function retryUntilKnown<T>(call: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + USABLE_WITHIN_MS
  for (;;) {
    try {
      return await call()
    } catch (error) {
      if (!isGrpcServiceError(error) || Number(error.code) !== NOT_FOUND || Date.now() >= deadline) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

async function waitUntilUsable(connection: Connection, options: NamespaceOptions): Promise<void> {
  const deadline = Date.now() + USABLE_WITHIN_MS
  for (;;) {
    const problem = await attributesProblem(connection, options.namespace)
    if (problem === null) return
    if (Date.now() >= deadline) {
      throw new NamespaceNotReadyError(
        `The search attributes of namespace ${options.namespace} at ${options.address} can not be used (${problem}). ` +
          'One that exists with another type must be removed first.',
        [attributesCommand(options, Object.keys(searchAttributeTypes))],
      )
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

const EXAMPLE: Record<string, string> = { KEYWORD: "'none'", INT: '-1', DATETIME: "'2000-01-01T00:00:00Z'" }

async function attributesProblem(connection: Connection, namespace: string): Promise<string | null> {
  const query = Object.entries(searchAttributeTypes)
    .map(([name, type]) => `${name} = ${EXAMPLE[type]}`)
    .join(' AND ')
  try {
    await connection.workflowService.countWorkflowExecutions({ namespace, query })
    return null
  } catch (error) {
    return text(error)
  }
}

function namespaceCommand({ address, namespace }: NamespaceOptions): string {
  return `temporal operator namespace create --address ${address} --namespace ${namespace} --retention ${RETENTION_DAYS}d`
}

function attributesCommand({ address, namespace }: NamespaceOptions, names: string[]): string {
  const flags = searchAttributeFlags
    .filter(([name]) => names.includes(name))
    .map(([name, type]) => `--name ${name} --type ${type}`)
  return `temporal operator search-attribute create --address ${address} --namespace ${namespace} ${flags.join(' ')}`
}

function text(error: unknown): string {
  if (isGrpcServiceError(error)) return error.details || error.message
  return error instanceof Error ? error.message : String(error)
}
