import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
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

/**
 * The command that records itself in a file and then becomes `command`. Recording from outside would miss a worker that
 * is killed between the two; and a child whose worker was dead before it recorded itself does not start.
 */
export function recorded(file: string, command: string, args: readonly string[]): { command: string; args: string[] } {
  const script = [
    'if read -r line < /proc/$$/stat; then printf "%s\n" "$line" > "$1" || exit 125',
    'read -r pid name state parent rest < /proc/$$/stat; [ "$parent" = "$2" ] || exit 125',
    'else printf "%s\n" "$$" > "$1" || exit 125; fi 2> /dev/null',
    // Should the machine run out of memory, this goes first, and not the worker or the server.
    '{ echo 1000 > /proc/$$/oom_score_adj; } 2> /dev/null',
    'shift 2; exec "$@"',
  ].join('\n')
  return { command: '/bin/sh', args: ['-c', script, 'sh', file, String(process.pid), command, ...args] }
}

/** What `recorded` wrote; null when there is nothing. */
export async function readRecord(file: string): Promise<ProcessIdentity | null> {
  const line = await readFile(file, 'utf8').catch(() => '')
  const pid = Number.parseInt(line, 10)
  return pid > 1 ? { pid, startedAt: fieldsOf(line)[startField] ?? null } : null
}

export async function readIdentity(file: string): Promise<ProcessIdentity | null> {
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
 * Kills every process whose environment has one of these exact entries, also what left its group or lost its leader,
 * and every one in a sandbox that shows the folder `mounted`. A sandbox dies a moment after the process that started
 * it, and until then it can write. Nothing where `/proc` is missing.
 */
export async function killMembers(entries: readonly string[], mounted: string): Promise<void> {
  const here = namespaceOf('self')
  const isMember = (pid: number) =>
    pid !== process.pid && (hasEntry(pid, entries) || (namespaceOf(pid) !== here && hasMounted(pid, mounted)))
  await gone(() => {
    const left = allProcesses().filter(isMember)
    for (const pid of left) send(pid)
    return left.length > 0
  })
}

function hasEntry(pid: number, entries: readonly string[]): boolean {
  const environment = readOrEmpty(`/proc/${pid}/environ`).split('\0')
  return entries.some((entry) => environment.includes(entry))
}

/** By the end of its path: a mount is named from the root of its file system. */
function hasMounted(pid: number, mounted: string): boolean {
  return readOrEmpty(`/proc/${pid}/mountinfo`).includes(`/${mounted} `)
}

function namespaceOf(pid: number | 'self'): string | null {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`)
  } catch {
    return null
  }
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
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

/** In ticks since boot: field 22 of `/proc/<pid>/stat`, counted from behind the name, which may hold anything. */
const startField = 19

function startOf(pid: number): string | null {
  return statOf(pid)[startField] ?? null
}

function stateOf(pid: number): string | null {
  return statOf(pid)[0] ?? null
}

function statOf(pid: number): string[] {
  return fieldsOf(readOrEmpty(`/proc/${pid}/stat`))
}

function fieldsOf(stat: string): string[] {
  const end = stat.lastIndexOf(')')
  return end < 0
    ? []
    : stat
        .slice(end + 2)
        .trim()
        .split(' ')
}
