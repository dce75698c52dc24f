import type { Insertable, Kysely } from 'kysely'
import { evidenceKey, subjectKey, type Evidence, type Subject } from '#domain/evidence'
import type { CheckName } from '#domain/policy'
import type { Snapshot } from '#domain/pull-request'
import { parse } from './json.ts'
import type { RecordTables, Tables } from './schema.ts'
import { testFailures, testKey } from './test-failures.ts'

export function evidenceRecord(tables: Kysely<Tables>) {
  return {
    async saveSnapshot(snapshot: Snapshot): Promise<void> {
      const { id, repo, number } = snapshot
      await tables
        .insertInto('snapshots')
        .values({ id, repo, number, snapshot: JSON.stringify(snapshot) })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    },
    async snapshot(id: string): Promise<Snapshot | null> {
      const row = await tables.selectFrom('snapshots').select('snapshot').where('id', '=', id).executeTakeFirst()
      return row ? parse(row.snapshot) : null
    },
    saveEvidence: (evidence: Evidence) => saveEvidence(tables, evidence),
    async evidence(id: string): Promise<Evidence | null> {
      const row = await tables.selectFrom('evidence').select('evidence').where('id', '=', id).executeTakeFirst()
      return row ? parse(row.evidence) : null
    },
    async findPass(
      repo: string,
      check: CheckName,
      subject: Subject,
      digest: string,
      { inAnySurroundings = false }: { inAnySurroundings?: boolean } = {},
    ): Promise<Evidence | null> {
      const row = await tables
        .selectFrom('evidence')
        .select('evidence')
        .where('repo', '=', repo)
        .where('check_name', '=', check)
        .where('subject', '=', subjectKey(subject))
        .where(({ eb, or, and }) => {
          const same = eb('digest', '=', digest)
          // What starts with `<digest>+`: a comma is the byte after a plus.
          const within = and([eb('digest', '>', `${digest}+`), eb('digest', '<', `${digest},`)])
          return inAnySurroundings ? or([same, within]) : same
        })
        .where('conclusion', '=', 'passed')
        .orderBy('finished_at', 'desc')
        .orderBy('sequence', 'desc')
        .limit(1)
        .executeTakeFirst()
      return row ? parse(row.evidence) : null
    },
    ...testFailures(tables),
  }
}

async function saveEvidence(tables: Kysely<Tables>, evidence: Evidence): Promise<void> {
  const row = evidenceRow(evidence)
  const failures = failureRows(evidence)
  const insert = (within: Kysely<Tables>) =>
    within
      .insertInto('evidence')
      .values(row)
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirstOrThrow()
  if (failures.length === 0) return void (await insert(tables))
  await tables.transaction().execute(async (transaction) => {
    const { numInsertedOrUpdatedRows } = await insert(transaction)
    // What was recorded first stands, and its failures with it.
    if (numInsertedOrUpdatedRows === 0n) return
    await transaction
      .insertInto('test_failures')
      .values(failures)
      .onConflict((conflict) => conflict.doNothing())
      .execute()
  })
}

function evidenceRow(evidence: Evidence): Insertable<RecordTables['evidence']> {
  const { id, repo, number = null, check, subject, conclusion, startedAt, finishedAt } = evidence
  const digest = evidenceKey(evidence)
  return {
    ...{ id, repo, number, check_name: check, subject: subjectKey(subject), digest, conclusion },
    ...{ started_at: startedAt, finished_at: finishedAt, complete: isComplete(evidence) ? 1 : 0 },
    evidence: JSON.stringify(evidence),
  }
}

/** A run that was stopped, or whose report was cut or is missing, says nothing of the tests that it does not name. */
function isComplete({ conclusion, tests }: Evidence): boolean {
  if (conclusion !== 'passed' && conclusion !== 'failed') return false
  return tests ? tests.failures.length >= tests.failed : conclusion === 'passed'
}

function failureRows(evidence: Evidence): Insertable<RecordTables['test_failures']>[] {
  const { id, repo, check, subject, tests, finishedAt } = evidence
  const digest = evidenceKey(evidence)
  const key = { evidence_id: id, repo, check_name: check, subject: subjectKey(subject), digest, at: finishedAt }
  return (tests?.failures ?? []).map(({ name, message }) => ({ ...key, test: testKey(name), message }))
}
