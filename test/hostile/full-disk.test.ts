import { execFileSync } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createFileLogStore } from '#activities/logs/files'
import { createCommandRunner } from '#activities/tests/runner'
import type { CommandRunner } from '#activities/tests/port'
import { createFixture, type Fixture } from '../activities/tests/support.ts'
import { canMount, createSmallDisk, type SmallDisk } from './small-disk.ts'

const files = { 'a.txt': 'a\n', 'lock.json': 'v1\n' }

describe.skipIf(!canMount).each(['required', 'none'] as const)('with isolation "%s", a full disk', (isolation) => {
  let fixture: Fixture
  let disk: SmallDisk
  let commit: string

  beforeEach(async () => {
    fixture = await createFixture()
    commit = await fixture.commit(files)
    disk = await createSmallDisk(16)
    execFileSync('mkdir', ['-p', fixture.home])
  })
  afterEach(async () => {
    await disk.remove()
    await fixture.remove()
  })

  /** `slots`: only the slots and kept paths are on the small disk; `logs`: only the logs. */
  function runnerOn(part: 'slots' | 'logs'): CommandRunner {
    const logs = createFileLogStore(part === 'logs' ? disk.path : join(fixture.home, 'logs'))
    const home = part === 'slots' ? disk.path : fixture.home
    return createCommandRunner({ home, isolation, logs, env: process.env, graceMs: 200, slots: 1 })
  }

  const run = (by: CommandRunner, shell: string, policy = {}) =>
    by.run({
      ...{ repo: 'shop', gitDir: fixture.gitDir, commit, trusted: commit, stdin: null, env: {}, logName: 'a-run.log' },
      policy: { run: shell, setup: null, keep: null, timeout: 20_000, retries: 0, network: false, env: [], ...policy },
      signal: new AbortController().signal,
      onStage: () => {},
    })

  const full = { conclusion: 'infrastructure', reason: expect.stringContaining('no space left on device') }

  test('before a check is infrastructure, and the next one passes when there is space', async () => {
    const runner = runnerOn('slots')
    await disk.fill()
    expect(await run(runner, 'true')).toMatchObject(full)
    await disk.makeRoom()
    expect(await run(runner, 'cat a.txt')).toMatchObject({ conclusion: 'passed', stdout: 'a\n' })
  })

  test('in the middle of a check is infrastructure, whatever the command says', async () => {
    const runner = runnerOn('slots')
    expect(await run(runner, 'head -c 100M /dev/zero > large; exit 1')).toMatchObject(full)
    expect(await run(runner, 'cat a.txt')).toMatchObject({ conclusion: 'passed', stdout: 'a\n' })
  })

  test('that a command makes and cleans up again is seen all the same', async () => {
    const shell = 'head -c 100M /dev/zero > large; sleep 0.5; rm large; exit 1'
    expect(await run(runnerOn('slots'), shell)).toMatchObject(full)
  })

  test('in the middle of setup is infrastructure, and keeps no half of it', async () => {
    const runner = runnerOn('slots')
    const keep = { lockfile: 'lock.json', paths: ['modules'] }
    const setup = 'mkdir modules && echo whole > modules/a && head -c 100M /dev/zero > modules/large'
    expect(await run(runner, 'true', { setup, keep })).toMatchObject(full)
    const smaller = 'mkdir modules && echo whole > modules/a'
    expect(await run(runner, 'cat modules/a', { setup: smaller, keep })).toMatchObject({ stdout: 'whole\n' })
  })

  test('of the logs is infrastructure, and the next one passes when there is space', async () => {
    const runner = runnerOn('logs')
    await mkdir(disk.path, { recursive: true })
    await disk.fill()
    const outcome = await run(runner, 'head -c 100000 /dev/zero | base64').catch((error: Error) => error)
    if (outcome instanceof Error) expect(outcome.message).toMatch(/ENOSPC|no space left/)
    else expect(outcome).toMatchObject(full)
    await disk.makeRoom()
    expect(await run(runner, 'cat a.txt')).toMatchObject({ conclusion: 'passed' })
  })

  test('leaves a red test red', async () => {
    expect(await run(runnerOn('slots'), 'exit 1')).toMatchObject({ conclusion: 'failed', reason: 'exit code 1' })
  })
})
