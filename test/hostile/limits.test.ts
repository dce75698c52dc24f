import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findResourceLimits } from '#activities/tests/limits'
import type { CommandRunner } from '#activities/tests/port'
import { defaultLimits, type Limits } from '#domain/limits'
import { createFixture, processesWith, type Fixture, type Outcome } from '../activities/tests/support.ts'

let fixture: Fixture
let commit: string

const grow = `
const all = []
setInterval(() => all.push(Buffer.alloc(20e6, 1)), 5)
`
const share = `
import { fork } from 'node:child_process'
if (process.argv[2] !== 'child') {
  const children = [1, 2, 3].map(() => fork(import.meta.filename, ['child']))
  setTimeout(() => children.forEach((child) => child.kill()), 1500)
} else setInterval(() => {}, 1000)
`

beforeAll(async () => {
  fixture = await createFixture()
  commit = await fixture.commit({ 'grow.mjs': grow, 'share.mjs': share })
})
afterAll(() => fixture.remove())

describe.each(['required', 'none'] as const)('with isolation "%s", a command', (isolation) => {
  let runner: CommandRunner
  beforeAll(() => {
    runner = fixture.runner({ isolation, slots: 1 })
  })

  const limited = (run: string, limits: Partial<Limits>): Promise<Outcome> =>
    fixture.run(runner, commit, { run, limits: { ...defaultLimits, ...limits }, timeout: 20_000 })

  test('that wants more memory than it may fails for that reason, and leaves nothing', async () => {
    const outcome = await limited('node grow.mjs', { memory: 3e8 })
    expect(outcome).toMatchObject({ conclusion: 'failed', reason: 'it wanted more than 300 MB of memory' })
    expect(outcome.duration).toBeLessThan(10_000)
    expect(processesWith('grow.mjs')).toEqual([])
  })

  test('whose processes together want more than one may fails too', async () => {
    const outcome = await limited('for i in 1 2 3 4 5 6; do node grow.mjs & done; wait', { memory: 6e8 })
    expect(outcome.reason).toBe('it wanted more than 600 MB of memory')
    expect(processesWith('grow.mjs')).toEqual([])
  })

  test('with processes that fit into the memory passes', async () => {
    expect(await limited('node share.mjs', { memory: 6e8 })).toMatchObject({ conclusion: 'passed' })
  })

  test('that starts processes without end fails for that reason, and leaves none', async () => {
    const mark = `sleep 6${isolation.length}1`
    const outcome = await limited(`i=0; while [ $i -lt 3000 ]; do ${mark} & i=$((i+1)); done; wait`, { processes: 64 })
    expect(outcome).toMatchObject({ conclusion: 'failed', reason: 'it wanted more than 64 processes' })
    expect(processesWith(mark)).toEqual([])
  })

  test('that writes a file larger than it may fails for that reason', async () => {
    const outcome = await limited('head -c 3000000 /dev/zero > large', { fileSize: 2e6 })
    expect(outcome).toMatchObject({ conclusion: 'failed' })
    expect(outcome.reason).toMatch(/^it wanted a file of more than 2 MB /)
  })

  test('leaves no core dump', async () => {
    const outcome = await limited(`ulimit -c unlimited; sh -c 'kill -SEGV $$'; ulimit -c`, {})
    expect(outcome.stdout.trim()).toBe('0')
  })
})

describe('in a sandbox', () => {
  const limited = (run: string, limits: Partial<Limits>) =>
    fixture.run(fixture.runner({ slots: 1 }), commit, { run, limits: { ...defaultLimits, ...limits }, timeout: 20_000 })

  test('a fork bomb ends, and the next check runs as ever', async () => {
    const outcome = await limited('bomb() { bomb | bomb & }; bomb; sleep 15', { processes: 64 })
    expect(outcome).toMatchObject({ conclusion: 'failed', reason: 'it wanted more than 64 processes' })
    expect(processesWith('bomb()')).toEqual([])
    expect(await limited('true', {})).toMatchObject({ conclusion: 'passed' })
  })

  test('shared memory is bounded as well', async () => {
    const { stdout } = await limited('df -B1 --output=size /dev/shm | tail -1; touch /dev/x 2>&1', { memory: 4e8 })
    const [size, refusal] = stdout.trim().split('\n')
    expect(Number(size)).toBeLessThanOrEqual(1.01e8)
    expect(refusal).toMatch(/Read-only|No such|denied/)
  })

  test('/dev has what programs expect', async () => {
    const devices = 'echo x > /dev/null && head -c 1 /dev/urandom > /dev/null && head -c 1 /dev/zero > x'
    expect(await limited(`${devices} && touch /dev/shm/x`, {})).toMatchObject({ conclusion: 'passed' })
  })
})

describe('where prlimit is missing', () => {
  test('it is said that files may have any size', () => {
    const resources = findResourceLimits({ PATH: '/nonexistent' }, true)
    expect(resources.before(defaultLimits)).toEqual([])
    expect(resources.gaps).toEqual([expect.stringContaining('install prlimit')])
  })

  test('nothing is said where it is not', () => {
    expect(findResourceLimits(process.env, true).gaps).toEqual([])
  })
})
