import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, open, rename, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { searchAttributeFlags } from './namespace.ts'
import { LOOPBACK, type ServerPorts } from './ports.ts'
import { identifyProcess, type ProcessIdentity } from './process-identity.ts'
import type { ServerFiles } from './record.ts'

export type ServerExit = { code: number | null; signal: NodeJS.Signals | null }

export type LaunchOptions = {
  cli: string
  files: ServerFiles
  ports: ServerPorts
  namespace: string
  synchronous: 'full' | 'normal'
  endsWithParent: boolean
  dynamicConfig: string[]
  env: NodeJS.ProcessEnv
}

export type Launched = { identity: ProcessIdentity; exited: Promise<ServerExit>; logTail(): Promise<string> }

/**
 * `KEY=JSON`. The default of 20 polls a second makes each dispatch wait about 40 ms once a few workflows run, and timers
 * may by default fire a second late. A server ignores the settings that it does not know. `ops/temporal` has the same.
 */
export const DYNAMIC_CONFIG = [
  'history.transferProcessorMaxPollRPS=2000',
  'history.timerProcessorMaxPollRPS=2000',
  'history.visibilityProcessorMaxPollRPS=2000',
  'history.outboundProcessorMaxPollRPS=2000',
  'history.timerProcessorMaxTimeShift="10ms"',
  'system.enableActivityEagerExecution=true',
  'frontend.WorkerHeartbeatsEnabled=true',
  'frontend.ListWorkersEnabled=true',
]
const LOG_LIMIT_BYTES = 10 * 1024 * 1024
const TAIL_BYTES = 2_000

/** Starts the process, in a session of its own: a Ctrl-C at the terminal must not reach it before the workers drained. */
export async function launch(options: LaunchOptions): Promise<Launched> {
  const { files, cli } = options
  await mkdir(dirname(files.database), { recursive: true })
  await mkdir(dirname(files.log), { recursive: true })
  await rotate(files.log)
  const log = await open(files.log, 'a')
  const from = (await log.stat()).size
  try {
    const server = spawn(cli, startArguments(options), {
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      env: serverEnvironment(options.env),
    })
    const exited = new Promise<ServerExit>((resolve) =>
      server.once('exit', (code, signal) => resolve({ code, signal })),
    )
    await once(server, 'spawn')
    if (options.endsWithParent) endWithParent(server)
    const identity = await identifyProcess(server.pid as number)
    if (!identity)
      throw new Error(`the Temporal server ends at once. The end of ${files.log}:\n${await tail(files.log, from)}`)
    return { identity, exited, logTail: () => tail(files.log, from) }
  } finally {
    await log.close()
  }
}

function startArguments({ files, ports, namespace, synchronous, dynamicConfig }: LaunchOptions): string[] {
  return [
    ...['server', 'start-dev', '--ip', LOOPBACK, '--ui-ip', LOOPBACK],
    ...['--port', String(ports.grpc), '--http-port', String(ports.http)],
    ...['--metrics-port', String(ports.metrics), '--ui-port', String(ports.ui)],
    ...['--db-filename', files.database],
    ...['--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', `synchronous=${synchronous}`],
    ...['--namespace', namespace, '--log-level', 'error'],
    ...searchAttributeFlags.flatMap(([name, type]) => ['--search-attribute', `${name}=${type}`]),
    ...[...DYNAMIC_CONFIG, ...dynamicConfig].flatMap((setting) => ['--dynamic-config-value', setting]),
  ]
}

/** The user's TEMPORAL_* name another server and must not reach this one. */
function serverEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const names = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'TZ', 'SystemRoot']
  return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])))
}

/**
 * A shell that waits for the end of our pipe to it: the operating system closes that with this process, also after a
 * SIGKILL. The server's own stdin can't serve: it does not read it.
 */
function endWithParent(server: ChildProcess): void {
  const watcher = spawn('/bin/sh', ['-c', 'cat >/dev/null; kill -TERM "$0" 2>/dev/null', String(server.pid)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { PATH: process.env.PATH },
  })
  watcher.on('error', () => {})
  watcher.stdin?.on('error', () => {})
  watcher.unref()
  server.once('exit', () => {
    // Killed before its pipe closes, so that it never signals a process that got the server's id later.
    if (watcher.pid === undefined || watcher.exitCode !== null || watcher.signalCode !== null) return
    try {
      process.kill(-watcher.pid, 'SIGKILL')
    } catch {
      // It is gone already.
    }
  })
}

async function rotate(path: string): Promise<void> {
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  )
  if (size > LOG_LIMIT_BYTES) await rename(path, `${path}.1`)
}

async function tail(path: string, from: number): Promise<string> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    const start = Math.max(from, size - TAIL_BYTES)
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(size - start), position: start })
    return buffer.subarray(0, bytesRead).toString('utf8').trim()
  } finally {
    await file.close()
  }
}
