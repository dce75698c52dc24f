import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { SqliteAdapter, SqliteDialect, type SqliteDatabase, type SqliteStatement } from 'kysely'
import { LedgerError } from './port.ts'
import { storable } from './storable.ts'

export type NodeSqliteOptions = {
  /** How long a statement waits for another process's transaction, in milliseconds. It blocks the event loop. */
  busyTimeout: number
  /** `full`: a commit survives a power cut. `normal`: it survives the process only. */
  synchronous: 'full' | 'normal'
}

const CACHED_STATEMENTS = 200

/** kysely over the SQLite that is built into Node. Errors of the store come out as `LedgerError`. */
export class NodeSqliteDialect extends SqliteDialect {
  constructor(database: DatabaseSync) {
    super({ database: adapt(database) })
  }

  override createAdapter(): SqliteAdapter {
    return new TransactionalAdapter()
  }
}

/**
 * kysely's own adapter denies transactional DDL because of one pragma; SQLite has it. With it all pending migrations
 * run in one immediate transaction, so processes that open a new file at once take turns.
 */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): true {
    return true
  }
}

export function openNodeSqlite(path: string, options: NodeSqliteOptions): DatabaseSync {
  const database = guarded(
    () => new DatabaseSync(path, { timeout: options.busyTimeout, enableForeignKeyConstraints: true }),
  )
  try {
    guarded(() => database.exec(`pragma journal_mode = wal; pragma synchronous = ${options.synchronous}`))
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

function adapt(database: DatabaseSync): SqliteDatabase {
  const cache = new Map<string, SqliteStatement>()
  return {
    close: () => database.close(),
    prepare(sql) {
      if (sql === 'rollback' && !database.isTransaction) return nothing
      const cached = cache.get(sql)
      if (cached) return cached
      const statement = adaptStatement(guarded(() => database.prepare(immediate(sql))))
      if (cache.size >= CACHED_STATEMENTS) cache.delete(cache.keys().next().value ?? '')
      cache.set(sql, statement)
      return statement
    },
  }
}

/**
 * A deferred transaction that reads before it writes is refused at once when another process wrote in between; the
 * busy timeout applies only to one that takes the write lock at its start.
 */
function immediate(sql: string): string {
  return sql === 'begin' ? 'begin immediate' : sql
}

/** A full disk rolls the transaction back by itself; kysely's rollback after it must not hide the reason. */
const nothing: SqliteStatement = {
  reader: false,
  all: () => [],
  run: () => ({ changes: 0, lastInsertRowid: 0 }),
  iterate: () => [].values(),
}

function adaptStatement(statement: StatementSync): SqliteStatement {
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => guarded(() => statement.all(...bound(parameters))),
    run: (parameters) => guarded(() => statement.run(...bound(parameters))),
    iterate: (parameters) => guarded(() => statement.iterate(...bound(parameters))),
  }
}

function bound(parameters: readonly unknown[]): SQLInputValue[] {
  return parameters.map(storable) as SQLInputValue[]
}

function guarded<Result>(work: () => Result): Result {
  try {
    return work()
  } catch (error) {
    throw classify(error)
  }
}

/** Result codes of https://sqlite.org/rescode.html; the low byte is the primary code. */
const BUSY = 5
const LOCKED = 6
const READONLY = 8
const IOERR = 10
const CORRUPT = 11
const FULL = 13
const CANTOPEN = 14
const NOTADB = 26

function classify(error: unknown): unknown {
  const code = (error as { errcode?: unknown }).errcode
  if (typeof code !== 'number') return error
  const message = (error as Error).message
  switch (code & 0xff) {
    case BUSY:
    case LOCKED:
      return new LedgerError('busy', `The ledger is in use by another process: ${message}`, error)
    case FULL:
    case IOERR:
    case CANTOPEN:
    case READONLY:
      return new LedgerError('full', `The ledger can't be written: ${message}. Is the disk full or read-only?`, error)
    case CORRUPT:
    case NOTADB:
      return new LedgerError('corrupt', `The ledger's file is damaged: ${message}. Restore it from a copy.`, error)
    default:
      return error
  }
}
