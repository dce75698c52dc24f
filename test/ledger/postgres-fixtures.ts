import { afterAll, onTestFinished } from 'vitest'
import { openPostgresLedger } from '#ledger/postgres'
import { query, makeDatabase } from '../support/postgres-database.ts'
import type { TestLedger } from './fixtures.ts'

/** Making a database costs as much as a hundred tests: a file of tests empties one of its own. */
let own: Promise<{ address: string; drop(): Promise<void> }> | null = null

afterAll(async () => {
  await (await own)?.drop()
})

export async function postgresLedger(options: Parameters<typeof openPostgresLedger>[1] = {}): Promise<TestLedger> {
  own ??= makeDatabase()
  const { address } = await own
  const ledger = await openPostgresLedger(address, options)
  onTestFinished(() => ledger.close())
  await empty(address)
  return { ...ledger, address }
}

async function empty(address: string): Promise<void> {
  const tables = `select string_agg(tablename, ', ') as names from pg_tables
    where schemaname = 'public' and tablename not like 'kysely%'`
  const [found] = await query<{ names: string }>(address, tables)
  await query(address, `truncate ${found!.names} restart identity cascade`)
}
