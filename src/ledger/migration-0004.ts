import type { Kysely } from 'kysely'

/** What Switchyard answered a comment with; on GitHub the forge keeps it. */
export async function addReactions(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('forge_reactions')
    .addColumn('repo', 'text', (column) => column.notNull())
    .addColumn('number', 'integer', (column) => column.notNull())
    .addColumn('comment', 'bigint', (column) => column.notNull())
    .addColumn('reaction', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('forge_reactions_key', ['repo', 'number', 'comment', 'reaction'])
    .execute()
}
