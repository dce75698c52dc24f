import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'

/** A process to keep running. It gets an ipc channel: `process.send({ kind: 'ready' })`, and `disconnect` when we die. */
export type ChildSpec = {
  name: string
  command: string
  args: string[]
  env: NodeJS.ProcessEnv
  /** Its stdout and stderr are appended to this file. */
  log: string
}

export type SupervisorEvent =
  | { kind: 'started'; name: string; pid: number }
  | { kind: 'died'; name: string; pid: number; code: number | null; signal: NodeJS.Signals | null; restartInMs: number }
  | { kind: 'restarted'; name: string; pid: number; restarts: number }
  | { kind: 'gave-up'; name: string; reason: string }

export type SupervisorOptions = {
  onEvent?: (event: SupervisorEvent) => void
  /** Between TERM and KILL. */
  graceMs?: number
  backoff?: Partial<Backoff>
}

/**
 * The first death is answered at once; from the second short life on `firstMs`, which doubles up to `maxMs`. It begins
 * again after a life of `resetAfterMs`; given up after `limit` short lives.
 */
export type Backoff = { firstMs: number; maxMs: number; resetAfterMs: number; limit: number }

export type Supervisor = {
  /** Resolves when every child has said that it is ready. Rejects when one was given up, or after the time. */
  ready(timeoutMs: number): Promise<void>
  /** The process id of a child that runs now. */
  pid(name: string): number | undefined
  /** Sends one child a signal, as from outside: it is restarted like one that died by itself. Returns its process id. */
  kill(name: string, signal: NodeJS.Signals): number
  /** TERM, grace, KILL. Resolves when no child and nothing of its process group is left. */
  stop(): Promise<void>
}

const DEFAULT_BACKOFF: Backoff = { firstMs: 200, maxMs: 10_000, resetAfterMs: 30_000, limit: Number.POSITIVE_INFINITY }
const DEFAULT_GRACE_MS = 10_000

type Child = {
  spec: ChildSpec
  process: ChildProcess | null
  startedAt: number
  ready: boolean
  restarts: number
  shortLives: number
  givenUp: string | null
  timer: NodeJS.Timeout | undefined
}

/** What the functions below share: one supervision. */
type Supervision = {
  children: Map<string, Child>
  backoff: Backoff
  stopping: Promise<void> | null
  /** Called after each change of a child. */
  watchers: Set<() => void>
  say(event: SupervisorEvent): void
}

/** Starts the children and keeps them running until `stop`. */
export function supervise(specs: ChildSpec[], options: SupervisorOptions = {}): Supervisor {
  const supervision: Supervision = {
    children: new Map(specs.map((spec) => [spec.name, idle(spec)])),
    backoff: { ...DEFAULT_BACKOFF, ...options.backoff },
    stopping: null,
    watchers: new Set(),
    say: (event) => {
      options.onEvent?.(event)
      changed(supervision)
    },
  }
  const { children } = supervision
  for (const child of children.values()) start(supervision, child)
  return {
    ready: (timeoutMs) => waitUntilReady(supervision, timeoutMs),
    pid: (name) => children.get(name)?.process?.pid,
    kill: (name, signal) => {
      const running = children.get(name)?.process
      if (!running?.pid) throw new Error(`${name} does not run`)
      running.kill(signal)
      return running.pid
    },
    stop: () => (supervision.stopping ??= stopAll(children, options.graceMs ?? DEFAULT_GRACE_MS)),
  }
}

function changed({ watchers }: Supervision): void {
  for (const look of watchers) look()
}

function start(supervision: Supervision, child: Child): void {
  const { name, command } = child.spec
  const started = spawnChild(child.spec)
  const { pid } = started
  child.startedAt = Date.now()
  started.once('error', (error) => {
    // Without a process id it never ran: the command is missing, and another try can't help.
    if (pid === undefined) giveUp(supervision, child, `${command} can't be started: ${error.message}`)
  })
  if (pid === undefined) return
  child.process = started
  started.on('message', (message) => {
    if (!isReady(message)) return
    child.ready = true
    changed(supervision)
  })
  started.once('exit', (code, signal) => ended(supervision, child, { pid, code, signal }))
  if (child.restarts === 0) supervision.say({ kind: 'started', name, pid })
  else supervision.say({ kind: 'restarted', name, pid, restarts: child.restarts })
}

