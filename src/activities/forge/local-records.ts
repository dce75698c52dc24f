import type { Insertable, Selectable } from 'kysely'
import type { ForgeTables, LedgerTables } from '#ledger/port'
import { comments } from './local-comments.ts'
import { insertAudit, insertHints } from './local-steps.ts'
import type { ForgeRecords, PullRequestRecord, RecordChanges } from './records.ts'

type Row = Selectable<ForgeTables['forge_pull_requests']>

/** Records in the ledger's database. */
export function createLocalRecords(database: LedgerTables): ForgeRecords {
  return {
    ...pullRequests(database),
    ...reviews(database),
    ...comments(database),
    ...checks(database),
    ...hints(database),
  }
}

function pullRequests(database: LedgerTables): Pick<ForgeRecords, 'insert' | 'get' | 'list' | 'update'> {
  return {
    insert: (record, entryOf) =>
      database.transaction().execute(async (transaction) => {
        const { repo, head } = record
        await lockRepository(transaction, repo)
        const existing = await openNumber(transaction, repo, head.ref)
        if (existing !== null) return { existing }
        const table = transaction.selectFrom('forge_pull_requests').where('repo', '=', repo)
        const { last } = await table.select(({ fn }) => fn.max('number').as('last')).executeTakeFirstOrThrow()
        const number = (last ?? 0) + 1
        await transaction
          .insertInto('forge_pull_requests')
          .values(toRow({ ...record, number }))
          .execute()
        await insertAudit(transaction, [entryOf({ ...record, number })])
        await insertHints(transaction, repo, [{ kind: 'pull-request', number, ref: head.ref }])
        return { number }
      }),
    async get(repo, number) {
      const row = await database
        .selectFrom('forge_pull_requests')
        .selectAll()
        .where('repo', '=', repo)
        .where('number', '=', number)
        .executeTakeFirst()
      return row ? fromRow(row) : null
    },
    async list(repo, state) {
      let query = database.selectFrom('forge_pull_requests').selectAll().where('repo', '=', repo).orderBy('number')
      if (state !== 'all') query = query.where('state', '=', state)
      return (await query.execute()).map(fromRow)
    },
    update: (repo, number, from, changes, added, entries) =>
      database.transaction().execute(async (transaction) => {
        if (changes.state === 'open' && (await hasOpenTwin(transaction, repo, number))) return false
        const { numUpdatedRows } = await transaction
          .updateTable('forge_pull_requests')
          .set(changedColumns(changes))
          .where('repo', '=', repo)
          .where('number', '=', number)
          .where('state', 'in', from)
          .executeTakeFirstOrThrow()
        if (numUpdatedRows === 0n) return false
        await insertAudit(transaction, entries)
        await insertHints(transaction, repo, added)
        return true
      }),
  }
}

/** Opening is one after the other in each repository, whatever the store: numbers have no gap, heads no second PR. */
async function lockRepository(tables: LedgerTables, repo: string): Promise<void> {
  await tables
    .insertInto('forge_repositories')
    .values({ repo })
    .onConflict((conflict) => conflict.column('repo').doUpdateSet({ repo }))
    .execute()
}

async function openNumber(tables: LedgerTables, repo: string, headRef: string): Promise<number | null> {
  const open = await tables
    .selectFrom('forge_pull_requests')
    .select('number')
    .where('repo', '=', repo)
    .where('head_ref', '=', headRef)
    .where('state', '=', 'open')
    .executeTakeFirst()
  return open?.number ?? null
}

/** Whether another PR is open for the head of this one, which is to be opened again. */
async function hasOpenTwin(tables: LedgerTables, repo: string, number: number): Promise<boolean> {
  await lockRepository(tables, repo)
  const { head_ref: headRef } = await tables
    .selectFrom('forge_pull_requests')
    .select('head_ref')
    .where('repo', '=', repo)
    .where('number', '=', number)
    .executeTakeFirstOrThrow()
  const open = await openNumber(tables, repo, headRef)
  return open !== null && open !== number
}

