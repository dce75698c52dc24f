import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { PassThrough } from 'node:stream'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createFileLogStore } from '#activities/logs/files'
import { runCli } from '#client/cli'
import { workerLog } from '#installation/layout'
import type { Installation } from '#installation/installation'
import { openLedger } from '#ledger/sqlite'
import { auditEntry, decision, evidence, landing, minute } from '../ledger/entries.ts'
import { NOW, pullRequest } from './samples.ts'

/** An installation with a real ledger and real logs, and no server. */
async function installation() {
  const home = await mkdtemp(join(tmpdir(), 'switchyard-looking-'))
  onTestFinished(() => rm(home, { recursive: true, force: true }))
  const ledger = await openLedger(join(home, 'ledger.db'), { synchronous: 'normal' })
  onTestFinished(() => ledger.close())
  const logs = createFileLogStore(join(home, 'logs', 'checks'))
  const config = { repositories: [{ name: 'shop', remote: '/nowhere' }] }
  const forge = { getPullRequest: async (_: string, number: number) => (number > 9 ? null : pullRequest()) }
  const opened = { config, ledger, logs, forge, paths: { file: null, home }, close: async () => {} }

  /** Runs a command line; `interrupt` is Ctrl-C. */
  function start(line: string) {
    const stdout = new PassThrough()
    const stderr = new PassThrough()
    let text = ''
    let errors = ''
    stdout.on('data', (chunk) => (text += String(chunk)))
    stderr.on('data', (chunk) => (errors += String(chunk)))
    const interrupted = new AbortController()
    const code = runCli(line.split(' '), {
      ...{ cwd: home, env: { SWITCHYARD_HOME: home, PATH: process.env.PATH }, isTerminal: false },
      ...{ stdin: new PassThrough(), stdout, stderr, now: () => new Date(NOW), signal: interrupted.signal },
      openInstallation: async () => opened as unknown as Installation,
      connect: async () => Promise.reject(new Error('nobody connects')),
    })
    const interrupt = async () => {
      interrupted.abort()
      return await code
    }
    const shows = (part: string) => vi.waitFor(() => expect(text).toContain(part), { timeout: 10_000, interval: 20 })
    return { code, interrupt, shows, text: () => text, errors: () => errors }
  }

  async function run(line: string) {
    const started = start(line)
    const code = await started.code
    return { code, text: started.text(), errors: started.errors() }
  }
  return { home, ledger, logs, start, run }
}

test('audit says who did what, when, and on which snapshot', async () => {
  const { ledger, run } = await installation()
  await ledger.appendAudit(auditEntry())
  await ledger.appendAudit(auditEntry({ key: 'b', at: minute(2), action: 'pr.decided', snapshotId: 'f'.repeat(64) }))
  const { code, text } = await run('audit --repo shop')
  expect(code).toBe(0)
  expect(text).toMatch(/2026-01-01T00:02:00\.000Z +ann@example\.com +pr\.decided +shop#1 +ffffffff +title=x/)
})

test('audit filters, and is one document', async () => {
  const { ledger, run } = await installation()
  const entry = auditEntry({ key: 'b', at: '2026-01-02T00:00:00.000Z', action: 'pr.closed', number: 2 })
  await ledger.appendAudit(auditEntry())
  await ledger.appendAudit(entry)
  const only = async (flags: string) => JSON.parse((await run(`audit --json ${flags}`)).text) as unknown
  for (const flags of [
    '--pr 2',
    '--pr shop#2',
    '--action pr.closed',
    '--since 1d',
    '--since 2026-01-02',
    '--limit 1',
  ]) {
    expect(await only(flags)).toEqual([entry])
  }
  expect(await only('--actor nobody')).toEqual([])
})

test.each([
  ['audit --since yesterday', '--since takes a duration or an instant'],
  ['audit --limit 0', '--limit takes a number'],
  ['stats --since x', '--since takes a duration or an instant'],
  ['stats --repo nowhere', 'There is no repository "nowhere"'],
  ['logs', 'Whose logs?'],
  ['logs 1 --worker merge', 'Whose logs?'],
  ['logs --worker mrege', 'Did you mean merge?'],
  ['logs --worker merge', 'has written nothing here yet'],
])('%s is refused with 2', async (line, said) => {
  const { code, errors } = await (await installation()).run(line)
  expect([code, errors]).toEqual([2, expect.stringContaining(said)])
})

test('audit --follow prints each entry once, late ones too, one document a line, until Ctrl-C', async () => {
  const { ledger, start } = await installation()
  const at = (second: number) => new Date(Date.parse(NOW) + 1_000 * second).toISOString()
  await ledger.appendAudit(auditEntry({ key: 'old', at: minute(0) }))
  const following = start('audit --follow --json')
  await following.shows('"old"')
  await ledger.appendAudit(auditEntry({ key: 'new', at: at(5) }))
  await following.shows('"new"')
  await ledger.appendAudit(auditEntry({ key: 'late', at: at(2) }))
  await following.shows('"late"')
  expect(await following.interrupt()).toBe(130)
  const keys = following
    .text()
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { key: string }).key)
  expect(keys).toEqual(['old', 'new', 'late'])
})