type End = { pid: number; code: number | null; signal: NodeJS.Signals | null }

function ended(supervision: Supervision, child: Child, end: End): void {
  const { backoff, stopping, say } = supervision
  signalGroup(end.pid, 'SIGKILL')
  child.process = null
  child.ready = false
  if (stopping) return
  child.shortLives = Date.now() - child.startedAt >= backoff.resetAfterMs ? 1 : child.shortLives + 1
  if (child.shortLives > backoff.limit) {
    const last = end.signal ?? `exit code ${end.code}`
    giveUp(supervision, child, `it died ${child.shortLives} times in a row, at last with ${last}`)
    return
  }
  const { shortLives } = child
  const restartInMs = shortLives === 1 ? 0 : Math.min(backoff.firstMs * 2 ** (shortLives - 2), backoff.maxMs)
  child.timer = setTimeout(() => {
    child.restarts++
    start(supervision, child)
  }, restartInMs)
  say({ kind: 'died', name: child.spec.name, ...end, restartInMs })
}

function giveUp(supervision: Supervision, child: Child, reason: string): void {
  child.givenUp = reason
  supervision.say({ kind: 'gave-up', name: child.spec.name, reason })
}

async function stopAll(children: Map<string, Child>, graceMs: number): Promise<void> {
  for (const child of children.values()) clearTimeout(child.timer)
  await Promise.all([...children.values()].map((child) => endChild(child, graceMs)))
}

const idle = (spec: ChildSpec): Child => ({
  spec,
  process: null,
  startedAt: 0,
  ready: false,
  restarts: 0,
  shortLives: 0,
  givenUp: null,
  timer: undefined,
})

/** In a process group of its own: a Ctrl-C at the terminal must reach us only, so that children end in our order. */
function spawnChild(spec: ChildSpec): ChildProcess {
  mkdirSync(dirname(spec.log), { recursive: true })
  const log = openSync(spec.log, 'a')
  try {
    return spawn(spec.command, spec.args, { env: spec.env, detached: true, stdio: ['ignore', log, log, 'ipc'] })
  } finally {
    closeSync(log)
  }
}

async function endChild(child: Child, graceMs: number): Promise<void> {
  const running = child.process
  if (!running?.pid) return
  const { pid } = running
  const gone = new Promise<void>((resolve) => running.once('exit', () => resolve()))
  running.kill('SIGTERM')
  const hard = setTimeout(() => signalGroup(pid, 'SIGKILL'), graceMs)
  await gone
  clearTimeout(hard)
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch {
    // ESRCH: nothing is left of the group.
  }
}

function isReady(message: unknown): boolean {
  return typeof message === 'object' && message !== null && 'kind' in message && message.kind === 'ready'
}

function waitUntilReady({ children, watchers }: Supervision, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const all = [...children.values()]
    const settle = (act: () => void) => {
      clearTimeout(timer)
      watchers.delete(look)
      act()
    }
    const look = () => {
      const lost = all.find((child) => child.givenUp !== null)
      if (lost) settle(() => reject(new Error(`${lost.spec.name}: ${lost.givenUp}. Its output is in ${lost.spec.log}`)))
      else if (all.every((child) => child.ready)) settle(resolve)
    }
    const timer = setTimeout(() => {
      const late = all.filter((child) => !child.ready).map((child) => `${child.spec.name} (output: ${child.spec.log})`)
      settle(() => reject(new Error(`not ready after ${timeoutMs} ms: ${late.join(', ')}`)))
    }, timeoutMs)
    watchers.add(look)
    look()
  })
}
