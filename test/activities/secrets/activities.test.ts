import { MockActivityEnvironment } from '@temporalio/testing'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createSecretActivities, type SecretRequest } from '#activities/secrets/activities'
import type { SecretScanOutcome } from '#activities/secrets/port'
import { createSecretScanner } from '#activities/secrets/secretlint'
import type { CheckResult } from '#domain/evidence'
import type { Policy } from '#domain/policy'
import type { Sha, Snapshot } from '#domain/pull-request'
import type { Ledger } from '#ledger/port'
import { openLedger } from '#ledger/sqlite'
import { createHistory, type History } from '../review/history.ts'

// Put together here, so that no scanner takes this file for a leak.
const githubToken = ['ghp', '_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8'].join('')

let history: History
let folder: string
let ledger: Ledger
let base: Sha
let head: Sha
let scans: number

beforeEach(async () => {
  history = await createHistory()
  base = await history.commit({ 'app.js': 'let a = 1\n' })
  head = await history.commit({ 'app.js': 'let a = 2\n' })
  folder = await mkdtemp(join(tmpdir(), 'switchyard-secrets-'))
  ledger = await openLedger(join(folder, 'ledger.db'))
  scans = 0
  const policy = { checks: { secrets: { allow: [] } } } as unknown as Policy
  await ledger.savePolicy('shop', 'policy 1', policy)
})

afterEach(async () => {
  await ledger.close()
  await history.remove()
  await rm(folder, { recursive: true, force: true })
})

async function scan(said: { title: string; body: string }, outcome: Partial<SecretScanOutcome> = {}) {
  const id = JSON.stringify(said)
  await ledger.saveSnapshot({ id, repo: 'shop', number: 1, ...said } as Snapshot)
  const real = createSecretScanner()
  const scanner: typeof real = {
    ...real,
    scan: async (input) => {
      scans += 1
      return { ...(await real.scan(input)), ...outcome }
    },
  }
  const { scanSecrets } = createSecretActivities({ scanner, ledger, repository: () => history.git })
  const request: SecretRequest = {
    repo: 'shop',
    number: 1,
    check: { name: 'secrets', digest: 'd', timeout: 60_000, retries: 0 },
    subject: { kind: 'range', base, head },
    policyDigest: 'policy 1',
    evidenceMaxAge: 1e9,
    snapshotId: id,
  }
  const environment = new MockActivityEnvironment({ activityId: id })
  return environment.run(scanSecrets, request) as Promise<CheckResult>
}

test('a clean pull request passes, and its commits are scanned once', async () => {
  expect((await scan({ title: 'Add', body: 'more' })).conclusion).toBe('passed')
  expect(await scan({ title: 'Add', body: 'even more' })).toMatchObject({ conclusion: 'passed', reused: true })
  expect(scans).toBe(1)
})

test.each(['title', 'body'])('a secret in the %s fails the check although its commits passed before', async (name) => {
  await scan({ title: 'Add', body: '' })
  expect(await scan({ title: 'Add', body: '', [name]: `use ${githubToken}` })).toMatchObject({
    conclusion: 'failed',
    reason: `1 secret: GitHub token ghp_**** in the ${name}`,
    findings: [{ rule: 'github-token', path: null, commit: null }],
    findingsTotal: 1,
    reused: false,
  })
})

test('a secret in the title is no evidence against the commits', async () => {
  const failed = await scan({ title: githubToken, body: '' })
  expect((await ledger.evidence(failed.id))?.conclusion).toBe('failed')
  expect(await scan({ title: 'Add', body: '' })).toMatchObject({ conclusion: 'passed', reused: true })
})

test('what was too large to scan fails the check and says what to do', async () => {
  const result = await scan({ title: 'Add', body: '' }, { unscanned: ['a.bin (11000000 bytes) of commit abc'] })
  expect(result.conclusion).toBe('failed')
  expect(result.reason).toBe(
    'too large to scan: a.bin (11000000 bytes) of commit abc; split the pull request, keep large files out of git, ' +
      'or allow "<path>:unscanned" in the policy of the base',
  )
})

test('no result holds a value of title or body', async () => {
  const result = await scan({ title: githubToken, body: `password: "Tr0ub4dor&3xyz"` })
  const written = JSON.stringify([result, await ledger.evidence(result.id)])
  expect([written.includes(githubToken.slice(0, 6)), written.includes('Tr0ub')]).toEqual([false, false])
})