test('audit of a pull request that does not exist is refused with 2', async () => {
  const { ledger, run } = await installation()
  await ledger.appendAudit(auditEntry())
  const { code, errors } = await run('audit --pr 999')
  expect([code, errors]).toEqual([2, expect.stringContaining('There is no pull request shop#999.')])
})

test('audit of an action that no entry has names those on record', async () => {
  const { ledger, run } = await installation()
  await ledger.appendAudit(auditEntry({ action: 'pr.landed' }))
  await ledger.appendAudit(auditEntry({ key: 'b', action: 'pr.decided' }))
  const { code, text } = await run('audit --action nonsense')
  const said = 'No entries: "nonsense" is no action on record, which has pr.decided, pr.landed.\n'
  expect([code, text]).toEqual([0, said])
})

test('audit --follow --limit leaves out older entries of the last minutes for good', async () => {
  const { ledger, start } = await installation()
  const at = (second: number) => new Date(Date.parse(NOW) + 1_000 * second).toISOString()
  for (const second of [-3, -2, -1]) await ledger.appendAudit(auditEntry({ key: `old${second}`, at: at(second) }))
  const following = start('audit --follow --json --limit 1')
  await following.shows('"old-1"')
  await ledger.appendAudit(auditEntry({ key: 'new', at: at(5) }))
  await following.shows('"new"')
  expect(await following.interrupt()).toBe(130)
  expect(following.text().match(/"key":"[^"]+"/g)).toEqual(['"key":"old-1"', '"key":"new"'])
})

test('stats counts and measures', async () => {
  const { ledger, run } = await installation()
  await ledger.appendAudit(auditEntry({ at: minute(0) }))
  await ledger.appendAudit(auditEntry({ key: 'e', at: minute(1), action: 'pr.ejected', details: { kind: 'conflict' } }))
  await ledger.saveDecision(decision({ decidedAt: minute(2) }))
  const failed = { rule: 'tests', outcome: 'fail', reason: 'red', evidence: 'e2' } as const
  await ledger.saveDecision(decision({ number: 2, workflowId: 'pr:2', outcome: 'reject', rules: [failed] }))
  await ledger.saveLanding(landing({ at: minute(4) }))
  const tests = { total: 1, failed: 1, skipped: 0, failures: [{ name: 'adds', message: 'no', since: null }] }
  await ledger.saveEvidence(evidence({ id: 'e2', conclusion: 'failed', tests }))
  await ledger.saveEvidence(evidence({ finishedAt: minute(3) }))
  const { code, text } = await run('stats --json --since 7d')
  expect(code).toBe(0)
  expect(JSON.parse(text)).toEqual({
    repo: null,
    since: '2025-12-26T03:04:05.000Z',
    reviewed: 2,
    landed: 1,
    refused: [{ reason: 'tests', count: 1 }],
    ejected: [{ kind: 'conflict', count: 1 }],
    timeToLand: { p50: 240_000, p95: 240_000 },
    approvedToLanded: { p50: 120_000, p95: 120_000 },
    checks: [{ check: 'tests', runs: 2, p50: 60_000, p95: 180_000 }],
    evidence: { uses: 3, reused: 1, reuseRate: 33.3 },
    flakyTests: [{ repo: 'shop', check: 'tests', test: 'adds', failures: 1, lastFailedAt: minute(1) }],
  })
  const shown = (await run('stats')).text
  expect(shown).toMatch(/refused 1 tests\n.*1 conflict[^]*opened → landed +1 +4 m +4 m[^]*flaky shop tests: adds/)
  expect(shown).toContain(
    'decisions used 3 results of checks, of which 1 (33.3 %) was there already and not run again\n',
  )
})

test('stats of a quiet time say that nothing was flaky', async () => {
  const { text } = await (await installation()).run('stats')
  expect(text).toContain('decisions used no results of checks\nflaky tests: none\n')
})

test('logs --worker prints the last lines of the process that holds the role', async () => {
  const { home, run } = await installation()
  const path = workerLog(home, 'testing')
  await mkdir(dirname(path), { recursive: true })
  const entry = {
    level: 40,
    time: Date.parse(NOW),
    msg: 'hints',
    err: { message: 'token ghp_0123456789abcdefghijABCDEFGHIJ012345' },
  }
  await writeFile(path, `first\n${JSON.stringify(entry)}\n(node) a warning\n`)
  const { code, text } = await run('logs --worker security --lines 2')
  expect(code).toBe(0)
  expect(text).toMatch(/^2026-01-02T03:04:05\.000Z {2}warn {2}hints: token .*\n\(node\) a warning\n$/)
  expect(text).not.toContain('ghp_0123456789')
  const documents = JSON.parse((await run('logs --worker testing --json')).text) as object[]
  expect(documents).toMatchObject([{ line: 'first' }, { level: 40, msg: 'hints' }, { line: '(node) a warning' }])
})

test('logs --worker prints the last line of a crash, which has no line break', async () => {
  const { home, run } = await installation()
  const path = workerLog(home, 'testing')
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, 'first\nout of mem')
  expect((await run('logs --worker testing --lines 1')).text).toBe('out of mem\n')
})

