import { chmod, mkdir, realpath, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Kysely, sql } from 'kysely'
import { migrate } from './migrate.ts'
import { NodeSqliteDialect, openNodeSqlite, type NodeSqliteOptions } from './node-sqlite.ts'
import { LedgerError } from './port.ts'
import type { Tables } from './schema.ts'
import type { StoreDialect } from './store-dialect.ts'

export type Database = { tables: Kysely<Tables>; close(): Promise<void> }

export const sqlite: StoreDialect = {
  textType: 'text',
  sequenceType: 'integer',
  sequence: (column) => column.primaryKey().autoIncrement(),
  jsonText: (column, key) => sql`json_extract(${sql.ref(column)}, ${sql.lit(`$.${key}`)})`,
}

/** How long to wait for another process that creates the same file, in milliseconds. */
const FIRST_OPEN_LIMIT = 10_000

/**
 * One connection per file and process: with two, a transaction of one could meet the other's busy wait, which blocks
 * the event loop that the first needs to end.
 */
const open = new Map<string, { database: Promise<Kysely<Tables>>; users: number }>()

/** Opens and migrates the file; made when it isn't there. Several users in one process share its connection. */
export async function openDatabase(path: string, options: NodeSqliteOptions): Promise<Database> {
  const file = await prepareFolder(path)
  const entry = open.get(file) ?? { database: openAndMigrate(file, options), users: 0 }
  entry.users += 1
  open.set(file, entry)
  try {
    const tables = await entry.database
    let closed = false
    return {
      tables,
      async close() {
        if (closed) return
        closed = true
        await release(file, entry)
      },
    }
  } catch (error) {
    if (open.get(file) === entry) open.delete(file)
    throw error
  }
}

async function release(file: string, entry: { database: Promise<Kysely<Tables>>; users: number }): Promise<void> {
  entry.users -= 1
  if (entry.users > 0) return
  open.delete(file)
  await (await entry.database).destroy()
}

async function prepareFolder(path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true })
  return join(await realpath(dirname(path)), basename(path))
}

async function openAndMigrate(file: string, options: NodeSqliteOptions): Promise<Kysely<Tables>> {
  const limit = Date.now() + Math.max(FIRST_OPEN_LIMIT, options.busyTimeout)
  for (;;) {
    try {
      return await tryOpen(file, options)
    } catch (error) {
      // The switch to WAL does not honour the busy timeout, so the loser of a first open tries again.
      const isBusy = error instanceof LedgerError && error.kind === 'busy'
      if (!isBusy || Date.now() > limit) throw error
      await delay(20)
    }
  }
}

async function tryOpen(file: string, options: NodeSqliteOptions): Promise<Kysely<Tables>> {
  await keepPrivate(file)
  const connection = openNodeSqlite(file, options)
  const tables = new Kysely<Tables>({ dialect: new NodeSqliteDialect(connection) })
  try {
    await migrate(tables, sqlite)
    return tables
  } catch (error) {
    connection.close()
    throw error
  }
}

const OWNER_ONLY = 0o600

/**
 * The ledger tells what other users of this machine may not be allowed to see. SQLite gives its `-wal` and `-shm` the
 * mode of the file, so that comes first; those that a killed process left behind may have an older one. A file that is
 * there is never opened here: closing it would drop the locks that SQLite has on it in this process. What keeps a file
 * from being made, SQLite says better.
 */
async function keepPrivate(file: string): Promise<void> {
  await writeFile(file, '', { mode: OWNER_ONLY, flag: 'wx' }).catch(() => undefined)
  for (const each of [file, `${file}-wal`, `${file}-shm`]) {
    const found = await stat(each).catch(unless('ENOENT'))
    // Its owner alone may change it.
    if (found && found.mode & 0o077) await chmod(each, OWNER_ONLY).catch(unless('ENOENT', 'EPERM'))
  }
}

function unless(...codes: string[]): (error: NodeJS.ErrnoException) => void {
  return (error) => {
    if (!codes.includes(error.code ?? '')) throw error
  }
}
