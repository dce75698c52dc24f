import { createHash } from 'node:crypto'
import type { Kysely, QueryCreator } from 'kysely'
import type { CheckName } from '#domain/policy'
import type { Instant } from '#domain/pull-request'
import type { FlakyTest } from './port.ts'
import type { Tables } from './schema.ts'

/** PostgreSQL refuses longer keys than about 2,700 bytes, and a repository and a check stand beside it. */
const LONGEST_KEY = 1_000

/** A test's name as it is kept: a longer one is cut, and told from its neighbours by its digest. */
export function testKey(name: string): string {
  if (Buffer.byteLength(name) <= LONGEST_KEY) return name
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 16)
  return `${name.slice(0, LONGEST_KEY / 5)}… ${digest}`
}

export function testFailures(tables: Kysely<Tables>) {
  return {
    async failingSince(runs: Runs, tests: string[]): Promise<Map<string, Instant>> {
      const keys = new Map(tests.map((test) => [testKey(test), test]))
      if (keys.size === 0) return new Map()
      const rows = await tables
        .with('failed', (db) => lastCleanRuns(db, runs, [...keys.keys()]))
        .selectFrom('test_failures as failure')
        .innerJoin('failed', 'failed.test', 'failure.test')
        .innerJoin('evidence as run', 'run.id', 'failure.evidence_id')
        .select(({ fn }) => ['failure.test', fn.min('failure.at').as('since')])
        .where('failure.repo', '=', runs.repo)
        .where('failure.check_name', '=', runs.check)
        .where('run.number', '=', runs.number)
        .where(({ or, eb, ref }) =>
          or([eb('failed.clean_at', 'is', null), eb('failure.at', '>', ref('failed.clean_at').$notNull())]),
        )
        .groupBy('failure.test')
        .execute()
      return new Map(rows.map(({ test, since }) => [keys.get(test) ?? test, since]))
    },
    async flakyTests({ repo, since }: { repo?: string; since?: Instant }): Promise<FlakyTest[]> {
      let query = tables
        .selectFrom('test_failures as failure')
        .select(({ fn }) => [
          'failure.repo',
          'failure.check_name as check',
          'failure.test',
          fn.max('failure.at').as('at'),
        ])
        .select(({ fn }) => fn.countAll().as('failures'))
        .where(({ exists, selectFrom }) =>
          exists(
            selectFrom('evidence as pass')
              .select('pass.id')
              .whereRef('pass.repo', '=', 'failure.repo')
              .whereRef('pass.check_name', '=', 'failure.check_name')
              .whereRef('pass.subject', '=', 'failure.subject')
              .whereRef('pass.digest', '=', 'failure.digest')
              .where('pass.conclusion', '=', 'passed')
              .whereRef('pass.finished_at', '>=', 'failure.at'),
          ),
        )
      if (repo !== undefined) query = query.where('failure.repo', '=', repo)
      if (since !== undefined) query = query.where('failure.at', '>=', since)
      const rows = await query
        .groupBy(['failure.repo', 'failure.check_name', 'failure.test'])
        .orderBy('failures', 'desc')
        .orderBy('at', 'desc')
        .orderBy('failure.test')
        .limit(MOST_FLAKY)
        .execute()
      return rows.map(({ at, failures, ...test }) => ({ ...test, failures: Number(failures), lastFailedAt: at }))
    },
  }
}

const MOST_FLAKY = 100

type Runs = { repo: string; number: number; check: CheckName }

/** Of each of these tests that ever failed, when the newest of these runs ended that tells of it no failure. */
function lastCleanRuns(tables: QueryCreator<Tables>, { repo, number, check }: Runs, tests: string[]) {
  return tables
    .selectFrom((db) =>
      db
        .selectFrom('test_failures')
        .select('test')
        .distinct()
        .where('repo', '=', repo)
        .where('check_name', '=', check)
        .where('test', 'in', tests)
        .as('each'),
    )
    .select((db) => [
      'each.test',
      db
        .selectFrom('evidence')
        .select('evidence.finished_at')
        .where('evidence.repo', '=', repo)
        .where('evidence.number', '=', number)
        .where('evidence.check_name', '=', check)
        .where('evidence.complete', '=', 1)
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom('test_failures as same')
                .select('same.test')
                .whereRef('same.evidence_id', '=', 'evidence.id')
                .whereRef('same.test', '=', 'each.test'),
            ),
          ),
        )
        // Walks the index from its end: no farther than the test has been failing.
        .orderBy('evidence.finished_at', 'desc')
        .limit(1)
        .as('clean_at'),
    ])
}
