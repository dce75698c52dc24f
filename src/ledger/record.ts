import type { Kysely } from 'kysely'
import type { Outcome } from '#domain/decision'
import { subjectKey, type Evidence, type Subject } from '#domain/evidence'
import type { CheckName, Policy } from '#domain/policy'
import type { Instant, Snapshot } from '#domain/pull-request'
import type { AuditEntry, Landing, Ledger, PullRequestCounts, RecordedDecision } from './port.ts'
import type { Tables } from './schema.ts'

/** The record's queries, in the SQL that every store speaks. */
export function createRecord(tables: Kysely<Tables>): Omit<Ledger, 'close'> {
  return {
    ...policies(tables),
    ...snapshotsAndEvidence(tables),
    ...decisions(tables),
    ...landingsAndAudit(tables),
  }
}

function policies(tables: Kysely<Tables>) {
  async function policy(digest: string): Promise<Policy | null> {
    const row = await tables.selectFrom('policies').select('policy').where('digest', '=', digest).executeTakeFirst()
    return row ? parse(row.policy) : null
  }
  return {
    policy,
    async savePolicy(repo: string, digest: string, value: Policy): Promise<void> {
      await tables
        .insertInto('policies')
        .values({ digest, repo, policy: JSON.stringify(value) })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    },
    async lastGoodPolicy(repo: string, branch: string): Promise<{ digest: string; policy: Policy } | null> {
      const row = await tables
        .selectFrom('good_policies')
        .innerJoin('policies', 'policies.digest', 'good_policies.digest')
        .select(['policies.digest', 'policies.policy'])
        .where('good_policies.repo', '=', repo)
        .where('good_policies.branch', '=', branch)
        .executeTakeFirst()
      return row ? { digest: row.digest, policy: parse(row.policy) } : null
    },
    async markGoodPolicy(repo: string, branch: string, digest: string, at: Instant): Promise<void> {
      await tables
        .insertInto('good_policies')
        .values({ repo, branch, digest, at })
        .onConflict((conflict) =>
          conflict
            .columns(['repo', 'branch'])
            .doUpdateSet({ digest, at })
            // A late repetition of an older mark must not bring its policy back.
            .where('good_policies.at', '<=', at),
        )
        .execute()
    },
  }
}

function snapshotsAndEvidence(tables: Kysely<Tables>) {
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
    async saveEvidence(evidence: Evidence): Promise<void> {
      const { id, repo, check, subject, digest, conclusion, finishedAt } = evidence
      const key = { id, repo, check_name: check, subject: subjectKey(subject), digest, conclusion }
      await tables
        .insertInto('evidence')
        .values({ ...key, finished_at: finishedAt, evidence: JSON.stringify(evidence) })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    },
    async evidence(id: string): Promise<Evidence | null> {
      const row = await tables.selectFrom('evidence').select('evidence').where('id', '=', id).executeTakeFirst()
      return row ? parse(row.evidence) : null
    },
    async findPass(repo: string, check: CheckName, subject: Subject, digest: string): Promise<Evidence | null> {
      const row = await tables
        .selectFrom('evidence')
        .select('evidence')
        .where('repo', '=', repo)
        .where('check_name', '=', check)
        .where('subject', '=', subjectKey(subject))
        .where('digest', '=', digest)
        .where('conclusion', '=', 'passed')
        .orderBy('finished_at', 'desc')
        .orderBy('sequence', 'desc')
        .limit(1)
        .executeTakeFirst()
      return row ? parse(row.evidence) : null
    },
  }
}

function decisions(tables: Kysely<Tables>) {
  return {
    async saveDecision(decision: RecordedDecision): Promise<void> {
      const { workflowId, snapshotId, policyDigest, repo, number, outcome, decidedAt } = decision
      const content = { outcome, decided_at: decidedAt, decision: JSON.stringify(decision) }
      const key = { workflow_id: workflowId, snapshot_id: snapshotId, policy_digest: policyDigest }
      await tables
        .insertInto('decisions')
        .values({ ...key, repo, number, ...content })
        .onConflict((conflict) =>
          conflict
            .columns(['workflow_id', 'snapshot_id', 'policy_digest'])
            .doUpdateSet(content)
            // The checks of the same facts, run again, may end differently: the newer decision stands.
            .where('decisions.decided_at', '<', decidedAt),
        )
        .execute()
    },
    async decisions(repo: string, number: number): Promise<RecordedDecision[]> {
      const rows = await tables
        .selectFrom('decisions')
        .select('decision')
        .where('repo', '=', repo)
        .where('number', '=', number)
        .orderBy('decided_at', 'desc')
        .orderBy('sequence', 'desc')
        .execute()
      return rows.map((row) => parse(row.decision))
    },
    async pullRequestCounts(repo: string | null): Promise<PullRequestCounts> {
      const [reviewed, merged, approved, rejected] = await Promise.all([
        countDecided(tables, repo),
        countLanded(tables, repo),
        countByNewestDecision(tables, repo, 'approve'),
        countByNewestDecision(tables, repo, 'reject'),
      ])
      return { reviewed, merged, approved, rejected }
    },
  }
}

