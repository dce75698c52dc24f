import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { sql } from 'kysely'
import { describe, expect, inject, it, onTestFinished, vi } from 'vitest'
import { createLocalRecords } from '#activities/forge/local-records'
import { openPostgresLedger, passwordOf, placeOf, withPassword } from '#ledger/postgres'
import { hasPostgres, query, temporaryDatabase } from '../support/postgres-database.ts'
import { startPostgres } from '../support/postgres.ts'
import { auditEntry, minute, openedRecord, snapshot } from './entries.ts'
import { postgresLedger } from './postgres-fixtures.ts'

const program = join(import.meta.dirname, 'open-and-append.ts')
const server = inject('postgres')

describe.skipIf(!hasPostgres)('a ledger in PostgreSQL', () => {
  it('survives being opened for the first time by several processes at once, and loses no write', async () => {
    const address = await temporaryDatabase()
    const names = ['a', 'b', 'c']
    await Promise.all(names.map((name) => execa(process.execPath, [program, address, name, '3'])))
    const ledger = await openPostgresLedger(address)
    onTestFinished(() => ledger.close())
    const keys = (await ledger.audit({})).map((entry) => entry.key)
    expect(keys.sort()).toEqual(names.flatMap((name) => [0, 1, 2].map((index) => `${name}:${index}`)))
  })

  it('sorts and compares texts byte by byte, whatever language the database is in', async () => {
    const ledger = await postgresLedger()
    for (const key of ['b', 'B', 'a', 'ä']) await ledger.appendAudit(auditEntry({ key }))
    const sorted = await ledger.tables.selectFrom('audit').select('key').orderBy('key').execute()
    expect(sorted.map(({ key }) => key)).toEqual(['B', 'a', 'b', 'ä'])
  })

  it('counts in numbers', async () => {
    const ledger = await postgresLedger()
    await ledger.appendAudit(auditEntry())
    const row = await ledger.tables
      .selectFrom('audit')
      .select(({ fn }) => ['sequence', fn.countAll().as('count')])
      .groupBy('sequence')
      .executeTakeFirst()
    expect(row).toEqual({ sequence: 1, count: 1 })
  })

  it('commits durably', async () => {
    const ledger = await postgresLedger()
    const { rows } = await sql<{ synchronous_commit: string }>`show synchronous_commit`.execute(ledger.tables)
    expect(rows).toEqual([{ synchronous_commit: 'on' }])
  })

  it('says what it is, without its password', async () => {
    const ledger = await postgresLedger()
    const about = await ledger.about()
    expect(about).toMatchObject({ store: 'postgres', version: expect.stringMatching(/^\d+\.\d+$/) as string })
    expect(about.place).toMatch(/^postgres:\/\/switchyard@127\.0\.0\.1:\d+\/test_/)
    expect(about.bytes).toBeGreaterThan(1_000_000)
  })

  it('refuses a database that a newer Switchyard wrote, and says so', async () => {
    const address = await temporaryDatabase()
    await (await openPostgresLedger(address)).close()
    await query(address, `insert into kysely_migration values ('9999-future', '2030-01-01T00:00:00.000Z')`)
    await expect(openPostgresLedger(address)).rejects.toThrow('newer Switchyard')
  })

  it('refuses a database that keeps no Unicode', async () => {
    const address = await temporaryDatabase(`encoding 'LATIN1' locale_provider libc locale 'C' template template0`)
    await expect(openPostgresLedger(address)).rejects.toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('LATIN1') as string,
    })
  })

  it.each([
    ['a wrong password', (url: string) => url.replace(/:[^:@]+@/, ':wrong@')],
    ['no password', (url: string) => url.replace(/:[^:@]+@/, '@')],
    ['an unknown database', (url: string) => `${url}_not`],
    ['an unknown person', (url: string) => url.replace('switchyard:', 'nobody:')],
  ])('refuses %s, and names the place without a password', async (_, wrong) => {
    const address = wrong(await temporaryDatabase())
    const error = await openPostgresLedger(address).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ name: 'LedgerError', kind: 'refused' })
    expect((error as Error).message).toContain(placeOf(address))
    expect((error as Error).message).not.toContain(server!.url.split(':')[2]!.split('@')[0])
  })

  it('says that a server does not answer', async () => {
    const error = await openPostgresLedger('postgres://me:secret-word@127.0.0.1:1/ledger').catch(
      (thrown: unknown) => thrown,
    )
    expect(error).toMatchObject({ name: 'LedgerError', kind: 'unavailable' })
    expect((error as Error).message).toContain('postgres://me@127.0.0.1:1/ledger')
    expect((error as Error).message).not.toContain('secret-word')
  })
})

