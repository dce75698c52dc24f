import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

/** A process, told apart from a later one with the same id by when it started (null where `/proc` is missing). */
export type ProcessIdentity = { pid: number; startedAt: string | null }

const killWait = 5_000
const pollInterval = 10

export function identify(pid: number): ProcessIdentity {
  return { pid, startedAt: startOf(pid) }
}

export function isAlive(process: ProcessIdentity): boolean {
  if (!exists(process.pid)) return false
  return process.startedAt === null || startOf(process.pid) === process.startedAt
}

export function recordProcess(file: string, pid: number): void {
  writeFileSync(file, JSON.stringify(identify(pid)), { mode: 0o600 })
}

export async function readProcess(file: string): Promise<ProcessIdentity | null> {
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'))
    const { pid, startedAt } = value as Partial<ProcessIdentity>
    return Number.isInteger(pid) && Number(pid) > 1 ? { pid: Number(pid), startedAt: startedAt ?? null } : null
  } catch {
    return null
  }
}

/** Kills the group that a recorded process leads. */
export async function killGroup(leader: ProcessIdentity): Promise<void> {
  if (!isAlive(leader)) return
  send(-leader.pid)
  await gone(() => isAlive(leader))
}

/**
 * Kills every process whose environment has one of these exact entries: also what left its group, or whose leader is
 * dead. Nothing where `/proc` is missing.
 */
export async function killByEnvironment(entries: readonly string[]): Promise<void> {
  await gone(() => {
    const left = processesWith(entries)
    for (const pid of left) send(pid)
    return left.length > 0
  })
}

function processesWith(entries: readonly string[]): number[] {
  return allProcesses().filter((pid) => {
    if (pid === process.pid) return false
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
      return entries.some((entry) => environment.includes(entry))
    } catch {
      return false
    }
  })
}

function allProcesses(): number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
  } catch {
    return []
  }
}

async function gone(present: () => boolean): Promise<void> {
  const until = performance.now() + killWait
  while (present() && performance.now() < until) await sleep(pollInterval)
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return stateOf(pid) !== 'Z'
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function send(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended by itself.
  }
}

/** Field 22 of `/proc/<pid>/stat`, in ticks since boot. The name in field 2 may hold spaces and parentheses. */
function startOf(pid: number): string | null {
  return statOf(pid)?.[19] ?? null
}

function stateOf(pid: number): string | null {
  return statOf(pid)?.[0] ?? null
}

function statOf(pid: number): string[] | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return null
  }
}
