import { Client, Pool, types, type PoolClient } from 'pg'
import type { PostgresPool, PostgresPoolClient } from 'kysely'
import { fatal, postgresError } from './postgres-errors.ts'
import { repeatRolledBack } from './repeat.ts'
import { storable } from './storable.ts'

export type PostgresOptions = {
  /** Connections of this process at most. */
  max: number
  /** Milliseconds to wait for the server, or for a connection that is free. */
  connectTimeout: number
  /** Milliseconds that one statement may take. */
  statementTimeout: number
  /** Milliseconds to wait for another process's lock. */
  lockTimeout: number
}

/** A process that hangs in a transaction, such as one that was stopped, gives up its locks after so long. */
const ABANDONED_MS = 30_000
/** Above the server's own limit: for an answer that never comes. */
const NO_ANSWER_MS = 15_000
const IDLE_MS = 10_000

const INT8 = 20
const NUMERIC = 1700

/** Connections for kysely: errors come out as `LedgerError`, and what was rolled back is repeated. */
export function openPool(url: string, place: string, options: PostgresOptions): PostgresPool {
  const pool = new Pool({
    Client: TidyClient,
    connectionString: url,
    application_name: `switchyard ${process.pid}`,
    max: options.max,
    connectionTimeoutMillis: options.connectTimeout,
    idleTimeoutMillis: IDLE_MS,
    // An idle connection is no reason for a process to stay.
    allowExitOnIdle: true,
    statement_timeout: options.statementTimeout,
    lock_timeout: options.lockTimeout,
    idle_in_transaction_session_timeout: ABANDONED_MS,
    query_timeout: options.statementTimeout + NO_ANSWER_MS,
    keepAlive: true,
    types: { getTypeParser: (oid, format) => (isNumber(oid) ? Number : types.getTypeParser(oid, format as 'text')) },
  })
  // Who uses a lost connection hears of it from the statement; the event alone would end the process.
  pool.on('error', () => undefined)
  pool.on('connect', (client) => client.on('error', () => undefined))
  return {
    options: pool.options,
    end: () => pool.end(),
    async connect() {
      try {
        return guardedClient(await pool.connect(), place)
      } catch (error) {
        throw postgresError(error, place)
      }
    },
  }
}

/** Where the password is missing the driver leaves its socket open, which would hold the process for a minute. */
class TidyClient extends Client {
  override connect(): Promise<Client>
  override connect(callback: (error: Error | null, client: Client) => void): void
  override connect(callback?: (error: Error | null, client: Client) => void): Promise<Client> | void {
    if (callback === undefined) return super.connect()
    super.connect((error: Error | null) => {
      if (error) this.end().catch(() => undefined)
      callback(error, this)
    })
  }
}

/** Sequences and counts stay far below 2^53. */
function isNumber(oid: number): boolean {
  return oid === INT8 || oid === NUMERIC
}

function guardedClient(client: PoolClient, place: string): PostgresPoolClient {
  let broken = false
  let inTransaction = false

  async function query(sql: string, parameters: readonly unknown[]): Promise<unknown> {
    try {
      return await client.query(sql, parameters.map(storable))
    } catch (error) {
      broken ||= fatal(error)
      throw postgresError(error, place)
    }
  }

  async function statement(sql: string, parameters: readonly unknown[]): Promise<unknown> {
    if (sql === 'begin') inTransaction = true
    // Only the whole transaction can be repeated: `RepeatingKysely` does.
    const result = await (inTransaction ? query(sql, parameters) : repeatRolledBack(() => query(sql, parameters)))
    if (sql === 'commit' || sql === 'rollback') inTransaction = false
    return result
  }

  return {
    query: statement as PostgresPoolClient['query'],
    release: (destroy) => client.release(destroy === true || broken),
  }
}
