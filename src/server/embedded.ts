import { Connection } from '@temporalio/client'
import { mkdir, realpath } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { provideTemporalCli } from '../../tools/temporal/provision.mjs'
import { isBroken } from './health.ts'
import { type ServerExit, launch } from './launch.ts'
import { exclusively } from './mutex.ts'
import { prepareServer } from './namespace.ts'
import type { ServerAddress } from './port.ts'
import { accepts, choosePorts, type ServerPorts } from './ports.ts'
import { endProcess, isAlive, type ProcessIdentity, processesWithArguments, waitForEnd } from './process-identity.ts'
import { embeddedAddress, readRecord, recordedProcess, serverFiles, type ServerRecord, writeRecord } from './record.ts'

export type EmbeddedServerOptions = {
  /** The folder that holds all state of the installation. */
  home: string
  namespace?: string
  /** Progress for a person: making the CLI may take minutes, once. */
  say?: (line: string) => void
  /** `full` survives a power cut and is the default; `normal` is faster and for tests. */
  synchronous?: 'full' | 'normal'
  /** Wished for; a taken one is replaced by a free one. Those of the last start are the default. */
  ports?: Partial<ServerPorts>
  /** True: the server goes when this process does, even by SIGKILL. False: the next start adopts it. */
  endsWithParent?: boolean
  /** More `KEY=JSON` dynamic settings, for tests. */
  dynamicConfig?: string[]
  env?: NodeJS.ProcessEnv
}

export type EmbeddedServer = ServerAddress & {
  pid: number
  /** True when it ran already: left behind by a killed process, or started by another one at the same moment. */
  adopted: boolean
  /** Settles when the server's process has ended, by `stop` or otherwise. */
  exited: Promise<ServerExit>
  /** Ends the server, whoever started it. Returns when its process is gone. */
  stop(): Promise<void>
  /** As `stop`, at once: for one that does not work and would not heed. What it acknowledged is in its database. */
  kill(): Promise<void>
}

const ATTEMPTS = 5
const RETRY_MS = 300
const START_MS = 30_000
const ADOPT_MS = 5_000
/** A server that answers nobody will hardly heed a TERM. */
const STUCK_GRACE_MS = 1_000
const STOP_GRACE_MS = 10_000
/** Another process may be starting it with all its attempts. */
const MUTEX_MS = 120_000

/**
 * The installation's own server: adopts the one that runs, else starts it. Two callers at once get the same one.
 * Returns when it answers and namespace and search attributes can be used.
 */
export async function startEmbeddedServer(options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  await mkdir(options.home, { recursive: true })
  const home = await realpath(options.home)
  const say = options.say ?? (() => {})
  const cli = await provideTemporalCli({
    env: options.env ?? process.env,
    say,
    download: (path) => [
      process.execPath,
      fileURLToPath(new URL('../../tools/temporal/download.mjs', import.meta.url)),
      path,
    ],
  })
  return exclusively(serverFiles(home).mutex, MUTEX_MS, async () => {
    const adopted = await adopt(home, options)
    if (adopted) return adopted
    await endUnrecorded(home)
    return startWithRetries(home, cli, options)
  })
}

/** Ends the server that `server.json` names. False when none runs. */
export async function stopRecordedServer(home: string): Promise<boolean> {
  const server = await recordedProcess(await readRecord(home))
  if (!server) return false
  await endProcess(server, STOP_GRACE_MS)
  return true
}

async function adopt(home: string, options: EmbeddedServerOptions): Promise<EmbeddedServer | null> {
  const record = await readRecord(home)
  const running = await recordedProcess(record)
  if (!record || !running) return null
  if (!(await answers(record, running, ADOPT_MS))) {
    options.say?.(`the Temporal server (process ${running.pid}) does not answer: ending it, and starting another`)
    await endProcess(running, STUCK_GRACE_MS)
    return null
  }
  if (await isBroken(embeddedAddress(record, running.pid))) {
    options.say?.(`the Temporal server (process ${running.pid}) does not work: ending it, and starting another`)
    await endProcess(running, STUCK_GRACE_MS)
    return null
  }
  const server = { ...record, namespace: options.namespace ?? record.namespace }
  await prepareServer(embeddedAddress(server, running.pid))
  const exited = waitForEnd(running, Number.POSITIVE_INFINITY).then(() => ({ code: null, signal: null }))
  return handle(server, running, exited, true)
}

/** A starter killed between the start and its record leaves a server that nobody can find by `server.json`. */
async function endUnrecorded(home: string): Promise<void> {
  for (const stray of await processesWithArguments('start-dev', serverFiles(home).database)) {
    await endProcess(stray, STOP_GRACE_MS)
  }
}

async function startWithRetries(home: string, cli: string, options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(home, cli, options)
    } catch (error) {
      // The database stays locked for a moment after its last holder's end, and a port may be taken in between.
      if (attempt === ATTEMPTS) throw error
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS * attempt))
    }
  }
}

async function startOnce(home: string, cli: string, options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  const last = await readRecord(home)
  const ports = await choosePorts({ ...last?.ports, ...options.ports })
  const namespace = options.namespace ?? last?.namespace ?? 'switchyard'
  const launched = await launch({
    cli,
    files: serverFiles(home),
    ports,
    namespace,
    synchronous: options.synchronous ?? 'full',
    endsWithParent: options.endsWithParent ?? false,
    dynamicConfig: options.dynamicConfig ?? [],
    env: options.env ?? process.env,
  })
  const record: ServerRecord = { ports, namespace, process: launched.identity }
  try {
    await writeRecord(home, record)
    if (!(await answers(record, launched.identity, START_MS))) {
      throw new Error(
        `the Temporal server does not start. The end of ${serverFiles(home).log}:\n${await launched.logTail()}`,
      )
    }
    await prepareServer(embeddedAddress(record, launched.identity.pid))
    return handle(record, launched.identity, launched.exited, false)
  } catch (error) {
    await endProcess(launched.identity, STOP_GRACE_MS)
    throw error
  }
}

function handle(
  record: ServerRecord,
  identity: ProcessIdentity,
  exited: Promise<ServerExit>,
  adopted: boolean,
): EmbeddedServer {
  return {
    ...embeddedAddress(record, identity.pid),
    pid: identity.pid,
    adopted,
    exited,
    stop: async () => {
      await endProcess(identity, STOP_GRACE_MS)
      await exited
    },
    kill: async () => {
      await endProcess(identity, 0)
      await exited
    },
  }
}

/** False when it does not answer within the time, at once when its process is gone. */
export async function answers(record: ServerRecord, server: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs
  // A gRPC channel that was refused waits a second before it tries again; a plain connection need not.
  while (!(await accepts(record.ports.grpc))) {
    if (Date.now() >= deadline || !(await isAlive(server))) return false
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  while (Date.now() < deadline && (await isAlive(server))) {
    const connection = await connect(record, 2_000).catch(() => null)
    if (connection) {
      await connection.close()
      return true
    }
  }
  return false
}

function connect(record: ServerRecord, connectTimeout: number): Promise<Connection> {
  return Connection.connect({ ...embeddedAddress(record, 0).connection, connectTimeout })
}
