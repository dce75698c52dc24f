import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CommandRunner } from '#activities/tests/port'
import { spokenDuration } from '#activities/tests/outcome'
import { createFixture, eventually, isRunning, processesWith, type Fixture } from './support.ts'

let fixture: Fixture
let commit: string

beforeAll(async () => {
  fixture = await createFixture()
  commit = await fixture.commit({
    'readme.md': 'hello\n',
    'stubborn.sh': { executable: '#!/bin/sh\ntrap "" TERM INT HUP\nwhile :; do sleep 0.05; done\n' },
    plain: 'no program\n',
  })
})
afterAll(() => fixture.remove())

describe.each(['required', 'none'] as const)('a command with isolation "%s"', (isolation) => {
  let runner: CommandRunner
  beforeAll(() => {
    runner = fixture.runner({ isolation })
  })
  const run = (shell: string, policy = {}, rest = {}) => fixture.run(runner, commit, { run: shell, ...policy }, rest)

  test('passes with exit code 0', async () => {
    expect(await run('true')).toMatchObject({ conclusion: 'passed', exitCode: 0 })
  })

  test('fails with another exit code', async () => {
    expect(await run('exit 3')).toMatchObject({ conclusion: 'failed', reason: 'exit code 3', exitCode: 3 })
  })

  test('that is missing is named', async () => {
    expect(await run('cd . && npm-of-nobody test')).toMatchObject({
      conclusion: 'failed',
      reason: 'command not found: npm-of-nobody',
    })
  })

  test('that is no program is named', async () => {
    expect(await run('./plain')).toMatchObject({ conclusion: 'failed', reason: "command can't be executed: ./plain" })
  })

  test('that takes too long is timed out, although it ignores TERM', async () => {
    const outcome = await run('./stubborn.sh', { timeout: 300 })
    expect(outcome).toMatchObject({ conclusion: 'timed-out', reason: 'timed out after 300 ms' })
    expect(outcome.duration).toBeLessThan(5_000)
  })

  test('that writes an endless file is killed by name', async () => {
    const outcome = await run('head -c 1000 /dev/zero > x; prlimit --fsize=2048 sh -c "head -c 9999 /dev/zero > y"')
    expect(outcome).toMatchObject({ conclusion: 'failed', reason: expect.stringContaining('SIGXFSZ') })
  })

  test('that claims to be the sandbox is a failed command', async () => {
    expect((await run('echo "bwrap: no" >&2; exit 1')).conclusion).toBe('failed')
  })

  test('finds its standard input', async () => {
    expect((await run('cat', {}, { stdin: 'a diff\n' })).stdout).toBe('a diff\n')
  })

  test('that reads where nothing is given sees the end', async () => {
    expect(await run('cat')).toMatchObject({ conclusion: 'passed', stdout: '' })
  })

  test('leaves no daemon behind', async () => {
    await run(`setsid sh -c 'exec sleep 4711.${isolation.length}' >/dev/null 2>&1 & sleep 0.1`)
    await eventually('the daemon is gone', () => processesWith(`sleep 4711.${isolation.length}`).length === 0)
  })

  test('writes both streams to its log, after its own line', async () => {
    const { text } = await run('echo out; echo err >&2')
    expect(text.split('\n').toSorted()).toEqual(['', '$ echo out; echo err >&2', 'err', 'out'])
  })

  test('dies when it is cancelled, and the run rejects with the reason', async () => {
    const controller = new AbortController()
    let pid = 0
    const onStage = (stage: { stage: string; pid: number | null }) => {
      if (stage.stage !== 'running') return
      pid = stage.pid ?? 0
      controller.abort(new Error('a new head'))
    }
    await expect(run('./stubborn.sh', {}, { signal: controller.signal, onStage })).rejects.toThrow('a new head')
    expect(isRunning(pid)).toBe(false)
  })

  test('gets the network variables of nobody: setup that fails is the reason', async () => {
    const outcome = await run('true', { setup: 'echo no registry; exit 1' })
    expect(outcome).toMatchObject({ conclusion: 'failed', reason: 'setup: exit code 1' })
    expect(outcome.text).toContain('no registry')
  })

  test('finds what setup made when nothing is kept', async () => {
    expect((await run('cat made', { setup: 'echo yes > made' })).stdout).toBe('yes\n')
  })
})

test('1 GB of output is 10 MB of log and 1 MB of answer', async () => {
  const outcome = await fixture.run(fixture.runner(), commit, { run: 'yes | head -c 1000000000' })
  expect(outcome.conclusion).toBe('passed')
  expect(outcome.log.bytes).toBeLessThan(10_001_000)
  expect(outcome.stdout.length).toBeLessThanOrEqual(1024 * 1024)
})

test('the stages of a run are told in their order', async () => {
  const stages: string[] = []
  const onStage = ({ stage }: { stage: string }) => stages.push(stage)
  await fixture.run(fixture.runner(), commit, { setup: 'true' }, { onStage })
  expect(stages).toEqual(['waiting', 'checkout', 'setup', 'running'])
})

test('a commit that is missing is infrastructure, not the fault of the change', async () => {
  const outcome = await fixture.run(fixture.runner(), 'a'.repeat(40), {}, { trusted: commit })
  expect(outcome.conclusion).toBe('infrastructure')
})

test('a log that has no room is infrastructure', async () => {
  const full = {
    create: async () => ({
      write: () => {},
      close: async () =>
        Promise.reject(Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })),
    }),
    read: async () => null,
    path: () => null,
    ofPullRequest: async () => [],
  }
  const outcome = await fixture
    .runner({ logs: full })
    .run({ ...(await aRun()), policy: { ...(await aRun()).policy, run: 'true' } })
  expect(outcome).toMatchObject({ conclusion: 'infrastructure', reason: expect.stringContaining('no space left') })
})

async function aRun() {
  return {
    repo: 'shop',
    gitDir: fixture.gitDir,
    commit,
    trusted: commit,
    policy: { run: 'true', setup: null, keep: null, timeout: 9_000, retries: 0, network: false, env: [] },
    stdin: null,
    env: {},
    logName: 'full',
    signal: new AbortController().signal,
    onStage: () => {},
  }
}

test.each([
  [900_000, '15 m'],
  [90_000, '90 s'],
  [1_500, '1.5 s'],
  [300, '300 ms'],
])('%i ms is spoken as %s', (duration, spoken) => expect(spokenDuration(duration)).toBe(spoken))

test('the state folder has no lock and no process record after a run', async () => {
  await fixture.run(fixture.runner(), commit, {})
  const { execFileSync } = await import('node:child_process')
  const left = execFileSync('find', [join(fixture.home, 'hosts'), '-name', 'lock*', '-o', '-name', 'process'])
  expect(left.toString()).toBe('')
  expect(await readFile(join(fixture.gitDir, 'HEAD'), 'utf8')).toContain('refs/heads')
})