async function countDecided(tables: Kysely<Tables>, repo: string | null): Promise<number> {
  const decided = tables
    .selectFrom('decisions')
    .select(['repo', 'number'])
    .distinct()
    .$if(repo !== null, (query) => query.where('repo', '=', repo))
  return count(tables.selectFrom(decided.as('decided')).select(({ fn }) => fn.countAll().as('count')))
}

async function countLanded(tables: Kysely<Tables>, repo: string | null): Promise<number> {
  const landed = tables
    .selectFrom('landings')
    .select(['repo', 'number'])
    .distinct()
    .$if(repo !== null, (query) => query.where('repo', '=', repo))
  return count(tables.selectFrom(landed.as('landed')).select(({ fn }) => fn.countAll().as('count')))
}

async function countByNewestDecision(tables: Kysely<Tables>, repo: string | null, outcome: Outcome): Promise<number> {
  return count(
    tables
      .selectFrom('decisions as decision')
      .select(({ fn }) => fn.countAll().as('count'))
      .where('decision.outcome', '=', outcome)
      .$if(repo !== null, (query) => query.where('decision.repo', '=', repo))
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('decisions as newer')
              .select('newer.sequence')
              .whereRef('newer.repo', '=', 'decision.repo')
              .whereRef('newer.number', '=', 'decision.number')
              .where(({ and, or, eb, ref }) =>
                or([
                  eb('newer.decided_at', '>', ref('decision.decided_at')),
                  and([
                    eb('newer.decided_at', '=', ref('decision.decided_at')),
                    eb('newer.sequence', '>', ref('decision.sequence')),
                  ]),
                ]),
              ),
          ),
        ),
      ),
  )
}

async function count(query: {
  executeTakeFirstOrThrow(): Promise<{ count: string | number | bigint }>
}): Promise<number> {
  return Number((await query.executeTakeFirstOrThrow()).count)
}

function landingsAndAudit(tables: Kysely<Tables>) {
  return {
    async saveLanding({ commit, evidenceId, ...landing }: Landing): Promise<void> {
      await tables
        .insertInto('landings')
        .values({ ...landing, commit_sha: commit, evidence_id: evidenceId })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    },
    async landings(repo: string, branch: string): Promise<Landing[]> {
      const rows = await tables
        .selectFrom('landings')
        .select(['repo', 'branch', 'number', 'head', 'base', 'commit_sha as commit', 'tree', 'at'])
        .select('evidence_id as evidenceId')
        .where('repo', '=', repo)
        .where('branch', '=', branch)
        .orderBy('at')
        .orderBy('sequence')
        .execute()
      return rows.map((row) => ({ ...row }))
    },
    async appendAudit({ snapshotId, details, ...entry }: AuditEntry): Promise<void> {
      await tables
        .insertInto('audit')
        .values({ ...entry, snapshot_id: snapshotId, details: JSON.stringify(details) })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    },
    async audit(filter: { repo?: string; number?: number; since?: Instant; limit?: number }): Promise<AuditEntry[]> {
      let query = tables.selectFrom('audit').selectAll().orderBy('at', 'desc').orderBy('sequence', 'desc')
      if (filter.repo !== undefined) query = query.where('repo', '=', filter.repo)
      if (filter.number !== undefined) query = query.where('number', '=', filter.number)
      if (filter.since !== undefined) query = query.where('at', '>=', filter.since)
      if (filter.limit !== undefined) query = query.limit(filter.limit)
      const rows = await query.execute()
      return rows.reverse().map(({ sequence: _, snapshot_id, details, ...entry }) => ({
        ...entry,
        snapshotId: snapshot_id,
        details: parse(details),
      }))
    },
  }
}

function parse<Value>(json: string): Value {
  return JSON.parse(json) as Value
}
