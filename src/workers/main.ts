import { Runtime, type Logger } from '@temporalio/worker'
import { pino } from 'pino'
import { roles as allRoles, type Role } from '#contracts/roles'
import { connect, locateServer } from '#installation/connect'
import { onNewConfiguration } from '#installation/changes'
import { openInstallation } from '#installation/open'
import { prepareServer } from '#server/namespace'
import { runWorkers, type WorkerOptions } from './run.ts'

/** Longer than a drain (see `run.ts`), and shorter than the grace of who stops us. */
const GIVE_UP_MS = 18_000

export type WorkerProcess = {
  cwd: string
  env: NodeJS.ProcessEnv
  configFlag?: string
  roles: Role[]
  /** A ready bundle of the workflows; made when left out. */
  bundle?: WorkerOptions['bundle']
}

/**
 * A worker as a process of its own: polls until SIGTERM or SIGINT, or until the supervisor that started it is gone. When
 * the installation's file changes, by `init` or `repo add`, it drains and begins again with what the file says then.
 */
export async function workerProcess(options: WorkerProcess, decorate?: WorkerOptions['decorate']): Promise<void> {
  const log = pino({ name: options.roles.join(','), redact: ['*.token', '*.password'] }, pino.destination(2))
  installRuntime(log)
  const stop = new AbortController()
  for (const event of ['SIGTERM', 'SIGINT', 'disconnect'] as const) process.once(event, () => stop.abort())
  // A drain waits for the server's word, which never comes from one that is gone.
  stop.signal.addEventListener('abort', () => setTimeout(() => process.exit(1), GIVE_UP_MS).unref())
  while (!stop.signal.aborted) await pollOnce(options, decorate, log, stop.signal)
  if (process.connected) process.disconnect()
}

async function pollOnce(
  options: WorkerProcess,
  decorate: WorkerOptions['decorate'],
  log: pino.Logger,
  stop: AbortSignal,
): Promise<void> {
  const installation = await openInstallation(options)
  const { config, paths } = installation
  const server = await locateServer(paths.home, options.env)
  // The embedded one comes prepared; of another, which may be new, the first worker may be the first to know.
  if (server.kind === 'external') await prepareServer(server)
  const connected = await connect(installation, { env: options.env })
  const { pipelines } = connected
  const workers = await runWorkers({
    roles: options.roles,
    installation,
    server,
    pipelines,
    env: options.env,
    onError: (error) => log.warn({ err: error }, 'hints'),
    ...(options.bundle === undefined ? {} : { bundle: options.bundle }),
    ...(decorate === undefined ? {} : { decorate }),
  })
  if (options.roles.includes('pr-review')) {
    for (const { name } of config.repositories) await pipelines.watchRepository(name)
  }
  const drain = () => void workers.drain()
  if (stop.aborted) drain()
  stop.addEventListener('abort', drain, { once: true })
  const unwatch = onNewConfiguration(paths, (problem) => {
    if (problem === null) log.info('the configuration has changed: beginning again')
    else log.warn({ problem }, 'the configuration has changed and does not parse: going on with what was read')
    if (problem === null) drain()
  })
  process.send?.({ kind: 'ready' })
  log.info({ roles: options.roles, server: server.address, repositories: config.repositories.length }, 'polling')
  await workers.ended
  unwatch()
  stop.removeEventListener('abort', drain)
  await connected.close()
  await installation.close()
}

/** Reads `--roles a,b`; null for a role that does not exist. */
export function parseRoles(text: string): Role[] | null {
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean)
  if (names.length === 0 || names.some((name) => !allRoles.includes(name as Role))) return null
  return [...new Set(names)] as Role[]
}

function installRuntime(log: pino.Logger): void {
  const at =
    (level: 'trace' | 'debug' | 'info' | 'warn' | 'error'): Logger['info'] =>
    (message, meta) =>
      log[level](meta ?? {}, message)
  const logger: Logger = {
    log: (level, message, meta) => log[level.toLowerCase() as 'info'](meta ?? {}, message),
    trace: at('trace'),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
  }
  Runtime.install({
    logger,
    shutdownSignals: [],
    telemetryOptions: { logging: { filter: { core: 'WARN', other: 'WARN' }, forward: {} } },
  })
}
