import type { Kysely } from 'kysely'
import { texts, type StoreDialect } from './store-dialect.ts'

/** What Switchyard answered a comment with; on GitHub the forge keeps it. */
export async function addReactions(db: Kysely<unknown>, store: StoreDialect): Promise<void> {
  await texts(db.schema.createTable('forge_reactions'), ['repo', 'reaction'], store)
    .addColumn('number', 'integer', (column) => column.notNull())
    .addColumn('comment', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('forge_reactions_key', ['repo', 'number', 'comment', 'reaction'])
    .execute()
}
