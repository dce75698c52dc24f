import type { Kysely } from 'kysely'
import { Migrator } from 'kysely/migration'
import { migrations } from './migrations.ts'
import type { Tables } from './schema.ts'
import type { StoreDialect } from './store-dialect.ts'

/** Brings the store to the newest schema. Safe for several processes at once. */
export async function migrate(tables: Kysely<Tables>, store: StoreDialect): Promise<void> {
  const steps = migrations(store)
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
