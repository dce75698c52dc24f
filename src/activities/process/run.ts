import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { openFifo, type Fifo } from './fifos.ts'
import { groupRuns, signalGroup } from './group.ts'

export type ProcessRun = {
  command: string
  /** An argv array; no shell ever sees it. */
  args: readonly string[]
  cwd: string
  /** The whole environment of the child: nothing of ours is added. */
  env: Record<string, string>
  stdin?: string | Buffer | { file: string } | undefined
  /**
   * FIFOs of ours in a folder that nobody else sees. They become its standard output and error and are removed. Without
   * them, and for text on its standard input, it gets sockets, which can't be opened by name (`/dev/stderr`).
   */
  fifos?: { stdout: string; stderr: string } | undefined
  /** Milliseconds until the group gets TERM. */
  timeout: number
  /** Milliseconds between TERM and KILL. */
  graceMs: number
  /** Bytes kept of each stream. What comes after is read and dropped: a talkative process is never blocked or killed. */
  maxOutput: number
  /** Stops the group; the promise then rejects with `signal.reason` once the group is dead. */
  signal?: AbortSignal | undefined
  /** Called with every chunk, also with those over `maxOutput`. */
  onStdout?: ((chunk: Buffer) => void) | undefined
  onStderr?: ((chunk: Buffer) => void) | undefined
  /** The process id, which is the id of the group too. */
  onSpawn?: ((pid: number) => void) | undefined
}

export type ProcessResult = {
  exitCode: number | null
  signal: NodeJS.Signals | null
  stdout: Buffer
  stderr: Buffer
  timedOut: boolean
  truncated: boolean
  /** Why the process could not be started (`ENOENT`, …), else null. */
  spawnError: string | null
  /** Milliseconds. */
  duration: number
}

/** Milliseconds to wait for the end of what got KILL, or for a pipe that a process outside the group still holds. */
const lastWait = 1_000
const pollInterval = 5

/**
 * Runs a program in a process group of its own and leaves nothing of that group behind. An exit code, a signal, a
 * timeout and a program that can't be started are results; it rejects only when `signal` aborts.
 */
export async function runProcess(run: ProcessRun): Promise<ProcessResult> {
  run.signal?.throwIfAborted()
  const begin = performance.now()
  const stdout = capture(run.maxOutput, run.onStdout)
  const stderr = capture(run.maxOutput, run.onStderr)
  const result = (end: Ended): ProcessResult => ({
    ...end,
    stdout: stdout.content(),
    stderr: stderr.content(),
    truncated: stdout.truncated() || stderr.truncated(),
    duration: performance.now() - begin,
  })

  const started = start(run)
  if ('error' in started) return result({ ...notStarted, spawnError: started.error })
  started.stdout?.on('data', stdout.add)
  started.stderr?.on('data', stderr.add)
  const end = await supervise(started, run)
  return result(end)
}

type Ended = Pick<ProcessResult, 'exitCode' | 'signal' | 'timedOut' | 'spawnError'>

const notStarted = { exitCode: null, signal: null, timedOut: false }

type Started = { child: ChildProcess; stdout: Readable | null; stderr: Readable | null }

function start(run: ProcessRun): Started | { error: string } {
  const fifos: Fifo[] = []
  let input: number | null = null
  try {
    for (const path of run.fifos ? [run.fifos.stdout, run.fifos.stderr] : []) fifos.push(openFifo(path))
    if (isFile(run.stdin)) input = openSync(run.stdin.file, 'r')
    const [stdout, stderr] = fifos
    const child = spawn(run.command, run.args, {
      cwd: run.cwd,
      env: run.env,
      detached: true,
      stdio: [input ?? (run.stdin === undefined ? 'ignore' : 'pipe'), stdout?.input ?? 'pipe', stderr?.input ?? 'pipe'],
    })
    return { child, stdout: stdout?.output ?? child.stdout, stderr: stderr?.output ?? child.stderr }
  } catch (error) {
    for (const { output } of fifos) output.destroy()
    return { error: reasonOf(error) }
  } finally {
    // The child has its own by now; as long as one is open here, nobody ever sees the end of what it says.
    for (const fifo of fifos) closeSync(fifo.input)
    if (input !== null) closeSync(input)
  }
}

function isFile(stdin: ProcessRun['stdin']): stdin is { file: string } {
  return typeof stdin === 'object' && 'file' in stdin
}

function supervise({ child, stdout, stderr }: Started, run: ProcessRun): Promise<Ended> {
  const { promise, resolve, reject } = Promise.withResolvers<Ended>()
  const destroy = () => [stdout, stderr].forEach((stream) => stream?.destroy())
  const group = child.pid
  if (group === undefined) {
    destroy()
    child.once('error', (error) => resolve({ ...notStarted, spawnError: reasonOf(error) }))
    return promise
  }

  let timedOut = false
  let killAt = 0
  let killTimer: NodeJS.Timeout | undefined
  const stop = () => {
    if (killAt > 0) return
    killAt = performance.now() + run.graceMs
    signalGroup(group, 'SIGTERM')
    killTimer = setTimeout(() => signalGroup(group, 'SIGKILL'), run.graceMs)
  }
  const timer = setTimeout(() => {
    timedOut = true
    stop()
  }, run.timeout)
  run.signal?.addEventListener('abort', stop, { once: true })

  const closed = Promise.all([stdout, stderr].map(untilClosed))
  child.once('exit', (exitCode, signal) => {
    clearTimeout(timer)
    void (async () => {
      await endGroup(group, killAt)
      clearTimeout(killTimer)
      await within(closed, lastWait)
      destroy()
      run.signal?.removeEventListener('abort', stop)
      if (run.signal?.aborted) reject(run.signal.reason)
      else resolve({ exitCode, signal, timedOut, spawnError: null })
    })()
  })
  child.on('error', () => {})
  feed(child, run.stdin)
  run.onSpawn?.(group)
  return promise
}

function feed(child: ChildProcess, stdin: ProcessRun['stdin']): void {
  // A child that ends without reading all its input is no fault of ours: EPIPE tells nothing that its exit doesn't.
  child.stdin?.on('error', () => {})
  if (stdin !== undefined && !isFile(stdin)) child.stdin?.end(stdin)
}

function untilClosed(stream: Readable | null): Promise<void> {
  return new Promise((done) => (stream === null ? done() : stream.once('close', () => done())))
}

/** After the leader has gone: what got TERM may use its grace up, then everything left in the group is killed. */
async function endGroup(group: number, killAt: number): Promise<void> {
  while (killAt > performance.now() && groupRuns(group)) await sleep(pollInterval)
  if (!signalGroup(group, 'SIGKILL')) return
  const until = performance.now() + lastWait
  while (performance.now() < until && groupRuns(group)) await sleep(pollInterval)
}

async function within(promise: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((done) => (timer = setTimeout(done, ms)))
  await Promise.race([promise, late])
  clearTimeout(timer)
}

function capture(max: number, listener: ((chunk: Buffer) => void) | undefined) {
  const chunks: Buffer[] = []
  let size = 0
  let truncated = false
  return {
    add(chunk: Buffer): void {
      listener?.(chunk)
      const kept = chunk.subarray(0, max - size)
      if (kept.length < chunk.length) truncated = true
      if (kept.length === 0) return
      size += kept.length
      chunks.push(kept)
    },
    content: () => Buffer.concat(chunks),
    truncated: () => truncated,
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code
  return error instanceof Error ? error.message : String(error)
}