test('logs --worker --follow prints whole lines as they come, also of a process that starts later', async () => {
  const { home, start } = await installation()
  const path = workerLog(home, 'merge')
  const following = start('logs --worker merge --follow')
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, 'one\ntw')
  await following.shows('one\n')
  await appendFile(path, 'o\n')
  await following.shows('two\n')
  expect(await following.interrupt()).toBe(130)
  expect(following.text()).toBe('one\ntwo\n')
})

test('logs --follow prints what a check prints while it runs, and then the next one', async () => {
  const { logs, start } = await installation()
  const running = await logs.create(`shop.1.tests-${'a'.repeat(32)}-1.log`)
  running.write(Buffer.from('ok 1\n'))
  const following = start('logs 1 --follow')
  await following.shows('ok 1\n')
  running.write(Buffer.from('ok 2\n'))
  await following.shows('ok 2\n')
  await running.close()
  const next = await logs.create(`shop.1.lint-${'b'.repeat(32)}-1.log`)
  next.write(Buffer.from('no findings\n'))
  await following.shows('no findings\n')
  await next.close()
  expect(await following.interrupt()).toBe(130)
  expect(following.text()).toMatch(/^tests {2}of shop#1\nok 1\nok 2\nlint {2}of shop#1\nno findings\n$/)
})
