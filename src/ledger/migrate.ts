import { sql, type Kysely } from 'kysely'
import { Migrator } from 'kysely/migration'
import { migrations } from './migrations.ts'
import { LedgerError } from './port.ts'
import type { Tables } from './schema.ts'
import type { StoreDialect } from './store-dialect.ts'

/** Brings the store to the newest schema. Safe for several processes at once. */
export async function migrate(tables: Kysely<Tables>, store: StoreDialect): Promise<void> {
  const steps = migrations(store)
  if (await isCurrent(tables, Object.keys(steps))) return
  const migrator = new Migrator({ db: tables, provider: { getMigrations: async () => steps } })
  const { error } = await migrator.migrateToLatest()
  if (!error) return
  if (error instanceof Error && /previously executed migration .* is missing/.test(error.message)) {
    throw new Error('The ledger was written by a newer Switchyard; run that version, or restore an older copy.', {
      cause: error,
    })
  }
  throw error instanceof Error ? error : new Error('The ledger could not be migrated.', { cause: error })
}

/** Saves who opens a store that is up to date from waiting for the lock of the migrations. */
async function isCurrent(tables: Kysely<Tables>, steps: string[]): Promise<boolean> {
  const ran = await sql<{ name: string }>`select name from kysely_migration`.execute(tables).catch((error: unknown) => {
    if (error instanceof LedgerError) throw error
    return null
  })
  const names = ran?.rows.map(({ name }) => name).sort() ?? []
  return names.length === steps.length && steps.every((step, index) => step === names[index])
}
