import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { seedLocalRepository } from '#activities/forge/local'
import { runGit } from '#activities/git/run'
import { roles } from '#contracts/roles'
import { supervise, type Supervisor } from '#client/supervisor/supervisor'
import type { Sha } from '#domain/pull-request'
import { connect } from '#installation/connect'
import type { Connected, Installation } from '#installation/installation'
import { openInstallation } from '#installation/open'
import { startEmbeddedServer, type EmbeddedServer } from '#server/embedded'
import { prepareServer } from '#server/namespace'
import { readRecord, writeRecord } from '#server/record'
import type { SqliteLedger } from '#ledger/sqlite'
import { faultsVariable, lifeMark, patience, type Faults } from './crash-points.ts'
import { createSampleRepository, type SampleRepository } from './repositories.ts'

/** Deadlines short enough that the death of a worker costs seconds. */
const timings = {
  sweep: '2s',
  enqueueAcknowledgement: '3s',
  mergeableRetry: '500ms',
  heartbeat: '2s',
  shortActivity: '1m',
  infrastructureRetry: '200ms',
}

const READY_MS = 60_000 * patience
/** Characters of the workers' log that a failure shows. */
const TAIL = 2_000

/** What Node made of the sources: workers that die by the dozen need not make it each time anew. */
const compileCache = join(tmpdir(), 'switchyard-compile-cache')

/** A Temporal server that several installations share, each in a namespace of its own. */
export type SharedServer = EmbeddedServer & { home: string; remove(): Promise<void> }

export type TestRepository = { name: string; gitDir: string; seed: Sha }

export type TestInstallation = {
  folder: string
  home: string
  /** Of the workers and of what they start; must be empty at rest. */
  temp: string
  env: Record<string, string>
  installation: Installation & { ledger: SqliteLedger }
  connected: Connected
  sample: SampleRepository
  repositories: TestRepository[]
  faults: Faults
  /** Keeps worker processes, each of every role, running, however often they die, until `stop`. */
  startWorkers(processes?: number): Promise<Supervisor>
  stopWorkers(): Promise<void>
  /** Ends the server too, if it is its own. */
  stopAll(): Promise<void>
  push(repository: TestRepository, branch: string): Promise<void>
  /** Pushes a branch of the sample and opens a PR for it. */
  openPullRequest(repository: TestRepository, branch: string): Promise<{ number: number; head: Sha }>
  remove(): Promise<void>
}

export type InstallationOptions = {
  /** One of several installations, or one of its own, which is started again when it dies. */
  server: SharedServer | 'own'
  name: string
  isolation: 'required' | 'none'
  repositories: string[]
  /** The workflows' code: `testServer().bundlePath`. */
  bundlePath: string
  /** Makes the content of every repository, on `main` and on branches. */
  fill: (sample: SampleRepository) => Promise<void>
  /** Added to the workers' environment. */
  env?: Record<string, string>
  /** As `switchyard.yaml` has them. */
  people?: Record<string, unknown>[]
}

export async function startSharedServer(): Promise<SharedServer> {
  const home = await realpath(await mkdtemp(join(tmpdir(), 'switchyard-e2e-server-')))
  try {
    const server = await startEmbeddedServer({ home, synchronous: 'normal', endsWithParent: true })
    const remove = async () => {
      await server.stop()
      await rm(home, { recursive: true, force: true })
    }
    return { ...server, home, remove }
  } catch (error) {
    await rm(home, { recursive: true, force: true })
    throw error
  }
}