describe.skipIf(!hasPostgres)('steps that meet each other', () => {
  it('are repeated when the server undid one of two that wait for each other', async () => {
    const ledger = await postgresLedger()
    const records = createLocalRecords(ledger.tables)
    for (const head of ['a', 'b']) await records.insert(openedRecord('shop', head), () => auditEntry({ key: head }))
    let tries = 0
    const rename = (first: number, second: number, title: string, met: () => Promise<void>) =>
      ledger.tables.transaction().execute(async (transaction) => {
        tries += 1
        for (const [index, number] of [first, second].entries()) {
          if (index === 1) await met()
          await transaction
            .updateTable('forge_pull_requests')
            .set({ title })
            .where('repo', '=', 'shop')
            .where('number', '=', number)
            .execute()
        }
      })
    const both = Promise.withResolvers<undefined>()
    let arrived = 0
    const met = async () => {
      arrived += 1
      if (arrived === 2) both.resolve(undefined)
      await both.promise
    }
    await Promise.all([rename(1, 2, 'x', met), rename(2, 1, 'y', met)])
    expect(tries).toBe(3)
    const titles = (await records.list('shop', 'open')).map(({ title }) => title)
    expect(new Set(titles).size).toBe(1)
  })

  it('do not wait for ever for one that hangs: it is busy', async () => {
    const ledger = await postgresLedger({ lockTimeout: 50 })
    const records = createLocalRecords(ledger.tables)
    await records.insert(openedRecord('shop', 'a'), () => auditEntry())
    const { promise: end, resolve } = Promise.withResolvers<undefined>()
    const { promise: held, resolve: hold } = Promise.withResolvers<undefined>()
    const hanging = ledger.tables.transaction().execute(async (transaction) => {
      await transaction.updateTable('forge_pull_requests').set({ title: 'held' }).execute()
      hold(undefined)
      await end
    })
    await held
    const changes = { title: 'other', updatedAt: minute(1) }
    await expect(records.update('shop', 1, ['open'], changes, [], [])).rejects.toMatchObject({ kind: 'busy' })
    resolve(undefined)
    await hanging
    expect(await records.update('shop', 1, ['open'], changes, [], [])).toBe(true)
  })
})

describe.skipIf(!hasPostgres)('a server that goes away', () => {
  async function ownServer() {
    const own = await startPostgres(server!.bin)
    onTestFinished(() => own.remove())
    const ledger = await openPostgresLedger(`${own.url}/postgres`)
    onTestFinished(() => ledger.close())
    return { own, ledger }
  }

  it('is said to, keeps what it acknowledged, and is used again without a restart', { timeout: 60_000 }, async () => {
    const { own, ledger } = await ownServer()
    await ledger.saveSnapshot(snapshot())
    await own.kill()
    await expect(ledger.appendAudit(auditEntry())).rejects.toMatchObject({ name: 'LedgerError', kind: 'unavailable' })
    await own.crash()
    await vi.waitFor(() => ledger.appendAudit(auditEntry()), { timeout: 10_000 })
    expect(await ledger.snapshot('snapshot-1')).toEqual(snapshot())
    expect(await ledger.audit({})).toHaveLength(1)
  })

  it('undoes the transaction that it was in, and does not end the process', { timeout: 60_000 }, async () => {
    const { own, ledger } = await ownServer()
    const failed = ledger.tables.transaction().execute(async (transaction) => {
      await transaction.insertInto('policies').values({ digest: 'p1', repo: 'shop', policy: '{}' }).execute()
      await own.crash()
      await transaction.insertInto('policies').values({ digest: 'p2', repo: 'shop', policy: '{}' }).execute()
    })
    await expect(failed).rejects.toMatchObject({ name: 'LedgerError', kind: 'unavailable' })
    await vi.waitFor(async () => expect(await ledger.policy('p1')).toBeNull(), { timeout: 10_000 })
  })
})

describe('the address of a database', () => {
  it.each([
    ['postgres://me:pw@host:5432/db', 'postgres://me@host:5432/db', 'pw'],
    ['postgresql://me@host/db?password=p%40w&sslmode=require', 'postgres://me@host/db', 'p@w'],
    ['postgres://host/db', 'postgres://host/db', null],
    ['postgres://me:p@w@host/db', 'postgres://me@host/db', 'p@w'],
    ['postgres://:pw@host/db', 'postgres://host/db', 'pw'],
    ['postgres://me:p%zzw@host/db', 'postgres://me@host/db', 'p%zzw'],
  ])('%s is shown as %s', (address, place, password) => {
    expect(placeOf(address)).toBe(place)
    expect(passwordOf(address)).toBe(password)
  })

  it('gets the password of the environment, where it has none itself', async () => {
    const env = { PGPASSWORD: 'a&b' }
    expect(await withPassword('postgres://me@host/db', env)).toBe('postgres://me@host/db?password=a%26b')
    expect(await withPassword('postgres://me@host/db?x=y', env)).toBe('postgres://me@host/db?x=y&password=a%26b')
    expect(await withPassword('postgres://me:pw@host/db', env)).toBe('postgres://me:pw@host/db')
    expect(await withPassword('postgres://me@host/db', {})).toBe('postgres://me@host/db')
  })

  it('gets the password of a file, which comes first', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'switchyard-password-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const file = join(folder, 'password')
    await writeFile(file, 'from file\n')
    const env = { PGPASSWORD: 'other', SWITCHYARD_LEDGER_PASSWORD_FILE: file }
    expect(passwordOf(await withPassword('postgres://me@host/db', env))).toBe('from file')
    await rm(file)
    await expect(withPassword('postgres://me@host/db', env)).rejects.toMatchObject({ kind: 'refused' })
  })
})
