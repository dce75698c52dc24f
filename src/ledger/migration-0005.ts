import type { Kysely } from 'kysely'
import { texts, type StoreDialect } from './store-dialect.ts'

/** What a question says at length, and what people answered once for the next time. */
export async function addClarifications(db: Kysely<unknown>, store: StoreDialect): Promise<void> {
  await texts(
    db.schema.createTable('texts').addColumn('digest', store.textType, (column) => column.primaryKey()),
    ['text'],
    store,
  ).execute()
  const columns = ['clarification', 'scope', 'title', 'context', 'value', 'answered_by', 'comment', 'at']
  await texts(
    db.schema.createTable('remembered_answers').addColumn('id', store.textType, (column) => column.primaryKey()),
    columns,
    store,
  )
    .addColumn('repo', store.textType)
    .execute()
  // Without the context: a text of any length is no key for every store.
  await db.schema
    .createIndex('remembered_answers_by_question')
    .on('remembered_answers')
    .columns(['scope', 'title'])
    .execute()
}
