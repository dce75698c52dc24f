import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Milliseconds } from '#domain/policy'
import { emptyFolder } from './folders.ts'
import { identify, isAlive, killMembers, killGroup, readRecord } from './leftovers.ts'
import { draftName, isSilent, lock, renew, unlock } from './locks.ts'

/** A pooled working tree, held by one run. Only `tree`, `home` and `temp` are for the code that runs. */
export type Slot = {
  tree: string
  git: string
  home: string
  temp: string
  /** Where the sandbox says that it has started. */
  marks: string
  /** Holds a folder for the cache of each kept path. */
  caches: string
  /** For the standard streams of the command that runs; no command sees it. */
  streams: string
  /** Where what runs here records itself, so that it ends even if this worker is killed. */
  record: string
  /** Ends what the run left behind and gives the slot back. */
  release(): Promise<void>
}

export type SlotPool = {
  /** Waits for a free slot of the repository; rejects with `signal.reason` when aborted. */
  acquire(repo: string, signal: AbortSignal): Promise<Slot>
  recover(): Promise<void>
}

/** How often slots that other processes of this host hold are looked at again. */
const pollInterval = 100

/** `silentMs`: after which a holder that does not renew its lock each `beatMs` is taken to stand still. */
export type SlotTimes = { beatMs: Milliseconds; silentMs: Milliseconds }

const defaults: SlotTimes = { beatMs: 2_000, silentMs: 15_000 }

/** `folder` is of this host alone: whether a lock's holder lives is asked by its process id. */
export function createSlotPool(folder: string, size: number, times: SlotTimes = defaults): SlotPool {
  const held = new Set<string>()
  setInterval(() => void [...held].map(renew), times.beatMs).unref()
  const turns = new Map<string, Promise<void>>()
  let freed = Promise.withResolvers<void>()

  async function acquire(repo: string, signal: AbortSignal): Promise<Slot> {
    const root = join(folder, folderName(folder, repo))
    const before = turns.get(root) ?? Promise.resolve()
    const turn = Promise.withResolvers<void>()
    const after = before.then(() => turn.promise)
    turns.set(root, after)
    try {
      await Promise.race([before, whenAborted(signal)])
      return await nextFree(root, signal)
    } finally {
      turn.resolve()
    }
  }

  async function nextFree(root: string, signal: AbortSignal): Promise<Slot> {
    for (;;) {
      // A process that was stopped keeps its slot, in which it may go on at any time; but it must not stop the others.
      for (let number = 1, silent = 0; number <= size + silent; number += 1) {
        signal.throwIfAborted()
        const path = join(root, String(number))
        const slot = await tryTake(path)
        if (slot) return slot
        if (!held.has(path) && (await isSilent(path, times.silentMs))) silent += 1
      }
      await Promise.race([freed.promise, sleep(pollInterval), whenAborted(signal)])
    }
  }

  async function tryTake(path: string): Promise<Slot | null> {
    if (held.has(path)) return null
    held.add(path)
    try {
      await mkdir(path, { recursive: true, mode: 0o700 })
      if (await lock(path)) return await prepareLocked(path)
    } catch (error) {
      held.delete(path)
      throw error
    }
    held.delete(path)
    return null
  }

  async function prepareLocked(path: string): Promise<Slot> {
    try {
      await endLeftovers(path)
      return await prepare(path, () => giveBack(path))
    } catch (error) {
      await unlock(path)
      throw error
    }
  }

  function giveBack(path: string): void {
    held.delete(path)
    freed.resolve()
    freed = Promise.withResolvers()
  }

  return { acquire, recover: () => recover(folder, held) }
}

async function recover(folder: string, held: ReadonlySet<string>): Promise<void> {
  for (const repo of await namesIn(folder)) {
    for (const number of await namesIn(join(folder, repo))) {
      const path = join(folder, repo, number)
      if (held.has(path) || !(await lock(path))) continue
      await endLeftovers(path)
      await unlock(path)
    }
  }
}

/** Unlike that of any other installation, so that a sandbox is known by the name of its tree alone. */
function folderName(folder: string, repo: string): string {
  return createHash('sha256').update(`${folder}\0${repo}`).digest('hex').slice(0, 24)
}

async function prepare(path: string, released: () => void): Promise<Slot> {
  const scratch = join(path, 'scratch')
  const slot = {
    tree: join(path, 'tree'),
    git: join(path, 'git'),
    streams: join(path, 'streams'),
    home: join(scratch, 'home'),
    temp: join(scratch, 'temp'),
    marks: join(scratch, 'marks'),
    caches: join(scratch, 'caches'),
  }
  for (const part of [slot.home, slot.temp, slot.marks, slot.caches]) await emptyFolder(part)
  return {
    ...slot,
    record: join(path, 'process'),
    async release() {
      try {
        await endLeftovers(path)
      } finally {
        await unlock(path)
        released()
      }
    },
  }
}

async function endLeftovers(path: string): Promise<void> {
  const record = join(path, 'process')
  const leader = await readRecord(record)
  if (leader) await killGroup(leader)
  const entries = [`HOME=${join(path, 'scratch', 'home')}`, `GIT_DIR=${join(path, 'git')}`]
  await killMembers(entries, join(basename(dirname(path)), basename(path), 'tree'))
  await rm(record, { force: true })
  await removeUnfinished(path)
}

/** What a process that was killed in the middle left: git's locks in the slot, and drafts of the slot's own. */
async function removeUnfinished(path: string): Promise<void> {
  const ofGit = (await namesIn(join(path, 'git'))).filter((name) => name.endsWith('.lock'))
  for (const name of ofGit) await rm(join(path, 'git', name), { force: true })
  for (const name of await namesIn(path)) {
    const author = draftName.exec(name)?.[1]
    if (author !== undefined && !isAlive(identify(Number(author)))) await rm(join(path, name), { force: true })
  }
}

export async function whenAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
  signal.throwIfAborted()
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch {
    return []
  }
}
