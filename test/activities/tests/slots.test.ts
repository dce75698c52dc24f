import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { identify } from '#activities/tests/leftovers'
import { createSlotPool } from '#activities/tests/slots'
import { createFixture, eventually, processesWith, type Fixture } from './support.ts'

let fixture: Fixture
let folder: string
const never = new AbortController().signal

beforeEach(async () => {
  fixture = await createFixture()
  folder = join(fixture.home, 'slots')
})
afterEach(() => fixture.remove())

function deadProcess(): number {
  return spawnSync('true').pid
}

/** Leaves the lock of another process in the only slot. */
async function lockedBy(holder: { pid: number; startedAt: string | null }): Promise<string> {
  const slot = await createSlotPool(folder, 1).acquire('shop', never)
  await slot.release()
  const path = dirname(slot.tree)
  await writeFile(join(path, 'lock'), JSON.stringify(holder))
  return path
}

/** Whether a slot is had before the abort. */
async function isFree(): Promise<boolean> {
  const slot = await createSlotPool(folder, 1)
    .acquire('shop', AbortSignal.timeout(300))
    .catch(() => null)
  await slot?.release()
  return slot !== null
}

describe('a pool of slots', () => {
  test('gives each run another slot', async () => {
    const pool = createSlotPool(folder, 2)
    const [one, two] = await Promise.all([pool.acquire('shop', never), pool.acquire('shop', never)])
    expect(one.tree).not.toBe(two.tree)
  })

  test('lets one run more wait until a slot is given back', async () => {
    const pool = createSlotPool(folder, 1)
    const first = await pool.acquire('shop', never)
    let had = false
    const second = pool.acquire('shop', never).then((slot) => ((had = true), slot))
    await new Promise((done) => setImmediate(done))
    expect(had).toBe(false)
    await first.release()
    expect((await second).tree).toBe(first.tree)
  })

  test('serves those who wait in their order', async () => {
    const pool = createSlotPool(folder, 1)
    const first = await pool.acquire('shop', never)
    const order: number[] = []
    const later = [1, 2, 3].map(async (number) => {
      const slot = await pool.acquire('shop', never)
      order.push(number)
      await slot.release()
    })
    await first.release()
    await Promise.all(later)
    expect(order).toEqual([1, 2, 3])
  })

  test('lets a cancelled run stop waiting', async () => {
    const pool = createSlotPool(folder, 1)
    await pool.acquire('shop', never)
    const controller = new AbortController()
    const waiting = pool.acquire('shop', controller.signal)
    controller.abort(new Error('cancelled'))
    await expect(waiting).rejects.toThrow('cancelled')
  })

  test('goes on after a cancelled one to the next', async () => {
    const pool = createSlotPool(folder, 1)
    const first = await pool.acquire('shop', never)
    const controller = new AbortController()
    const cancelled = pool.acquire('shop', controller.signal).catch(() => null)
    const next = pool.acquire('shop', never)
    controller.abort()
    await cancelled
    await first.release()
    expect((await next).tree).toBe(first.tree)
  })

  test('names no folder after a repository', async () => {
    await createSlotPool(folder, 1).acquire('../../../evil', never)
    expect(await readdir(folder)).toEqual([expect.stringMatching(/^[0-9a-f]{24}$/)])
  })

  test('leaves nothing in scratch folders to the next run', async () => {
    const pool = createSlotPool(folder, 1)
    const slot = await pool.acquire('shop', never)
    await mkdir(join(slot.home, 'closed'), { mode: 0o000 })
    await slot.release()
    expect(await readdir((await pool.acquire('shop', never)).home)).toEqual([])
  })
})