export async function createInstallation(options: InstallationOptions): Promise<TestInstallation> {
  const { server, name } = options
  const folder = await realpath(await mkdtemp(join(tmpdir(), `switchyard-e2e-${name}-`)))
  const home = join(folder, 'state')
  const temp = join(folder, 'temp')
  const markers = join(folder, 'markers')
  for (const each of [home, temp, markers, join(folder, 'home')]) await mkdir(each)
  const env = {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    HOME: join(folder, 'home'),
    TMPDIR: temp,
    LANG: 'C.UTF-8',
    SWITCHYARD_HOME: home,
    SWITCHYARD_CONFIG: join(home, 'switchyard.yaml'),
    SWITCHYARD_SERVER: 'embedded',
    NODE_COMPILE_CACHE: compileCache,
    ...options.env,
  }
  const kept = server === 'own' ? await keepServer(home) : null
  if (server !== 'own') await shareServer(server, home, name)
  const remotes = options.repositories.map((repo) => ({ name: repo, remote: join('forge', `${repo}.git`) }))
  const { isolation, people = [] } = options
  const config = stringify({ repositories: remotes, isolation, timings, people })
  await writeFile(env.SWITCHYARD_CONFIG, config)
  const sample = await createSampleRepository()
  await options.fill(sample)
  const repositories = await Promise.all(options.repositories.map((repo) => seed(home, repo, sample)))
  const installation = (await openInstallation({ cwd: folder, env })) as TestInstallation['installation']
  const connected = await connect(installation, { env })
  const faults: Faults = {
    ...{ markers, bundlePath: options.bundlePath, chains: [], interferences: [], mutations: [] },
    ...{ trace: false, threads: false, cachedWorkflows: null },
  }
  const push = async ({ gitDir }: TestRepository, branch: string) =>
    void (await sample.git('push', '--quiet', '--force', gitDir, `refs/heads/${branch}:refs/heads/${branch}`))
  const workers: Supervisor[] = []
  const stopWorkers = async () => {
    for (const supervisor of workers.splice(0)) await supervisor.stop()
  }
  return {
    ...{ folder, home, temp, env, installation, connected, sample, repositories, faults, push },
    async startWorkers(processes = 1) {
      const supervisor = startWorkers(home, { ...env, [faultsVariable]: JSON.stringify(faults) }, processes)
      workers.push(supervisor)
      await supervisor.ready(READY_MS).catch(async (error: Error) => {
        throw new Error(`${error.message}\n${(await readFile(join(home, 'logs', 'worker.log'), 'utf8')).slice(-TAIL)}`)
      })
      return supervisor
    },
    stopWorkers,
    async stopAll() {
      await stopWorkers()
      await kept?.stop()
    },
    async openPullRequest(repository, branch) {
      await writeFile(lifeMark(faults, repository.name), '')
      await push(repository, branch)
      return open(installation, repository.name, branch)
    },
    async remove() {
      await stopWorkers()
      await connected.close()
      await installation.close()
      await sample.remove()
      await kept?.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** As `up` keeps it: on the ports that it had, on the state that it left. */
async function keepServer(home: string): Promise<{ stop(): Promise<void> }> {
  const start = () => startEmbeddedServer({ home, synchronous: 'normal', endsWithParent: true })
  let server = await start()
  let stopped = false
  const keeping = (async () => {
    while (!stopped) {
      await server.exited
      if (!stopped) server = await start()
    }
  })()
  keeping.catch(() => undefined)
  return {
    async stop() {
      stopped = true
      await server.stop()
      await keeping
      await server.stop()
    },
  }
}

/** Names the shared server as this home's own, in another namespace. */
async function shareServer(server: SharedServer, home: string, namespace: string): Promise<void> {
  const record = await readRecord(server.home)
  if (record === null) throw new Error('the shared server has no record')
  await prepareServer({ ...server, namespace })
  await writeRecord(home, { ...record, namespace })
}

async function seed(home: string, name: string, sample: SampleRepository): Promise<TestRepository> {
  const { gitDir, sha } = await seedLocalRepository({ home, name, fromRepo: sample.path, branch: 'main' })
  // Every tip that the base ever has is in its reflog, seen from outside of Switchyard.
  const file = join(gitDir, 'config')
  await runGit({ args: ['config', '--file', file, '--replace-all', 'core.logAllRefUpdates', 'true'] })
  return { name, gitDir, seed: sha }
}

function startWorkers(home: string, env: Record<string, string>, processes: number): Supervisor {
  const entry = fileURLToPath(new URL('./faulty-worker.ts', import.meta.url))
  const log = join(home, 'logs', 'worker.log')
  const specs = Array.from({ length: processes }, (_, index) => ({
    ...{ name: index === 0 ? 'worker' : `worker-${index + 1}`, command: process.execPath },
    ...{ args: [entry, roles.join(',')], env, log },
  }))
  return supervise(specs, { backoff: { firstMs: 50, maxMs: 200 } })
}

async function open(installation: Installation, repo: string, head: string): Promise<{ number: number; head: Sha }> {
  const author = 'ada@example.test'
  const wish = { head, base: 'main', title: `Add ${head}`, body: '', author, draft: false, labels: [] }
  const created = await installation.forge.createPullRequest(repo, wish)
  if (created.outcome === 'refused') throw new Error(created.detail)
  return { number: created.pullRequest.number, head: created.pullRequest.head.sha }
}
