import type { Kysely, SelectQueryBuilder } from 'kysely'
import { parse } from './json.ts'
import { isNewest } from './newest-decision.ts'
import type { AuditEntry, Statistics, StatisticsFilter } from './port.ts'
import type { Tables } from './schema.ts'

/** Cases that a percentile is made of, at most: the newest ones. */
const MOST_CASES = 10_000

export async function statistics(tables: Kysely<Tables>, filter: StatisticsFilter): Promise<Statistics> {
  const [reviewed, landed, refused, ejected, landings, checks, uses, fresh] = await Promise.all([
    countPullRequests(tables, 'decisions', 'decided_at', filter),
    countPullRequests(tables, 'landings', 'at', filter),
    refusals(tables, filter),
    ejections(tables, filter),
    landingTimes(tables, filter),
    checkRuns(tables, filter),
    countUses(tables, filter),
    countFirstUses(tables, filter),
  ])
  return {
    ...{ reviewed, landed, refused, ejected, checks },
    toLand: landings.flatMap(({ at, opened }) => between(opened, at)),
    approvedToLand: landings.flatMap(({ at, approved }) => between(approved, at)),
    evidence: { uses, reuses: uses - fresh },
  }
}

/** Clocks of two hosts may differ: no time is negative. */
function between(from: string | null, to: string): number[] {
  return from === null ? [] : [Math.max(0, Date.parse(to) - Date.parse(from))]
}

async function countPullRequests(
  tables: Kysely<Tables>,
  table: 'decisions' | 'landings',
  time: 'decided_at' | 'at',
  { repo, since }: StatisticsFilter,
): Promise<number> {
  // Both have the columns; the union of their types is more than kysely infers.
  const rows = tables.selectFrom(table as 'decisions').where(time as 'decided_at', '>=', since)
  const distinct = (repo === undefined ? rows : rows.where('repo', '=', repo)).select(['repo', 'number']).distinct()
  return count(tables.selectFrom(distinct.as('each')).select(({ fn }) => fn.countAll().as('count')))
}

async function refusals(tables: Kysely<Tables>, { repo, since }: StatisticsFilter): Promise<Statistics['refused']> {
  let query = tables
    .selectFrom('decisions as decision')
    .select(({ fn }) => ['decision.failed_rule as reason', fn.countAll().as('count')])
    .where('decision.outcome', '=', 'reject')
    .where('decision.decided_at', '>=', since)
    .where(isNewest)
  if (repo !== undefined) query = query.where('decision.repo', '=', repo)
  const rows = await query.groupBy('decision.failed_rule').execute()
  return mostFirst(rows.map(({ reason, count }) => ({ reason: reason ?? 'unknown', count: Number(count) })))
}

async function ejections(tables: Kysely<Tables>, { repo, since }: StatisticsFilter): Promise<Statistics['ejected']> {
  let query = tables
    .selectFrom('audit')
    .select('details')
    .where('action', '=', 'pr.ejected')
    .where('at', '>=', since)
    .orderBy('at', 'desc')
    .limit(MOST_CASES)
  if (repo !== undefined) query = query.where('repo', '=', repo)
  const kinds = new Map<string, number>()
  for (const { details } of await query.execute()) {
    const kind = String(parse<AuditEntry['details']>(details).kind ?? 'unknown')
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
  }
  return mostFirst([...kinds].map(([kind, count]) => ({ kind, count })))
}

function mostFirst<Each extends { count: number }>(counts: Each[]): Each[] {
  return counts.sort((a, b) => b.count - a.count)
}

async function landingTimes(tables: Kysely<Tables>, { repo, since }: StatisticsFilter) {
  let query = tables
    .selectFrom('landings')
    .select(({ selectFrom }) => [
      'landings.at',
      selectFrom('audit')
        .select(({ fn }) => fn.min('audit.at').as('at'))
        .whereRef('audit.repo', '=', 'landings.repo')
        .whereRef('audit.number', '=', 'landings.number')
        .where('audit.action', '=', 'pr.created')
        .as('opened'),
      selectFrom('decisions')
        .select(({ fn }) => fn.max('decisions.decided_at').as('at'))
        .whereRef('decisions.repo', '=', 'landings.repo')
        .whereRef('decisions.number', '=', 'landings.number')
        .where('decisions.outcome', '=', 'approve')
        .whereRef('decisions.decided_at', '<=', 'landings.at')
        .as('approved'),
    ])
    .where('landings.at', '>=', since)
    .orderBy('landings.at', 'desc')
    .limit(MOST_CASES)
  if (repo !== undefined) query = query.where('landings.repo', '=', repo)
  return await query.execute()
}

async function checkRuns(tables: Kysely<Tables>, { repo, since }: StatisticsFilter): Promise<Statistics['checks']> {
  let query = tables
    .selectFrom('evidence')
    .select(['check_name', 'started_at', 'finished_at'])
    .where('finished_at', '>=', since)
    .where('conclusion', 'in', ['passed', 'failed', 'timed-out'])
    .orderBy('finished_at', 'desc')
    .limit(MOST_CASES)
  if (repo !== undefined) query = query.where('repo', '=', repo)
  const runs = Map.groupBy(await query.execute(), (run) => run.check_name)
  return [...runs.keys()].sort().map((check) => ({
    check,
    durations: runs.get(check)!.flatMap((run) => between(run.started_at, run.finished_at)),
  }))
}

async function countUses(tables: Kysely<Tables>, filter: StatisticsFilter): Promise<number> {
  return count(uses(tables, filter).select(({ fn }) => fn.countAll().as('count')))
}

/** Those before which no other use of the same evidence was. */
async function countFirstUses(tables: Kysely<Tables>, filter: StatisticsFilter): Promise<number> {
  const first = uses(tables, filter).where(({ not, exists, selectFrom }) =>
    not(
      exists(
        selectFrom('evidence_uses as earlier')
          .select('earlier.used_by')
          .whereRef('earlier.evidence_id', '=', 'use.evidence_id')
          .where(({ and, or, eb, ref }) =>
            or([
              eb('earlier.at', '<', ref('use.at')),
              and([eb('earlier.at', '=', ref('use.at')), eb('earlier.used_by', '<', ref('use.used_by'))]),
            ]),
          ),
      ),
    ),
  )
  return count(first.select(({ fn }) => fn.countAll().as('count')))
}

function uses(tables: Kysely<Tables>, { repo, since }: StatisticsFilter) {
  const found = tables.selectFrom('evidence_uses as use').where('use.at', '>=', since)
  return repo === undefined ? found : found.where('use.repo', '=', repo)
}

async function count<Database, From extends keyof Database>(
  query: SelectQueryBuilder<Database, From, { count: string | number | bigint }>,
): Promise<number> {
  return Number((await query.executeTakeFirstOrThrow()).count)
}
