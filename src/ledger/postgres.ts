import { readFile } from 'node:fs/promises'
import { PostgresDialect, sql, type Kysely } from 'kysely'
import { migrate } from './migrate.ts'
import { LedgerError, type DatabaseLedger, type LedgerFacts } from './port.ts'
import { openPool, type PostgresOptions } from './postgres-pool.ts'
import { createRecord } from './record.ts'
import { RepeatingKysely } from './repeat.ts'
import type { Tables } from './schema.ts'
import type { StoreDialect } from './store-dialect.ts'

const postgres: StoreDialect = {
  textType: sql`text collate "C"`,
  sequenceType: 'bigint',
  sequence: (column) => column.primaryKey().generatedAlwaysAsIdentity(),
  jsonText: (column, key) => sql`${sql.ref(column)}::json ->> ${sql.lit(key)}`,
}

const defaults: PostgresOptions = { max: 4, connectTimeout: 5_000, statementTimeout: 30_000, lockTimeout: 10_000 }

/** The oldest that its makers still mend: 13. */
const OLDEST_VERSION = 130_000

/**
 * Opens the ledger in a database of a PostgreSQL server, making or migrating its tables first. Safe for several
 * processes at once. `url`: `postgres://user@host:5432/database`, with the parameters that libpq knows.
 */
export async function openPostgresLedger(url: string, options: Partial<PostgresOptions> = {}): Promise<DatabaseLedger> {
  const place = placeOf(url)
  const pool = openPool(url, place, { ...defaults, ...options })
  const tables = new RepeatingKysely<Tables>({ dialect: new PostgresDialect({ pool }) })
  try {
    await requireServer(tables, place)
    await migrate(tables, postgres)
  } catch (error) {
    await tables.destroy()
    throw error
  }
  return {
    ...createRecord(tables),
    tables,
    about: () => about(tables, place),
    close: () => tables.destroy(),
  }
}

/** What may be shown of an address: no password, and none of the parameters, which may hold one. */
export function placeOf(url: string): string {
  const [, user = '', rest = ''] = /^[a-z]+:\/\/(?:([^:@/?#]*)(?::[^@/?#]*)?@)?([^?#]*)/i.exec(url) ?? []
  return `postgres://${user === '' ? '' : `${user}@`}${rest.slice(rest.lastIndexOf('@') + 1)}`
}

/**
 * The address with the password that the environment names, where it has none itself: `SWITCHYARD_LEDGER_PASSWORD_FILE`
 * (a file that holds nothing else, such as a secret of a container), else `PGPASSWORD`.
 */
export async function withPassword(url: string, env: Record<string, string | undefined>): Promise<string> {
  const file = env.SWITCHYARD_LEDGER_PASSWORD_FILE
  const password = file ? await readPassword(file) : env.PGPASSWORD
  if (!password || passwordOf(url) !== null) return url
  return `${url}${url.includes('?') ? '&' : '?'}password=${encodeURIComponent(password)}`
}

/** The password in an address, as logs would have to hide it. */
export function passwordOf(url: string): string | null {
  const inside = /^[a-z]+:\/\/[^/?#]*?:([^/?#]*)@/i.exec(url)?.[1] ?? /[?&]password=([^&#]*)/.exec(url)?.[1]
  return inside ? decoded(inside) : null
}

/** What is no encoding is sent to the server as it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

async function readPassword(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).replace(/\r?\n$/, '')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new LedgerError('refused', `SWITCHYARD_LEDGER_PASSWORD_FILE names ${file}, which can't be read: ${code}.`)
  }
}

async function requireServer(tables: Kysely<Tables>, place: string): Promise<void> {
  const { version, number, encoding } = await server(tables)
  if (number < OLDEST_VERSION) {
    throw new LedgerError('refused', `The ledger at ${place} is PostgreSQL ${version}; it takes 13 or newer.`)
  }
  if (encoding !== 'UTF8') {
    throw new LedgerError('refused', `The ledger at ${place} keeps texts in ${encoding}; make its database in UTF8.`)
  }
}

async function server(tables: Kysely<Tables>): Promise<{ version: string; number: number; encoding: string }> {
  const { rows } = await sql<{ version: string; number: number; encoding: string }>`
    select current_setting('server_version') as version, current_setting('server_version_num')::int as number,
    current_setting('server_encoding') as encoding`.execute(tables)
  return rows[0]!
}

async function about(tables: Kysely<Tables>, place: string): Promise<LedgerFacts> {
  const { version } = await server(tables)
  const { rows } = await sql<{ bytes: number }>`select pg_database_size(current_database()) as bytes`.execute(tables)
  return { store: 'postgres', version: version.split(' ')[0] ?? version, place, bytes: rows[0]?.bytes ?? 0 }
}
