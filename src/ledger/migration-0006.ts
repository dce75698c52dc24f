import type { Kysely } from 'kysely'

/** Of which pull request a run was: since when a test fails is told from its own runs. Of earlier runs nobody knows. */
export async function addPullRequestOfEvidence(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('evidence').addColumn('number', 'integer').execute()
  await db.schema.dropIndex('evidence_by_completion').execute()
  await db.schema
    .createIndex('evidence_by_pull_request')
    .on('evidence')
    .columns(['repo', 'number', 'check_name', 'complete', 'finished_at'])
    .execute()
}
