import { spawn, type ChildProcess } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { join } from 'node:path'
import { accepts } from '#server/ports'
import { eventually } from '../support/crash-points.ts'
import type { Compose } from './compose.ts'
import { root } from './compose.ts'
import type { TemporalPrograms } from './provision.ts'

export type TemporalService = 'frontend' | 'history' | 'matching' | 'worker'

/** The Temporal services of docker-compose.yml, each a process of its own. */
export type Cluster = {
  address: string
  kill(service: TemporalService): Promise<void>
  start(service: TemporalService): Promise<void>
  stop(): Promise<void>
}

export type ClusterOptions = {
  compose: Compose
  programs: TemporalPrograms
  /** Of the database's superuser, without a database. */
  postgres: URL
  /** For logs. */
  folder: string
}

const services: TemporalService[] = ['frontend', 'history', 'matching', 'worker']
const START_MS = 60_000
const LOWEST_PORT = 20_000
const HIGHEST_PORT = 2 ** 15
/** What a container has to itself and processes on one host must share out. */
const ports = [
  ...['FRONTEND', 'HISTORY', 'MATCHING', 'WORKER'].flatMap((name) => [`${name}_GRPC_PORT`, `${name}_MEMBERSHIP_PORT`]),
  'FRONTEND_HTTP_PORT',
] as const

/** Makes the schema with the script and the environment of docker-compose.yml; twice does no harm. */
export async function makeSchema({ compose, programs, postgres, folder }: ClusterOptions): Promise<void> {
  const { environment, entrypoint, volumes } = compose.services['temporal-schema']!
  const env = { ...environment, ...sqlOf(postgres), PATH: `${programs.folder}:/usr/bin:/bin` }
  const [shell, ...args] = entrypoint!.map((word) => onHost(word, volumes))
  const ended = await runToEnd(shell!, args, env, join(folder, 'schema.log'))
  if (ended !== 0) throw new Error(`the schema could not be made: ${readFileSync(join(folder, 'schema.log'), 'utf8')}`)
}

export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const free = await freePorts(ports.length)
  const portOf = Object.fromEntries(ports.map((name, index) => [name, String(free[index])]))
  const running = new Map<TemporalService, ChildProcess>()
  async function start(service: TemporalService): Promise<void> {
    const child = spawnService(service, portOf, options)
    running.set(service, child)
    await listening(service, portOf, child, options.folder)
  }
  async function kill(service: TemporalService): Promise<void> {
    const child = running.get(service)!
    running.delete(service)
    if (child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, 'exit')
    child.kill('SIGKILL')
    await exit
  }
  const stop = async (): Promise<void> => {
    await Promise.all([...running.keys()].map(kill))
  }
  try {
    const [first, others] = inOrder(options.compose)
    await Promise.all(first.map(start))
    await Promise.all(others.map(start))
  } catch (error) {
    await stop()
    throw error
  }
  return { address: `127.0.0.1:${portOf['FRONTEND_GRPC_PORT']}`, kill, start, stop }
}

/** Those that wait for another Temporal service, and before them those that do not. */
function inOrder({ services: all }: Compose): [TemporalService[], TemporalService[]] {
  const waits = (service: TemporalService) =>
    Object.keys(all[`temporal-${service}`]!.depends_on!).some((name) => services.some((one) => name.endsWith(one)))
  return [services.filter((service) => !waits(service)), services.filter(waits)]
}

function spawnService(
  service: TemporalService,
  portOf: Record<string, string>,
  { compose, programs, postgres, folder }: ClusterOptions,
): ChildProcess {
  const { environment, volumes } = compose.services[`temporal-${service}`]!
  const env = {
    ...environment,
    ...portOf,
    POSTGRES_SEEDS: postgres.hostname,
    DB_PORT: postgres.port,
    POSTGRES_USER: postgres.username,
    POSTGRES_PWD: postgres.password,
    BIND_ON_IP: '127.0.0.1',
    DYNAMIC_CONFIG_FILE_PATH: onHost(environment!['DYNAMIC_CONFIG_FILE_PATH']!, volumes),
    PATH: '/usr/bin:/bin',
  }
  const log = openLog(join(folder, `temporal-${service}.log`))
  // In our process group: whoever ends the tests ends it, too.
  const child = spawn(programs.server, ['start'], { cwd: folder, env, stdio: ['ignore', log, log] })
  closeSync(log)
  return child
}

/** What the healthcheck of its container asks; the worker service serves nobody. */
async function listening(
  service: TemporalService,
  portOf: Record<string, string>,
  child: ChildProcess,
  folder: string,
): Promise<void> {
  const port = portOf[`${service.toUpperCase()}_${service === 'worker' ? 'MEMBERSHIP' : 'GRPC'}_PORT`]
  const log = () => readFileSync(join(folder, `temporal-${service}.log`), 'utf8').slice(-2_000)
  await eventually(
    async () => {
      if (child.exitCode !== null) throw new Error(`the ${service} service ended: ${log()}`)
      return await accepts(Number(port))
    },
    START_MS,
    () => `the ${service} service listens on ${port}: ${log()}`,
  )
}

function sqlOf({ hostname, port, username, password }: URL): Record<string, string> {
  return { SQL_HOST: hostname, SQL_PORT: port, SQL_USER: username, SQL_PASSWORD: password }
}

/** The host's path of a file that is mounted into the container. */
function onHost(path: string, volumes: string[] = []): string {
  for (const volume of volumes) {
    const [host, inside] = volume.split(':')
    if (path === inside) return join(root, host!)
  }
  return path
}

async function runToEnd(command: string, args: string[], env: NodeJS.ProcessEnv, log: string): Promise<number | null> {
  const descriptor = openLog(log)
  const child = spawn(command, args, { env, stdio: ['ignore', descriptor, descriptor] })
  closeSync(descriptor)
  return await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
}

function openLog(path: string): number {
  mkdirSync(join(path, '..'), { recursive: true })
  return openSync(path, 'a')
}

/** All held at once, so that they differ. Temporal's schema keeps a port in a signed 16-bit number. */
async function freePorts(count: number): Promise<number[]> {
  const held: Server[] = []
  try {
    while (held.length < count) {
      const server = await hold(randomInt(LOWEST_PORT, HIGHEST_PORT))
      if (server !== null) held.push(server)
    }
    return held.map((server) => (server.address() as AddressInfo).port)
  } finally {
    await Promise.all(held.map((server) => new Promise((closed) => server.close(closed))))
  }
}

function hold(port: number): Promise<Server | null> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(null))
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => resolve(server))
  })
}
