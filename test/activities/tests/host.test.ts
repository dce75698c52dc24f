import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createHostFolder, hostFolder, hostId } from '#activities/tests/host'
import { eventually } from './support.ts'

const dayMs = 86_400_000
const times = { beatMs: 20, goneMs: dayMs, watchMs: 200 }
let home: string

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'switchyard-host-'))
})
// The heart may beat into a folder while it is being removed.
afterEach(() => rm(home, { recursive: true, force: true, maxRetries: 5 }))

const ageOf = (days: number) => new Date(Date.now() - days * dayMs)

/** A folder of another host with a slot in it, whose last heartbeat is some days old. */
async function otherHost(name: string, days: number): Promise<string> {
  const path = join(home, 'hosts', name)
  await mkdir(join(path, 'slots', 'a', '1', 'tree'), { recursive: true })
  await writeFile(join(path, 'heartbeat'), 'other\n')
  await utimes(join(path, 'heartbeat'), ageOf(days), ageOf(days))
  return path
}

/** Everything that was there before has been watched for long enough by then. */
async function sweptAgain(): Promise<void> {
  for (const name of ['sentinel-1', 'sentinel-2']) {
    const path = await otherHost(name, 2)
    await eventually(`${name} is swept`, () => !existsSync(path))
  }
}

describe("a host's id", () => {
  const script = fileURLToPath(import.meta.resolve('../../../src/activities/tests/host.ts'))
  const print = ['--input-type=module', '-e', `console.log((await import(${JSON.stringify(script)})).hostId())`]

  test('is the same in each of its processes', () => {
    expect(execFileSync(process.execPath, print, { encoding: 'utf8' }).trim()).toBe(hostId())
  })

  test('is another one in another PID namespace of the machine', () => {
    const namespace = ['--unshare-pid', '--dev-bind', '/', '/', '--proc', '/proc', process.execPath]
    const other = execFileSync('bwrap', [...namespace, ...print], { encoding: 'utf8' }).trim()
    expect(other).toMatch(/^[0-9a-f]{12}$/)
    expect(other).not.toBe(hostId())
  })
})

describe("a host's folder", () => {
  test('shows that the host is there, again and again', async () => {
    const host = createHostFolder(home, times)
    await host.claim()
    expect(host.path).toBe(hostFolder(home))
    const heartbeat = join(host.path, 'heartbeat')
    await utimes(heartbeat, ageOf(3), ageOf(3))
    await eventually('the heart beats', async () => Date.now() - (await stat(heartbeat)).mtimeMs < dayMs)
  })

  test('is taken up again by a worker that starts after days, with the slots that are in it', async () => {
    const path = await otherHost(hostId(), 30)
    await createHostFolder(home, times).claim()
    await sweptAgain()
    expect(await readdir(path)).toEqual(['heartbeat', 'slots'])
  })

  test('is there again after another host took it for gone', async () => {
    const host = createHostFolder(home, times)
    await host.claim()
    await rm(host.path, { recursive: true, maxRetries: 5 })
    await eventually('the heart beats', () => existsSync(join(host.path, 'heartbeat')))
  })

  test('is not made again in a state folder that was removed', async () => {
    await createHostFolder(home, times).claim()
    await rm(home, { recursive: true, maxRetries: 5 })
    const elsewhere = join(home, '..', `${basename(home)}-elsewhere`)
    try {
      await createHostFolder(elsewhere, times).claim()
      const heartbeat = join(hostFolder(elsewhere), 'heartbeat')
      const before = (await stat(heartbeat)).mtimeMs
      await eventually('many beats', async () => (await stat(heartbeat)).mtimeMs > before + 10 * times.beatMs)
      expect(existsSync(home)).toBe(false)
    } finally {
      await rm(elsewhere, { recursive: true, maxRetries: 5 })
    }
  })

  test('that can not be made now is made at the next try', async () => {
    await writeFile(join(home, 'hosts'), 'no folder')
    const host = createHostFolder(home, times)
    await expect(host.claim()).rejects.toThrow()
    await rm(join(home, 'hosts'))
    await host.claim()
    expect(await readdir(host.path)).toEqual(['heartbeat'])
  })
})

describe('the folder of another host', () => {
  beforeEach(() => createHostFolder(home, times).claim())
  const names = async () => (await readdir(join(home, 'hosts'))).filter((name) => name !== hostId())

  test('goes when it gave no sign of life for a day', async () => {
    const path = await otherHost('gone', 2)
    await eventually('it is swept', () => !existsSync(path))
    await eventually('nothing is left of it', async () => (await names()).length === 0)
  })

  test('stays while less than a day has passed', async () => {
    await otherHost('quiet', 0.9)
    await sweptAgain()
    expect(await names()).toContain('quiet')
  })

  test('stays while its heart beats, whatever its clock or ours says', async () => {
    const path = await otherHost('slow', 2)
    let days = 2
    const beating = setInterval(() => {
      const time = ageOf((days -= 0.001))
      void utimes(join(path, 'heartbeat'), time, time).catch(() => {})
    }, times.beatMs)
    await sweptAgain()
    clearInterval(beating)
    expect(await names()).toContain('slow')
  })

  test('stays before its first heartbeat', async () => {
    await mkdir(join(home, 'hosts', 'new'))
    await sweptAgain()
    expect(await names()).toContain('new')
  })

  test('goes wholly, though who removed it was killed in the middle', async () => {
    await mkdir(join(home, 'hosts', '.gone-other-1', 'slots'), { recursive: true })
    await eventually('nothing is left of it', async () => (await names()).length === 0)
  })
})

describe('slots of 0.1.0, which lay outside of any host', () => {
  const slot = () => join(home, 'slots', 'a', '1')

  /** Whose slot was taken or given back so many days ago. */
  async function usedBefore(days: number): Promise<void> {
    await mkdir(slot(), { recursive: true })
    for (const path of [join(home, 'slots'), join(home, 'slots', 'a')]) await utimes(path, ageOf(30), ageOf(30))
    await utimes(slot(), ageOf(days), ageOf(days))
    await createHostFolder(home, times).claim()
  }

  test('go when nobody used one for a day', async () => {
    await usedBefore(2)
    await eventually('they are swept', () => !existsSync(join(home, 'slots')))
  })

  test('stay while one is used', async () => {
    await usedBefore(0.5)
    await sweptAgain()
    expect(existsSync(slot())).toBe(true)
  })
})
