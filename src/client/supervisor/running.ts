import { fileURLToPath } from 'node:url'
import type { Role } from '#contracts/roles'
import { serverVariable } from '#installation/connect'
import { workerLog } from '#installation/layout'
import { findExternalServer } from '#server/find'
import { prepareServer } from '#server/namespace'
import type { ServerAddress } from '#server/port'
import { startKeptServer } from './kept-server.ts'
import { supervise, type ChildSpec, type Supervisor, type SupervisorEvent } from './supervisor.ts'

export type RunningOptions = {
  home: string
  configFile: string | null
  env: NodeJS.ProcessEnv
  workers: { name: string; roles: Role[] }[]
  /** The server goes when this process does, even by SIGKILL. Otherwise the next start adopts it. */
  serverEndsWithUs: boolean
  say: (line: string) => void
  onEvent: (event: SupervisorEvent) => void
}

/** Server and workers of one installation, kept running until `stop`. */
export type Running = {
  server: ServerAddress
  workers: Supervisor
  stop(): Promise<void>
}

const READY_MS = 60_000
/** Longer than a worker's own drain. */
const WORKER_GRACE_MS = 20_000

export async function startRunning(options: RunningOptions): Promise<Running> {
  const { home, env, say, serverEndsWithUs } = options
  const external = env[serverVariable] === 'embedded' ? null : findExternalServer(env)
  const embedded =
    external === null ? await startKeptServer({ home, env, say, endsWithParent: serverEndsWithUs }) : null
  if (external) await prepareServer(external)
  const server = external ?? embedded!.address
  const workers = supervise(
    options.workers.map((worker) => workerSpec(worker, options)),
    { onEvent: options.onEvent, graceMs: WORKER_GRACE_MS },
  )
  const stop = async (): Promise<void> => {
    await workers.stop()
    await embedded?.stop()
  }
  try {
    await workers.ready(READY_MS)
  } catch (error) {
    await stop()
    const logs = options.workers.map(({ name }) => workerLog(home, name)).join(', ')
    throw new Error(`the workers did not get ready; their logs: ${logs}`, { cause: error })
  }
  say(`workers ready: ${options.workers.map(({ roles }) => roles.join(', ')).join(' | ')}`)
  return { server, workers, stop }
}

function workerSpec(
  { name, roles }: { name: string; roles: Role[] },
  { home, configFile, env }: RunningOptions,
): ChildSpec {
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
  const main = fileURLToPath(new URL(`../main${extension}`, import.meta.url))
  return {
    name,
    command: process.execPath,
    args: [main, 'worker', '--roles', roles.join(',')],
    env: { ...env, SWITCHYARD_HOME: home, ...(configFile === null ? {} : { SWITCHYARD_CONFIG: configFile }) },
    log: workerLog(home, name),
  }
}