function reviews(database: LedgerTables): Pick<ForgeRecords, 'addReview' | 'reviews'> {
  return {
    addReview: (repo, number, review, entry, once) =>
      database.transaction().execute(async (transaction) => {
        // First: whoever else submits the same at this moment waits for it, and then finds it there.
        if ((await insertAudit(transaction, [entry])) === 0 && once) return false
        await transaction
          .insertInto('forge_reviews')
          .values({ repo, number, ...review })
          .execute()
        await insertHints(transaction, repo, [{ kind: 'review', number, ref: null }])
        return true
      }),
    reviews: (repo, number) =>
      database
        .selectFrom('forge_reviews')
        .select(['author', 'state', 'head', 'body', 'at'])
        .where('repo', '=', repo)
        .where('number', '=', number)
        .orderBy('sequence')
        .execute(),
  }
}

function checks(database: LedgerTables): Pick<ForgeRecords, 'putCheck' | 'checks'> {
  return {
    async putCheck(repo, head, { name, detailsUrl, ...check }) {
      const content = { ...check, details_url: detailsUrl }
      await database
        .insertInto('forge_checks')
        .values({ repo, head, name, ...content })
        .onConflict((conflict) => conflict.columns(['repo', 'head', 'name']).doUpdateSet(content))
        .execute()
    },
    checks: (repo, head) =>
      database
        .selectFrom('forge_checks')
        .select(['name', 'status', 'conclusion', 'summary', 'details_url as detailsUrl'])
        .where('repo', '=', repo)
        .where('head', '=', head)
        .orderBy('name')
        .execute(),
  }
}

function hints(database: LedgerTables): Pick<ForgeRecords, 'addHints' | 'takeHints'> {
  return {
    addHints: (repo, added) =>
      database.transaction().execute(async (transaction) => {
        const waiting = await transaction.selectFrom('forge_hints').select('id').where('repo', '=', repo).execute()
        const ids = new Set(waiting.map(({ id }) => id))
        const news = added.filter(({ id }) => id === undefined || !ids.has(id))
        await insertHints(transaction, repo, news)
      }),
    async takeHints(repo, limit) {
      // A worker takes them once a second: most times there are none, and a read takes no lock.
      const waiting = database.selectFrom('forge_hints').where('repo', '=', repo).orderBy('sequence').limit(limit)
      const sequences = (await waiting.select('sequence').execute()).map((row) => row.sequence)
      if (sequences.length === 0) return []
      const taken = await database
        .deleteFrom('forge_hints')
        .where('sequence', 'in', sequences)
        .returning(['sequence', 'id', 'kind', 'number', 'ref'])
        .execute()
      return taken
        .sort((a, b) => a.sequence - b.sequence)
        .map(({ sequence, id, ...hint }) => ({ ...hint, id: id || `hint:${sequence}` }))
    },
  }
}

function toRow(record: PullRequestRecord): Insertable<ForgeTables['forge_pull_requests']> {
  const { repo, number, title, body, author, state, draft, labels, head, base, merged } = record
  return {
    ...{ repo, number, title, body, author, state, draft: draft ? 1 : 0, labels: JSON.stringify(labels) },
    ...{ head_ref: head.ref, head_sha: head.sha, base_ref: base.ref, base_sha: base.sha },
    ...mergedColumns(merged),
    created_at: record.createdAt,
    updated_at: record.updatedAt,
  }
}

function fromRow(row: Row): PullRequestRecord {
  const { repo, number, title, body, author, state } = row
  const { merged_sha: sha, merged_tree: tree, merged_method: method, merged_at: at } = row
  return {
    ...{ repo, number, title, body, author, state, draft: row.draft === 1, labels: JSON.parse(row.labels) as string[] },
    head: { ref: row.head_ref, sha: row.head_sha },
    base: { ref: row.base_ref, sha: row.base_sha },
    merged: sha && tree && method && at ? { sha, tree, method, at } : null,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}

function changedColumns(changes: RecordChanges): Partial<Row> {
  const { headSha, baseSha, baseRef, draft, labels, merged, updatedAt, ...texts } = changes
  return {
    ...texts,
    ...(headSha && { head_sha: headSha }),
    ...(baseSha && { base_sha: baseSha }),
    ...(baseRef && { base_ref: baseRef }),
    ...(draft !== undefined && { draft: draft ? 1 : 0 }),
    ...(labels && { labels: JSON.stringify(labels) }),
    ...(merged && mergedColumns(merged)),
    updated_at: updatedAt,
  }
}

function mergedColumns(merged: PullRequestRecord['merged']) {
  return {
    merged_sha: merged?.sha ?? null,
    merged_tree: merged?.tree ?? null,
    merged_method: merged?.method ?? null,
    merged_at: merged?.at ?? null,
  }
}
