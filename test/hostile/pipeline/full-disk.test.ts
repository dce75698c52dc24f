import { execFile } from 'node:child_process'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  createInstallation,
  startSharedServer,
  type SharedServer,
  type TestInstallation,
} from '../../support/installation.ts'
import type { SampleRepository } from '../../support/repositories.ts'
import { testServer } from '../../support/server.ts'
import { untilAtRest } from '../../e2e/at-rest.ts'
import { openWorkflows } from '../../e2e/histories.ts'
import { violations } from '../../e2e/invariants.ts'
import { filesBelow, strays } from '../../e2e/leftovers.ts'
import { canMount, createSmallDisk, type SmallDisk } from '../small-disk.ts'

const policy = 'version: 1\nchecks:\n  tests: { run: sh check.sh, timeout: 30s, retries: 10 }\n'

async function fill(sample: SampleRepository): Promise<void> {
  const files = { '.switchyard.yaml': policy, 'check.sh': 'sleep 1; echo checked > written && cat written\n' }
  await sample.commit({ message: 'add tests', files })
  for (const branch of ['one', 'two', 'three']) {
    await sample.commit({ branch, message: `add ${branch}`, files: { [`${branch}.txt`]: `${branch}\n` } })
  }
}

/** Ledger, forge, slots, kept paths and logs lie on one disk; the server's own state does not. */
describe.skipIf(!canMount)('a state folder whose disk is full', { timeout: 180_000 }, () => {
  let server: SharedServer
  let disk: SmallDisk
  let rig: TestInstallation
  const temporary = process.env['TMPDIR']

  beforeAll(async () => {
    server = await startSharedServer()
    disk = await createSmallDisk(96)
    process.env['TMPDIR'] = disk.path
    rig = await createInstallation({
      ...{ server, fill, name: 'full-disk', bundlePath: testServer().bundlePath, isolation: 'required' },
      repositories: ['shop'],
    })
    await rig.startWorkers()
  }, 120_000)
  afterAll(async () => {
    if (temporary === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = temporary
    await disk?.makeRoom()
    await rig?.remove()
    await disk?.remove()
    await server?.remove()
  })

  const git = async (...args: string[]) =>
    (await promisify(execFile)('git', ['--git-dir', rig.repositories[0]!.gitDir, ...args])).stdout

  test('refuses a push, and takes it when there is space', async () => {
    const [shop] = rig.repositories
    await disk.fill()
    await expect(rig.push(shop!, 'three')).rejects.toThrow()
    await disk.makeRoom()
    await git('fsck', '--full', '--strict')
    await rig.push(shop!, 'three')
    expect(await git('for-each-ref', '--format=%(refname)', 'refs/heads/three')).toBe('refs/heads/three\n')
  })

  test('at whatever moments lands each pull request once, and fails no test', async () => {
    const [shop] = rig.repositories
    const opened = [await rig.openPullRequest(shop!, 'one'), await rig.openPullRequest(shop!, 'two')]
    // Full from before the first step, then for most of the time: every step meets it.
    for (const wait of [1_500, 900, 2_100, 1_200, 1_700]) {
      await disk.fill()
      await sleep(wait)
      await disk.makeRoom()
      await sleep(400)
    }
    const numbers = opened.map(({ number }) => number)
    await untilAtRest(rig, shop!, numbers, () => null).catch(async (error: unknown) => {
      throw new Error(`${String(error)}\n${(await openWorkflows(rig.connected.client, 'shop')).join('\n')}`)
    })
    const expected = opened.map((each) => ({ ...each, outcome: 'merged' as const }))
    const { installation, connected } = rig
    const scene = { installation, client: connected.client, repository: shop!, expected, byHand: [] }
    const evidence = await installation.ledger.tables.selectFrom('evidence').select('conclusion').execute()
    const failed = evidence.filter(({ conclusion }) => conclusion === 'failed' || conclusion === 'timed-out')
    expect({ found: await violations(scene), failed }).toEqual({ found: [], failed: [] })
  })

  test('harms neither ledger nor forge, and leaves nothing behind', async () => {
    await rig.stopWorkers()
    await git('fsck', '--full', '--strict')
    const [ledger] = (await filesBelow(rig.home)).filter((file) => file.endsWith('ledger.db'))
    const database = new DatabaseSync(ledger!, { readOnly: true })
    expect(database.prepare('pragma integrity_check').all()).toEqual([{ integrity_check: 'ok' }])
    database.close()
    expect(await strays({ state: rig.home, temp: rig.temp })).toEqual([])
  })
})
