import { sql, type Kysely } from 'kysely'
import type { Rule } from '#domain/decision'
import { firstFailing } from '#domain/rules'
import { texts, type StoreDialect } from './store-dialect.ts'

/** What `stats`, `audit` and the reports of tests ask for, in columns: nobody has to look into the JSON of many rows. */
export async function addFailuresAndStatistics(db: Kysely<unknown>, store: StoreDialect): Promise<void> {
  await createTestFailures(db, store)
  await createEvidenceUses(db, store)
  await addEvidenceColumns(db, store)
  await addFailedRule(db, store)
  await db.schema.createIndex('audit_by_action').on('audit').columns(['action', 'at']).execute()
  await db.schema.createIndex('landings_by_time').on('landings').columns(['at']).execute()
  await db.schema
    .createTable('forge_repositories')
    .addColumn('repo', store.textType, (column) => column.primaryKey())
    .execute()
}

async function createTestFailures(db: Kysely<unknown>, store: StoreDialect): Promise<void> {
  const columns = ['evidence_id', 'repo', 'check_name', 'test', 'subject', 'digest', 'message', 'at']
  await texts(db.schema.createTable('test_failures'), columns, store)
    .addPrimaryKeyConstraint('test_failures_key', ['evidence_id', 'test'])
    .execute()
  await db.schema
    .createIndex('test_failures_by_test')
    .on('test_failures')
    .columns(['repo', 'check_name', 'test', 'at'])
    .execute()
  await db.schema.createIndex('test_failures_by_time').on('test_failures').columns(['at']).execute()
}

async function createEvidenceUses(db: Kysely<unknown>, store: StoreDialect): Promise<void> {
  await texts(db.schema.createTable('evidence_uses'), ['evidence_id', 'used_by', 'repo', 'at'], store)
    .addPrimaryKeyConstraint('evidence_uses_key', ['evidence_id', 'used_by'])
    .execute()
  await db.schema.createIndex('evidence_uses_by_time').on('evidence_uses').columns(['at']).execute()
}

async function addEvidenceColumns(db: Kysely<unknown>, store: StoreDialect): Promise<void> {
  await db.schema.alterTable('evidence').addColumn('started_at', store.textType).execute()
  await db.schema
    .alterTable('evidence')
    .addColumn('complete', 'integer', (column) => column.notNull().defaultTo(0))
    .execute()
  // There were no reports of tests before: a pass was all that told of every test.
  await sql`update evidence set started_at = ${store.jsonText('evidence', 'startedAt')},
    complete = case when conclusion = 'passed' then 1 else 0 end`.execute(db)
  await db.schema
    .createIndex('evidence_by_completion')
    .on('evidence')
    .columns(['repo', 'check_name', 'complete', 'finished_at'])
    .execute()
  await db.schema.createIndex('evidence_by_time').on('evidence').columns(['finished_at']).execute()
}

type Rejections = { decisions: { sequence: number; outcome: string; decision: string; failed_rule: string | null } }

const AT_ONCE = 500

async function addFailedRule(untyped: Kysely<unknown>, store: StoreDialect): Promise<void> {
  await untyped.schema.alterTable('decisions').addColumn('failed_rule', store.textType).execute()
  await untyped.schema.createIndex('decisions_by_time').on('decisions').columns(['decided_at']).execute()
  const db = untyped as Kysely<Rejections>
  for (let after = 0; ;) {
    const rows = await db
      .selectFrom('decisions')
      .select(['sequence', 'decision'])
      .where('outcome', '=', 'reject')
      .where('sequence', '>', after)
      .orderBy('sequence')
      .limit(AT_ONCE)
      .execute()
    for (const { sequence, decision } of rows) {
      const { rules } = JSON.parse(decision) as { rules: Rule[] }
      const failed = firstFailing(rules)
      await db.updateTable('decisions').set({ failed_rule: failed }).where('sequence', '=', sequence).execute()
    }
    const last = rows.at(-1)
    if (last === undefined) return
    after = last.sequence
  }
}
