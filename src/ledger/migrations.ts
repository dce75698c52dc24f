import type { CreateTableBuilder, Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import { addFailuresAndStatistics } from './migration-0003.ts'
import { addReactions } from './migration-0004.ts'
import { addClarifications } from './migration-0005.ts'
import { addPullRequestOfEvidence } from './migration-0006.ts'
import { texts, type StoreDialect } from './store-dialect.ts'

/** Forward only: a step that ran anywhere is never edited, the next change is a new one. Names sort by age. */
export function migrations(store: StoreDialect): Record<string, Migration> {
  return {
    '0001-record': { up: (db) => createRecord(db, store) },
    '0002-local-forge': { up: (db) => createLocalForge(db, store) },
    '0003-failures-and-statistics': { up: (db) => addFailuresAndStatistics(db, store) },
    '0004-reactions': { up: (db) => addReactions(db, store) },
    '0005-clarifications': { up: (db) => addClarifications(db, store) },
    '0006-pull-request-of-evidence': { up: addPullRequestOfEvidence },
  }
}

async function createRecord(db: Kysely<unknown>, store: StoreDialect): Promise<void> {
  await db.schema
    .createTable('policies')
    .addColumn('digest', store.textType, (column) => column.primaryKey())
    .addColumn('repo', store.textType, (column) => column.notNull())
    .addColumn('policy', store.textType, (column) => column.notNull())
    .execute()
  await texts(db.schema.createTable('good_policies'), ['repo', 'branch', 'digest', 'at'], store)
    .addPrimaryKeyConstraint('good_policies_key', ['repo', 'branch'])
    .addForeignKeyConstraint('good_policies_policy', ['digest'], 'policies', ['digest'])
    .execute()
  await db.schema
    .createTable('snapshots')
    .addColumn('id', store.textType, (column) => column.primaryKey())
    .addColumn('repo', store.textType, (column) => column.notNull())
    .addColumn('number', 'integer', (column) => column.notNull())
    .addColumn('snapshot', store.textType, (column) => column.notNull())
    .execute()
  await createEvidence(db, store)
  await createDecisions(db, store)
  await createLandings(db, store)
  await createAudit(db, store)
}

async function createEvidence(db: Kysely<unknown>, store: StoreDialect): Promise<void> {
  const columns = ['id', 'repo', 'check_name', 'subject', 'digest', 'conclusion', 'finished_at', 'evidence']
  await texts(sequenced(db, 'evidence', store), columns, store)
    .addUniqueConstraint('evidence_id', ['id'])
    .execute()
  await db.schema
    .createIndex('evidence_by_subject')
    .on('evidence')
    .columns(['repo', 'check_name', 'subject', 'digest', 'conclusion', 'finished_at'])
    .execute()
}

async function createDecisions(db: Kysely<unknown>, store: StoreDialect): Promise<void> {
  const columns = ['workflow_id', 'snapshot_id', 'policy_digest', 'repo', 'outcome', 'decided_at', 'decision']
  await texts(sequenced(db, 'decisions', store), columns, store)
    .addColumn('number', 'integer', (column) => column.notNull())
    .addUniqueConstraint('decisions_key', ['workflow_id', 'snapshot_id', 'policy_digest'])
    .execute()
  await db.schema
    .createIndex('decisions_by_number')
    .on('decisions')
    .columns(['repo', 'number', 'decided_at', 'sequence'])
    .execute()
}

async function createLandings(db: Kysely<unknown>, store: StoreDialect): Promise<void> {
  const columns = ['repo', 'branch', 'commit_sha', 'head', 'base', 'tree', 'evidence_id', 'at']
  await texts(sequenced(db, 'landings', store), columns, store)
    .addColumn('number', 'integer', (column) => column.notNull())
    .addUniqueConstraint('landings_key', ['repo', 'branch', 'commit_sha'])
    .execute()
}

async function createAudit(db: Kysely<unknown>, store: StoreDialect): Promise<void> {
  await texts(sequenced(db, 'audit', store), ['key', 'at', 'actor', 'action', 'repo', 'details'], store)
    .addColumn('number', 'integer')
    .addColumn('snapshot_id', store.textType)
    .addUniqueConstraint('audit_key', ['key'])
    .execute()
  await db.schema.createIndex('audit_by_number').on('audit').columns(['repo', 'number', 'at']).execute()
  await db.schema.createIndex('audit_by_time').on('audit').columns(['at', 'sequence']).execute()
}

async function createLocalForge(db: Kysely<unknown>, store: StoreDialect): Promise<void> {
  const columns = ['repo', 'title', 'body', 'author', 'state', 'labels', 'head_ref', 'head_sha', 'base_ref', 'base_sha']
  await texts(db.schema.createTable('forge_pull_requests'), [...columns, 'created_at', 'updated_at'], store)
    .addColumn('number', 'integer', (column) => column.notNull())
    .addColumn('draft', 'integer', (column) => column.notNull())
    .addColumn('merged_sha', store.textType)
    .addColumn('merged_tree', store.textType)
    .addColumn('merged_method', store.textType)
    .addColumn('merged_at', store.textType)
    .addPrimaryKeyConstraint('forge_pull_requests_key', ['repo', 'number'])
    .execute()
  await db.schema
    .createIndex('forge_open_heads')
    .unique()
    .on('forge_pull_requests')
    .columns(['repo', 'head_ref'])
    .where('state' as never, '=', 'open' as never)
    .execute()
  await createForgeDetails(db, store)
}

async function createForgeDetails(db: Kysely<unknown>, store: StoreDialect): Promise<void> {
  const pullRequest = ['repo', 'number'] as never[]
  await texts(sequenced(db, 'forge_reviews', store), ['repo', 'author', 'state', 'head', 'body', 'at'], store)
    .addColumn('number', 'integer', (column) => column.notNull())
    .addForeignKeyConstraint('forge_reviews_of', pullRequest, 'forge_pull_requests', ['repo', 'number'])
    .execute()
  await db.schema.createIndex('forge_reviews_by_number').on('forge_reviews').columns(['repo', 'number']).execute()
  await texts(sequenced(db, 'forge_comments', store), ['repo', 'author', 'body', 'created_at', 'updated_at'], store)
    .addColumn('number', 'integer', (column) => column.notNull())
    .addColumn('key', store.textType)
    .addUniqueConstraint('forge_comments_key', ['repo', 'number', 'key'])
    .addForeignKeyConstraint('forge_comments_of', pullRequest, 'forge_pull_requests', ['repo', 'number'])
    .execute()
  await texts(db.schema.createTable('forge_checks'), ['repo', 'head', 'name', 'status', 'summary'], store)
    .addColumn('conclusion', store.textType)
    .addColumn('details_url', store.textType)
    .addPrimaryKeyConstraint('forge_checks_key', ['repo', 'head', 'name'])
    .execute()
  await texts(sequenced(db, 'forge_hints', store), ['repo', 'id', 'kind'], store)
    .addColumn('number', 'integer')
    .addColumn('ref', store.textType)
    .execute()
}

function sequenced(db: Kysely<unknown>, table: string, store: StoreDialect): CreateTableBuilder<string, string> {
  return db.schema.createTable(table).addColumn('sequence', store.sequenceType, (column) => store.sequence(column))
}
