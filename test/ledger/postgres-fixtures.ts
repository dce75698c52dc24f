import { afterAll, onTestFinished } from 'vitest'
import type { DatabaseLedger } from '#ledger/port'
import { openPostgresLedger } from '#ledger/postgres'
import { makeDatabase, query } from '../support/postgres-database.ts'
import type { TestLedger } from './fixtures.ts'

type Options = Parameters<typeof openPostgresLedger>[1]

/** Making a database costs as much as a hundred tests: a file of tests empties one of its own. */
let own: ReturnType<typeof makeDatabase> | null = null

afterAll(async () => {
  await (await own)?.drop()
})

export async function postgresLedger(options: Options = {}): Promise<TestLedger> {
  const ledger = await emptiedLedger(options)
  onTestFinished(() => ledger.close())
  return ledger
}

/** For those who close it themselves. A database that a test has spoiled is replaced. */
export async function emptiedLedger(options: Options = {}): Promise<DatabaseLedger & { address: string }> {
  own ??= makeDatabase()
  const { address, drop } = await own
  const ledger = await openPostgresLedger(address, options)
  const [found] = await query<{ names: string; spoiled: boolean }>(
    address,
    `select string_agg(tablename, ', ') as names, to_regclass('audit') is null as spoiled from pg_tables
      where schemaname = 'public' and tablename not like 'kysely%'`,
  )
  if (found!.spoiled) {
    await ledger.close()
    await drop()
    own = null
    return await emptiedLedger(options)
  }
  await query(address, `truncate ${found!.names} restart identity cascade`)
  return { ...ledger, address }
}
