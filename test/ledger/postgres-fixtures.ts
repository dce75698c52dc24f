import { afterAll, onTestFinished } from 'vitest'
import type { DatabaseLedger } from '#ledger/port'
import { openPostgresLedger } from '#ledger/postgres'
import { query, makeDatabase } from '../support/postgres-database.ts'
import type { TestLedger } from './fixtures.ts'

/** Making a database costs as much as a hundred tests: a file of tests empties one of its own. */
let own: Promise<{ address: string; drop(): Promise<void> }> | null = null

/** What copies are made of: a database with tables and nothing in them. */
let template: Promise<{ address: string; drop(): Promise<void> }> | null = null

afterAll(async () => {
  await (await own)?.drop()
  await (await template)?.drop()
})

export async function postgresLedger(options: Parameters<typeof openPostgresLedger>[1] = {}): Promise<TestLedger> {
  own ??= makeDatabase()
  const { address } = await own
  const ledger = await openPostgresLedger(address, options)
  onTestFinished(() => ledger.close())
  await empty(address)
  return { ...ledger, address }
}

/** A ledger in a database of its own, which a test may spoil; gone when it is closed. */
export async function separateLedger(): Promise<DatabaseLedger> {
  template ??= makeTemplate()
  const { address, drop } = await makeDatabase(`template ${(await template).address.split('/').at(-1)}`)
  const ledger = await openPostgresLedger(address)
  const close = async () => {
    await ledger.close()
    await drop()
  }
  return { ...ledger, close }
}

async function makeTemplate() {
  const made = await makeDatabase()
  await (await openPostgresLedger(made.address)).close()
  return made
}

async function empty(address: string): Promise<void> {
  const tables = `select string_agg(tablename, ', ') as names from pg_tables
    where schemaname = 'public' and tablename not like 'kysely%'`
  const [found] = await query<{ names: string }>(address, tables)
  await query(address, `truncate ${found!.names} restart identity cascade`)
}
