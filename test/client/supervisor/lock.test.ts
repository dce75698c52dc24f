import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { clearStaleUp, lockUp, readUp } from '#client/supervisor/lock'

async function newHome(): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'switchyard-lock-'))
  onTestFinished(() => rm(home, { recursive: true, force: true }))
  return home
}

async function leaveStale(home: string): Promise<void> {
  await mkdir(join(home, 'run'), { recursive: true })
  // This process's id, but of one that started at another time: an id that was given again.
  const record = {
    process: { pid: process.pid, startTime: 'another' },
    startedAt: '2026-01-01T00:00:00.000Z',
    details: {},
  }
  await writeFile(join(home, 'run', 'up.json'), JSON.stringify(record))
}

it('finds none where none runs', async () => {
  expect(await readUp(await newHome())).toBeNull()
})

it('a second one finds the first, with what it told', async () => {
  const home = await newHome()
  const first = await lockUp(home)
  if (first.acquired) await first.update({ webUi: 'http://127.0.0.1:1' })
  const second = await lockUp(home)
  expect(second).toMatchObject({
    acquired: false,
    holder: { process: { pid: process.pid }, details: { webUi: 'http://127.0.0.1:1' } },
  })
})

it('of several at once, one gets it', async () => {
  const home = await newHome()
  const locks = await Promise.all([lockUp(home), lockUp(home), lockUp(home)])
  expect(locks.filter((lock) => lock.acquired)).toHaveLength(1)
})

it('is free again after its release', async () => {
  const home = await newHome()
  const first = await lockUp(home)
  if (first.acquired) await first.release()
  expect((await lockUp(home)).acquired).toBe(true)
})

it('tells a dead holder from a living one, though its process id was given again', async () => {
  const home = await newHome()
  await leaveStale(home)
  expect((await readUp(home))?.state).toBe('stale')
})

it('is taken from a dead holder', async () => {
  const home = await newHome()
  await leaveStale(home)
  expect((await lockUp(home)).acquired).toBe(true)
})

it('clears what a dead holder left', async () => {
  const home = await newHome()
  await leaveStale(home)
  await clearStaleUp(home)
  expect(await readUp(home)).toBeNull()
})

it('does not clear a living one', async () => {
  const home = await newHome()
  await lockUp(home)
  await clearStaleUp(home)
  expect((await readUp(home))?.state).toBe('alive')
})
