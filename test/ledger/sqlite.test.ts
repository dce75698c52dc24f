import { chmod, mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { execa } from 'execa'
import { Kysely, sql } from 'kysely'
import { Migrator } from 'kysely/migration'
import { expect, it, onTestFinished } from 'vitest'
import { sqlite } from '#ledger/database'
import { migrations } from '#ledger/migrations'
import { NodeSqliteDialect, openNodeSqlite } from '#ledger/node-sqlite'
import type { Tables } from '#ledger/schema'
import { openLedger } from '#ledger/sqlite'
import { auditEntry, decision, evidence, minute, snapshot } from './entries.ts'
import { temporaryFile, temporaryLedger } from './fixtures.ts'

const program = join(import.meta.dirname, 'open-and-append.ts')

it('survives being opened for the first time by several processes at once, and loses no write', async () => {
  const path = await temporaryFile()
  const names = ['a', 'b', 'c', 'd', 'e']
  await Promise.all(names.map((name) => execa(process.execPath, [program, path, name, '5'])))
  const ledger = await openLedger(path)
  onTestFinished(() => ledger.close())
  const keys = (await ledger.audit({})).map((entry) => entry.key)
  expect(keys.sort()).toEqual(names.flatMap((name) => [0, 1, 2, 3, 4].map((index) => `${name}:${index}`)))
})

it('keeps what was written when it is closed and opened again', async () => {
  const path = await temporaryFile()
  const first = await openLedger(path)
  await first.saveSnapshot(snapshot())
  await first.close()
  const second = await openLedger(path)
  onTestFinished(() => second.close())
  expect(await second.snapshot('snapshot-1')).toEqual(snapshot())
})

it('shares one connection in a process, so that two users never wait for each other', async () => {
  const path = await temporaryFile()
  const [first, second] = await Promise.all([openLedger(path), openLedger(path)])
  onTestFinished(() => second.close())
  await Promise.all(
    [first, second].map((ledger, index) =>
      ledger.tables.transaction().execute(async (transaction) => {
        await transaction.selectFrom('audit').selectAll().execute()
        await new Promise(setImmediate)
        await transaction
          .insertInto('policies')
          .values({ digest: `p${index}`, repo: 'shop', policy: '{}' })
          .execute()
      }),
    ),
  )
  await first.close()
  expect(await second.policy('p1')).toEqual({})
})

it('commits durably unless a test asks for speed', async () => {
  const ledger = await openLedger(await temporaryFile())
  onTestFinished(() => ledger.close())
  const { rows } = await sql<{ synchronous: number }>`pragma synchronous`.execute(ledger.tables)
  expect(rows).toEqual([{ synchronous: 2 }])
})

it('names a full disk, and works on when there is room again', async () => {
  const ledger = await temporaryLedger()
  const { rows } = await sql<{ page_count: number }>`pragma page_count`.execute(ledger.tables)
  await sql`pragma max_page_count = ${sql.lit(rows[0]?.page_count ?? 0)}`.execute(ledger.tables)
  const large = snapshot({ body: 'x'.repeat(100_000) })
  await expect(ledger.saveSnapshot(large)).rejects.toMatchObject({ name: 'LedgerError', kind: 'full' })
  await expect(
    ledger.tables
      .transaction()
      .execute((transaction) =>
        transaction
          .insertInto('snapshots')
          .values({ id: 'x', repo: 'shop', number: 1, snapshot: large.body })
          .execute(),
      ),
  ).rejects.toMatchObject({ kind: 'full' })
  await sql`pragma max_page_count = 1000000`.execute(ledger.tables)
  await ledger.saveSnapshot(large)
  expect(await ledger.snapshot(large.id)).toEqual(large)
})

it('names a store that another process keeps locked', async () => {
  const path = await temporaryFile()
  const ledger = await openLedger(path, { busyTimeout: 30 })
  onTestFinished(() => ledger.close())
  const other = new DatabaseSync(path)
  onTestFinished(() => other.close())
  other.exec('begin immediate')
  await expect(ledger.appendAudit(auditEntry())).rejects.toMatchObject({ name: 'LedgerError', kind: 'busy' })
  other.exec('rollback')
  await ledger.appendAudit(auditEntry())
  expect(await ledger.audit({})).toHaveLength(1)
})

it('names a damaged file', async () => {
  const path = await temporaryFile()
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, 'this is no database'.repeat(500))
  await expect(openLedger(path)).rejects.toMatchObject({ name: 'LedgerError', kind: 'corrupt' })
})

