import { createHash, randomUUID } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { mkdir, readdir, rename, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { removeFolder } from './folders.ts'

/** The part of the state folder that is this host's alone: a process id that stands in it can be asked for here. */
export type HostFolder = {
  path: string
  /** Tells the other hosts that this one is there, from now on and for as long as this process lives. Idempotent. */
  claim(): Promise<void>
}

export type HostTimes = {
  /** Between two heartbeats. */
  beatMs: number
  /** So long without a heartbeat, a host is gone … */
  goneMs: number
  /** … if it gave none either while we watched, by a clock that neither a sleep of the machine nor a correction moves. */
  watchMs: number
}

const defaults: HostTimes = { beatMs: 60_000, goneMs: 86_400_000, watchMs: 10 * 60_000 }
const gone = '.gone-'

/**
 * Where process ids mean the same: a machine since its last boot, or a container on it since its last start. Another
 * one that shares the state folder has other processes under the same ids, so nothing that an id decides is shared.
 */
export function hostId(): string {
  const parts = [hostname(), readOrEmpty('/proc/sys/kernel/random/boot_id'), namespaceOfProcesses()]
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 12)
}

export function hostFolder(home: string): string {
  return join(home, 'hosts', hostId())
}

/** Also removes, bit by bit, the folders of hosts that are gone. */
export function createHostFolder(home: string, times: HostTimes = defaults): HostFolder {
  const path = hostFolder(home)
  const sweeper = createSweeper(home, path, times)
  let claimed: Promise<void> | null = null

  async function claimOnce(): Promise<void> {
    await mkdir(path, { recursive: true, mode: 0o700 })
    await beat(path)
    setInterval(() => {
      // A full disk or a state folder that was removed is for those to say who need it.
      beat(path).catch(() => {})
      sweeper.sweep().catch(() => {})
    }, times.beatMs).unref()
  }

  return {
    path,
    async claim() {
      claimed ??= claimOnce()
      await claimed.catch((error: unknown) => {
        claimed = null
        throw error
      })
    },
  }
}

/** Makes no state folder: it may have been removed, with all that is in it. */
async function beat(path: string): Promise<void> {
  const file = join(path, 'heartbeat')
  const now = new Date()
  try {
    // Takes no space, which a full disk does not have.
    await utimes(file, now, now)
  } catch {
    // Also after it was swept while this machine slept.
    await mkdir(path, { mode: 0o700 }).catch(() => {})
    await writeFile(file, `${hostname()}\n`)
  }
}

/** A sweep removes what has shown no sign of life in the sweeps before it. One at a time. */
function createSweeper(home: string, own: string, { goneMs, watchMs }: HostTimes): { sweep(): Promise<void> } {
  const hosts = dirname(own)
  const watched = new Map<string, { sign: number; since: number }>()
  let sweeping = false

  async function sweep(): Promise<void> {
    if (sweeping) return
    sweeping = true
    try {
      for (const name of await namesIn(hosts)) {
        const path = join(hosts, name)
        if (name.startsWith(gone)) await removeFolder(path)
        else if (path !== own) await removeIfGone(path, await lastHeartbeat(path))
      }
      // Where 0.1.0 had what now lies in a host's folder.
      await removeIfGone(join(home, 'slots'), await lastUse(join(home, 'slots')))
      await removeIfGone(join(home, 'probe'), await lastUse(join(home, 'probe')))
    } finally {
      sweeping = false
    }
  }

  async function removeIfGone(path: string, sign: number | null): Promise<void> {
    if (sign === null) return
    const before = watched.get(path)
    if (before?.sign !== sign) watched.set(path, { sign, since: performance.now() })
    const quiet = before?.sign === sign && performance.now() - before.since >= watchMs
    if (!quiet || Date.now() - sign < goneMs) return
    // Renamed first: should that host come back, it makes a new one beside our removal.
    const doomed = join(hosts, `${gone}${basename(path)}-${randomUUID()}`)
    await rename(path, doomed).catch(() => {})
    watched.delete(path)
    await removeFolder(doomed)
  }

  return { sweep }
}

/** Milliseconds since the epoch. Before its first heartbeat, a folder's own time. */
async function lastHeartbeat(path: string): Promise<number | null> {
  return (await changedAt(join(path, 'heartbeat'))) ?? (await changedAt(path))
}

/** A slot is changed whenever it is taken or given back. */
async function lastUse(path: string): Promise<number | null> {
  const times = [await changedAt(path)]
  for (const repo of await namesIn(path)) {
    times.push(await changedAt(join(path, repo)))
    for (const slot of await namesIn(join(path, repo))) times.push(await changedAt(join(path, repo, slot)))
  }
  return times[0] === null ? null : Math.max(...times.map((time) => time ?? 0))
}

async function changedAt(path: string): Promise<number | null> {
  return await stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => null,
  )
}

async function namesIn(folder: string): Promise<string[]> {
  return await readdir(folder).catch(() => [])
}

function namespaceOfProcesses(): string {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return ''
  }
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
