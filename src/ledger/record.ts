import type { Kysely } from 'kysely'
import type { Outcome } from '#domain/decision'
import type { Policy } from '#domain/policy'
import type { Instant } from '#domain/pull-request'
import { evidenceIds, firstFailing } from '#domain/rules'
import { answers } from './answers.ts'
import { auditTrail } from './audit-trail.ts'
import { evidenceRecord } from './evidence-record.ts'
import { parse } from './json.ts'
import { isNewest } from './newest-decision.ts'
import type { Landing, Ledger, PullRequestCounts, RecordedDecision } from './port.ts'
import type { RecordTables, Tables } from './schema.ts'
import { statistics } from './statistics.ts'

/** The record's queries, in the SQL that every store speaks. */
export function createRecord(tables: Kysely<Tables>): Omit<Ledger, 'about' | 'close'> {
  return {
    ...policies(tables),
    ...evidenceRecord(tables),
    ...decisions(tables),
    ...landings(tables),
    ...auditTrail(tables),
    ...answers(tables),
    statistics: (filter) => statistics(tables, filter),
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

function decisions(tables: Kysely<Tables>) {
  return {
    saveDecision: (decision: RecordedDecision) => saveDecision(tables, decision),
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

async function saveDecision(tables: Kysely<Tables>, decision: RecordedDecision): Promise<void> {
  const { workflowId, snapshotId, policyDigest, repo, number, outcome, decidedAt, rules } = decision
  const failed = outcome === 'reject' ? firstFailing(rules) : null
  const content = { outcome, decided_at: decidedAt, decision: JSON.stringify(decision), failed_rule: failed }
  const key = { workflow_id: workflowId, snapshot_id: snapshotId, policy_digest: policyDigest }
  await tables.transaction().execute(async (transaction) => {
    await transaction
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
    const usedBy = `decision:${workflowId}:${snapshotId}:${policyDigest}`
    await recordUses(transaction, evidenceIds(rules), { used_by: usedBy, repo, at: decidedAt })
  })
}

/** Once for each user: `stats` tells from it how often evidence was there already. */
async function recordUses(
  tables: Kysely<Tables>,
  ids: string[],
  use: Omit<RecordTables['evidence_uses'], 'evidence_id'>,
): Promise<void> {
  if (ids.length === 0) return
  await tables
    .insertInto('evidence_uses')
    .values(ids.map((id) => ({ evidence_id: id, ...use })))
    .onConflict((conflict) => conflict.doNothing())
    .execute()
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
      .where(isNewest),
  )
}

async function count(query: {
  executeTakeFirstOrThrow(): Promise<{ count: string | number | bigint }>
}): Promise<number> {
  return Number((await query.executeTakeFirstOrThrow()).count)
}

function landings(tables: Kysely<Tables>) {
  return {
    async saveLanding({ commit, evidenceId, ...landing }: Landing): Promise<void> {
      const { repo, branch, at } = landing
      await tables.transaction().execute(async (transaction) => {
        await transaction
          .insertInto('landings')
          .values({ ...landing, commit_sha: commit, evidence_id: evidenceId })
          .onConflict((conflict) => conflict.doNothing())
          .execute()
        await recordUses(transaction, [evidenceId], { used_by: `landing:${repo}@${branch}:${commit}`, repo, at })
      })
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
  }
}
