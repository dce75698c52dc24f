import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { runProcess, type ProcessResult, type ProcessRun } from './run.ts'

/** What can be told to another process: no listeners. */
export type ShortRun = Omit<ProcessRun, 'onStdout' | 'onStderr' | 'onSpawn'>

export type HelperRequest = { id: number; run: Omit<ShortRun, 'signal'> } | { id: number; abort: true }
export type HelperReply =
  { id: number; result: ProcessResult } | { id: number; aborted: true } | { id: number; error: string }

type Waiting = { resolve: (result: ProcessResult) => void; reject: (reason: unknown) => void; run: ShortRun }

type Helper = { child: ChildProcess; waiting: Map<number, Waiting> }

let users = 0
let helper: Helper | null = null
let lastId = 0

/**
 * From now on short processes are started by a small helper process: a fork copies the page tables of who forks, which
 * takes a worker of 400 MB eight times as long as a small process, and stops everything else in it meanwhile.
 */
export function useHelper(): { stop(): void } {
  users += 1
  let stopped = false
  return {
    stop() {
      if (stopped) return
      stopped = true
      users -= 1
      if (users > 0) return
      helper?.child.disconnect()
      helper = null
    },
  }
}

/** As `runProcess`; through the helper where there is one. */
export function runShortProcess(run: ShortRun): Promise<ProcessResult> {
  if (users === 0) return runProcess(run)
  run.signal?.throwIfAborted()
  helper ??= startHelper()
  return runThrough(helper, run)
}

function runThrough({ child, waiting }: Helper, run: ShortRun): Promise<ProcessResult> {
  const { promise, resolve, reject } = Promise.withResolvers<ProcessResult>()
  const id = (lastId += 1)
  const { signal, ...rest } = run
  const tell = (request: HelperRequest) =>
    child.send(request, (error) => error && settle(waiting, child, id)?.reject(error))
  const abort = () => void tell({ id, abort: true })
  // While a call is under way the channel keeps this process alive, as a child would.
  child.channel?.ref()
  waiting.set(id, { resolve, reject, run })
  tell({ id, run: rest })
  signal?.addEventListener('abort', abort, { once: true })
  return promise.finally(() => signal?.removeEventListener('abort', abort))
}

function startHelper(): Helper {
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
  const compiled = process.env['NODE_COMPILE_CACHE']
  const child = fork(fileURLToPath(new URL(`helper-main${extension}`, import.meta.url)), [], {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: [],
    // It starts every process with the environment that it is told; of ours it needs what halves its start.
    env: { NODE_NO_WARNINGS: '1', ...(compiled === undefined ? {} : { NODE_COMPILE_CACHE: compiled }) },
  })
  const started: Helper = { child, waiting: new Map() }
  const { waiting } = started
  child.unref()
  child.channel?.unref()
  child.on('message', (reply: HelperReply) => {
    const one = settle(waiting, child, reply.id)
    if ('result' in reply) one?.resolve(withBuffers(reply.result))
    else if ('aborted' in reply) one?.reject(one.run.signal?.reason)
    else one?.reject(new Error(reply.error))
  })
  const ended = () => {
    if (helper === started) helper = null
    for (const id of [...waiting.keys()])
      settle(waiting, child, id)?.reject(new Error('the process that starts others has ended'))
  }
  child.on('error', ended)
  child.on('exit', ended)
  return started
}

function settle(waiting: Map<number, Waiting>, child: ChildProcess, id: number): Waiting | undefined {
  const one = waiting.get(id)
  waiting.delete(id)
  if (waiting.size === 0) child.channel?.unref()
  return one
}

/** Some versions of Node hand over a plain Uint8Array. */
function withBuffers(result: ProcessResult): ProcessResult {
  return { ...result, stdout: asBuffer(result.stdout), stderr: asBuffer(result.stderr) }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