describe('a lock', () => {
  test('of a dead process is taken over', async () => {
    await lockedBy({ pid: deadProcess(), startedAt: '1' })
    expect(await isFree()).toBe(true)
  })

  test('of an earlier process with the id of a living one is taken over', async () => {
    await lockedBy({ pid: process.ppid, startedAt: '1' })
    expect(await isFree()).toBe(true)
  })

  test('of a living process is respected', async () => {
    await lockedBy(identify(process.ppid))
    expect(await isFree()).toBe(false)
  })

  test('whose takeover was killed in the middle is taken over all the same', async () => {
    const path = await lockedBy({ pid: deadProcess(), startedAt: '1' })
    await writeFile(join(path, 'takeover'), JSON.stringify({ pid: deadProcess(), startedAt: '1' }))
    expect(await isFree()).toBe(true)
  })

  test('is had by one of many that take it over at once', async () => {
    await lockedBy({ pid: deadProcess(), startedAt: '1' })
    const tries = Array.from({ length: 8 }, () =>
      createSlotPool(folder, 1)
        .acquire('shop', AbortSignal.timeout(300))
        .catch(() => null),
    )
    expect((await Promise.all(tries)).filter((slot) => slot !== null)).toHaveLength(1)
  })

  test('of a dead process is removed by recover', async () => {
    const path = await lockedBy({ pid: deadProcess(), startedAt: '1' })
    await createSlotPool(folder, 1).recover()
    expect(await readdir(path)).toEqual(['scratch'])
  })
})

describe('a process that holds the only slot', () => {
  const times = { beatMs: 20, silentMs: 400 }

  test('and stands still keeps it, and another slot takes its place', async () => {
    const path = await lockedBy(identify(process.ppid))
    const slot = await createSlotPool(folder, 1, times).acquire('shop', AbortSignal.timeout(20_000))
    expect(dirname(slot.tree)).not.toBe(path)
    expect(await readdir(path)).toContain('lock')
  })

  test('for long is waited for as long as it goes on', async () => {
    await createSlotPool(folder, 1, times).acquire('shop', never)
    const waiting = createSlotPool(folder, 1, times).acquire('shop', AbortSignal.timeout(3 * times.silentMs))
    await expect(waiting).rejects.toThrow('timeout')
  })
})

describe('what a killed process left in a slot', () => {
  test('goes when the slot is taken again, but not what a living one is at', async () => {
    const path = await lockedBy({ pid: deadProcess(), startedAt: '1' })
    await mkdir(join(path, 'git'), { recursive: true })
    const drafts = [`lock.${deadProcess()}.12.5`, `takeover.${deadProcess()}.7`, `lock.${process.ppid}.12.5`]
    for (const name of ['git/index.lock', 'git/HEAD.lock', ...drafts]) await writeFile(join(path, name), '')
    await createSlotPool(folder, 1).recover()
    expect(await readdir(path)).toEqual(['git', `lock.${process.ppid}.12.5`, 'scratch'])
    expect(await readdir(join(path, 'git'))).toEqual([])
  })
})

describe.each(['required', 'none'] as const)('after kill -9 of a worker with isolation "%s"', (isolation) => {
  const mark = `sleep 33${isolation.length}`

  /** Killed as soon as there is a trace of its command, started or not. */
  async function killedWorker(when: 'starting' | 'running' = 'starting'): Promise<string> {
    const commit = await fixture.commit({ 'a.txt': 'good\n' })
    const command = `echo bad > a.txt; touch started; (setsid ${mark} &) ; ${mark}; true`
    const script = join(import.meta.dirname, 'doomed-worker.ts')
    const worker = spawn(process.execPath, [script, fixture.home, fixture.gitDir, commit, isolation, command], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    const running = () => processesWith(mark).filter((line) => /^\s*\d+ sleep/.test(line))
    await eventually(`the command is ${when}`, () => (when === 'running' ? running() : processesWith(mark)).length >= 2)
    worker.kill('SIGKILL')
    await once(worker, 'exit')
    return commit
  }

  test('its slot is used again, as good as new, and what ran in it is dead', async () => {
    const commit = await killedWorker()
    const outcome = await fixture.run(fixture.runner({ isolation, slots: 1 }), commit, { run: 'ls; cat a.txt' })
    expect(outcome.stdout).toBe('a.txt\ngood\n')
    expect(processesWith(mark)).toEqual([])
  })

  test('recover ends what ran', async () => {
    await killedWorker('running')
    await fixture.runner({ isolation, slots: 1 }).recover()
    expect(processesWith(mark)).toEqual([])
  })
})
