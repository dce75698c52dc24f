import { existsSync, readdirSync, readFileSync, statfsSync } from 'node:fs'
import type { Limits } from '#domain/limits'
import { signalGroup } from '../process/group.ts'

export type Watch = {
  start(leader: number): void
  stop(): void
  seen: Readonly<Watched>
}

export type Watched = {
  /** What there was too much of, so that all was killed. */
  excess: 'memory' | 'processes' | null
  /** Whether there was a moment in which nothing more could be written. */
  diskWasFull: boolean
}

/** Milliseconds. A process gets at most some 100 MB in this time. */
const pause = 100
/** Looking may take a twentieth of the time, however many processes there are to look at. */
const restFactor = 20
/** Less free space than this on a disk is none. */
const fullBelow = 1024 ** 2

export function canWatch(): boolean {
  return existsSync(`/proc/${process.pid}/task/${process.pid}/children`)
}

/**
 * Adds up the memory and the processes that descend from the leader of a group, and kills them all when that is more
 * than the limit. In a sandbox nothing escapes it: orphans become children of the sandbox's own first process. Without
 * one, what a dead parent left behind is not seen.
 *
 * Rejected: RLIMIT_AS, because Node.js, Go and Java reserve much that they never use; and a cgroup, because few
 * workers may make one.
 */
export function createWatch(limits: Limits, disk: string): Watch {
  const seen: Watched = { excess: null, diskWasFull: false }
  let timer: NodeJS.Timeout | undefined

  function look(leader: number): void {
    const start = performance.now()
    seen.diskWasFull ||= isFull(disk)
    const processes = canWatch() ? descendants(leader, limits.processes) : []
    seen.excess ??= excessOf(processes, limits)
    // Again and again: what was forked between the look and the kill is seen next time.
    if (seen.excess !== null) kill(leader, processes)
    next(leader, Math.max(pause, (performance.now() - start) * restFactor))
  }

  function next(leader: number, ms: number): void {
    timer = setTimeout(look, ms, leader)
    timer.unref()
  }

  return {
    seen,
    start: (leader) => next(leader, pause),
    stop() {
      clearTimeout(timer)
      seen.diskWasFull ||= isFull(disk)
    },
  }
}

function excessOf(processes: readonly number[], limits: Limits): Watched['excess'] {
  if (processes.length > limits.processes) return 'processes'
  if (sum(processes, residentOf) <= limits.memory) return null
  // Exact, because what a fork shares with its parent counts once, but slow where there is much memory.
  return sum(processes, proportionalOf) > limits.memory ? 'memory' : null
}

/** Breadth first, and no more than one over the limit: a fork bomb has no end. */
function descendants(leader: number, limit: number): number[] {
  const found = [leader]
  for (const pid of found) {
    if (found.length > limit) break
    for (const child of childrenOf(pid)) found.push(child)
  }
  return found
}

function childrenOf(pid: number): number[] {
  try {
    const threads = readdirSync(`/proc/${pid}/task`)
    return threads.flatMap((thread) => numbersIn(readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1')))
  } catch {
    // It has ended.
    return []
  }
}

function numbersIn(text: string): number[] {
  return text.split(' ').filter(Boolean).map(Number)
}

/** Without what the kernel can drop and read again from files. */
function residentOf(pid: number): number {
  return kilobytes(pid, 'status', /^(?:RssAnon|RssShmem|VmSwap):\s+(\d+) kB/gm)
}

function proportionalOf(pid: number): number {
  const exact = kilobytes(pid, 'smaps_rollup', /^(?:Pss_Anon|Pss_Shmem|SwapPss):\s+(\d+) kB/gm)
  return exact || residentOf(pid)
}

/** In bytes. */
function kilobytes(pid: number, file: string, lines: RegExp): number {
  try {
    const found = readFileSync(`/proc/${pid}/${file}`, 'latin1').matchAll(lines)
    return 1024 * [...found].reduce((total, [, value]) => total + Number(value), 0)
  } catch {
    return 0
  }
}

function sum(processes: readonly number[], of: (pid: number) => number): number {
  return processes.reduce((total, pid) => total + of(pid), 0)
}

function kill(leader: number, processes: readonly number[]): void {
  signalGroup(leader, 'SIGKILL')
  for (const pid of processes) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It ended with its group.
    }
  }
}

function isFull(folder: string): boolean {
  try {
    const { bavail, bsize, files, ffree } = statfsSync(folder)
    return bavail * bsize < fullBelow || (files > 0 && ffree === 0)
  } catch {
    return false
  }
}