it('refuses a file that a newer Switchyard wrote, and says so', async () => {
  const path = await temporaryFile()
  const ledger = await openLedger(path)
  await sql`insert into kysely_migration values ('9999-future', '2030-01-01T00:00:00.000Z')`.execute(ledger.tables)
  await ledger.close()
  await expect(openLedger(path)).rejects.toThrow('newer Switchyard')
})

/** Each file of the store with its mode, while the ledger is open. */
async function modes(path: string): Promise<Record<string, string>> {
  const names = (await readdir(dirname(path))).sort()
  const found = names.map(async (name) => [name, ((await stat(join(dirname(path), name))).mode & 0o777).toString(8)])
  return Object.fromEntries(await Promise.all(found))
}

const PRIVATE = { 'ledger.sqlite': '600', 'ledger.sqlite-shm': '600', 'ledger.sqlite-wal': '600' }

it('is not for other users of this machine', async () => {
  const path = await temporaryFile()
  const ledger = await openLedger(path)
  onTestFinished(() => ledger.close())
  await ledger.appendAudit(auditEntry())
  expect(await modes(path)).toEqual(PRIVATE)
})

it('is taken from other users who could read what an older Switchyard left open', async () => {
  const path = await temporaryFile()
  await mkdir(dirname(path), { recursive: true })
  const left = new DatabaseSync(path)
  onTestFinished(() => left.close())
  left.exec('pragma journal_mode = wal; create table other (id text)')
  for (const name of await readdir(dirname(path))) await chmod(join(dirname(path), name), 0o644)
  const ledger = await openLedger(path)
  onTestFinished(() => ledger.close())
  expect(await modes(path)).toEqual(PRIVATE)
})

it('fills the newer columns of what version 0.1.0 wrote', async () => {
  const path = await temporaryFile()
  await mkdir(dirname(path), { recursive: true })
  const old = new Kysely<Tables>({
    dialect: new NodeSqliteDialect(openNodeSqlite(path, { busyTimeout: 1_000, synchronous: 'normal' })),
  })
  const steps = Object.entries(migrations(sqlite)).slice(0, 2)
  const provider = { getMigrations: async () => Object.fromEntries(steps) }
  expect((await new Migrator({ db: old, provider }).migrateToLatest()).error).toBeUndefined()
  for (const [id, conclusion] of [
    ['e1', 'passed'],
    ['e2', 'failed'],
  ] as const) {
    const row = evidence({ id, conclusion })
    await sql`insert into evidence (id, repo, check_name, subject, digest, conclusion, finished_at, evidence)
      values (${id}, 'shop', 'tests', 'tree:1', 'd', ${conclusion}, ${row.finishedAt}, ${JSON.stringify(row)})`.execute(
      old,
    )
  }
  const failed = { rule: 'review', outcome: 'fail', reason: '', evidence: null } as const
  for (const outcome of ['approve', 'reject']) {
    const made = JSON.stringify(decision({ rules: [failed] }))
    await sql`insert into decisions (workflow_id, snapshot_id, policy_digest, repo, number, outcome, decided_at, decision)
      values ('pr:1', ${outcome}, 'p', 'shop', 1, ${outcome}, ${minute(2)}, ${made})`.execute(old)
  }
  await old.destroy()
  const { tables, close } = await openLedger(path)
  onTestFinished(close)
  const runs = await tables
    .selectFrom('evidence')
    .select(['id', 'started_at', 'complete', 'number'])
    .orderBy('id')
    .execute()
  expect(runs).toEqual([
    { id: 'e1', started_at: minute(0), complete: 1, number: null },
    { id: 'e2', started_at: minute(0), complete: 0, number: null },
  ])
  const rules = await tables.selectFrom('decisions').select(['outcome', 'failed_rule']).orderBy('outcome').execute()
  expect(rules).toEqual([
    { outcome: 'approve', failed_rule: null },
    { outcome: 'reject', failed_rule: 'review' },
  ])
})
