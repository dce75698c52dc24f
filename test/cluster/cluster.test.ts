import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { Client } from 'pg'
import { roles } from '#contracts/roles'
import { supervise, type Supervisor, type SupervisorEvent } from '#client/supervisor/supervisor'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createCliWorld, processesWith, type CliWorld, type Ran } from '../support/cli.ts'
import { eventually } from '../support/crash-points.ts'
import { findPostgres, startPostgres, type PostgresServer } from '../support/postgres.ts'
import { workingCopies, type WorkingCopies } from '../support/working-copies.ts'
import { makeSchema, startCluster, type Cluster, type ClusterOptions } from './cluster.ts'
import { readCompose, root, tagOf, type Compose } from './compose.ts'
import { provideTemporalServer } from './provision.ts'

const SECONDS = 1_000
const MINUTES = 60 * SECONDS
const main = fileURLToPath(new URL('../../src/client/main.ts', import.meta.url))
const timings = `timings:
  sweep: 2s
  enqueueAcknowledgement: 3s
  heartbeat: 2s
  shortActivity: 1m
  infrastructureRetry: 200ms
`
const policy = 'version: 1\nchecks:\n  tests:\n    run: sh check.sh\n    timeout: 2m\n    retries: 0\n'

/** The processes of docker-compose.yml, without containers: its images' programs, its commands and its environment. */
describe('the cluster of docker-compose.yml, as processes', { timeout: 2 * MINUTES }, () => {
  let world: CliWorld
  let postgres: PostgresServer
  let compose: Compose
  let options: ClusterOptions
  let cluster: Cluster
  let workers: Supervisor
  const events: SupervisorEvent[] = []
  let copies: WorkingCopies
  let shop: string

  beforeAll(async () => {
    world = await createCliWorld()
    postgres = await startPostgres(findPostgres() ?? missing())
    compose = readCompose({
      SWITCHYARD_STATE: world.home,
      TEMPORAL_DATABASE_PASSWORD: 'x',
      LEDGER_PASSWORD: new URL(postgres.url).password,
    })
    const programs = await provideTemporalServer(tagOf(compose.services['temporal-frontend']!.image!))
    options = { compose, programs, postgres: new URL(postgres.url), folder: world.folder }
    await makeSchema(options)
    cluster = await startCluster(options)
    const { TEMPORAL_NAMESPACE, PGPASSWORD } = compose.services['cli']!.environment!
    delete world.env['SWITCHYARD_SERVER']
    Object.assign(world.env, { TEMPORAL_ADDRESS: cluster.address, TEMPORAL_NAMESPACE, PGPASSWORD })
    await mkdir(world.home, { recursive: true })
    await writeFile(join(world.home, 'switchyard.yaml'), await installation())
    copies = workingCopies(world)
    shop = await copies.make('shop', policy)
  }, 30 * MINUTES)

  afterAll(async () => {
    await workers?.stop()
    await cluster?.stop()
    await postgres?.remove()
    await world?.remove()
  }, MINUTES)

  /** The file that docs/install.md says to begin with, at the ledger's database of here. */
  async function installation(): Promise<string> {
    const { hostname, port, username } = new URL(postgres.url)
    const client = new Client({ connectionString: `${postgres.url}/postgres` })
    await client.connect()
    await client.query('create database switchyard')
    await client.end()
    const text = await readFile(join(root, 'ops', 'switchyard.yaml'), 'utf8')
    const inCompose = /postgres:\/\/\S+/.exec(text)![0]
    return `${text.replace(inCompose, `postgres://${username}@${hostname}:${port}/switchyard`)}${timings}`
  }

  /** As Docker runs the services `worker-*`: their commands and environment, started again when they die. */
  function startWorkers(): Supervisor {
    const specs = Object.entries(compose.services).filter(([name]) => name.startsWith('worker-'))
    return supervise(
      specs.map(([name, { command, environment }]) => ({
        name,
        command: process.execPath,
        args: [main, ...command!],
        env: { ...world.env, ...environment, TEMPORAL_ADDRESS: cluster.address, SWITCHYARD_CACHE: world.temp },
        log: join(world.folder, `${name}.log`),
      })),
      { onEvent: (event) => void events.push(event) },
    )
  }

  const create = (head: string, ...more: string[]): Promise<Ran> =>
    world.switchyard(shop, 'pr', 'create', '--head', head, '--title', head, '--wait', '--json', ...more)

  const seen = (...args: string[]) =>
    eventually(
      async () => (await processesWith(args, '')).length > 0,
      40 * SECONDS,
      () => `${args.join(' ')} to run`,
    )

  async function timesLanded(branch: string): Promise<number> {
    await copies.git(shop, 'fetch', '--quiet', 'switchyard')
    const subjects = await copies.git(shop, 'log', '--format=%s', 'switchyard/main')
    return subjects.split('\n').filter((subject) => subject.startsWith(`${branch} (#`)).length
  }

  test('each variable of a Temporal service is one that its program reads', async () => {
    const server = await readFile(options.programs.server)
    const sqlTool = await readFile(options.programs.sqlTool)
    for (const [name, { image, environment }] of Object.entries(compose.services)) {
      const program = { 'temporalio/server': server, 'temporalio/admin-tools': sqlTool }[image!.split(':')[0]!]
      if (program === undefined) continue
      for (const variable of Object.keys(environment!)) {
        expect(program.includes(variable), `${variable} of ${name}`).toBe(true)
      }
    }
  })

  test('the server knows each dynamic setting, and its type', async () => {
    const file = join(root, 'ops', 'temporal', 'dynamicconfig.yaml')
    const { stdout, exitCode } = await execa(options.programs.server, ['validate-dynamic-config', file])
    expect({ exitCode, stdout: stdout.trim() }).toEqual({ exitCode: 0, stdout: file })
  })

  test('the schema can be made again, as each start of the containers does', async () => {
    await makeSchema(options)
  })

  test('before any worker, pr create says that no worker polls, with exit code 3', async () => {
    expect((await world.switchyard(shop, 'init', '--json')).code).toBe(0)
    await copies.pushBranch(shop, 'early')
    const refused = await create('early')
    expect({ code: refused.code, stderr: refused.stderr }).toEqual({
      code: 3,
      stderr: expect.stringMatching(/namespace-not-ready[^]*switchyard worker --roles/),
    })
  })

  test('two workers that start at once make the namespace and its search attributes, and poll', async () => {
    workers = startWorkers()
    await workers.ready(90 * SECONDS)
    const doctor = await world.switchyard(shop, 'doctor', '--json')
    const { checks } = doctor.json() as { checks: { check: string; outcome: string; detail: string }[] }
    const ofServer = checks.filter(({ check }) => check === 'server')
    expect(ofServer.map(({ outcome }) => outcome)).toEqual(Array(1 + roles.length).fill('ok'))
    expect(ofServer[0]!.detail).toContain(`${cluster.address}, namespace switchyard`)
  })

  test('a good pull request lands with exit code 0; a red one is rejected with 1; a draft waits with 4', async () => {
    await copies.pushBranch(shop, 'good')
    await copies.pushBranch(shop, 'red', 'echo no; exit 3\n')
    await copies.pushBranch(shop, 'draft')
    const [good, red, draft] = await Promise.all([create('good'), create('red'), create('draft', '--draft')])
    expect([good.code, red.code, draft.code], good.stdout + good.stderr).toEqual([0, 1, 4])
    expect(await timesLanded('good')).toBe(1)
    const why = await world.switchyard(shop, 'why', String(draft.json()['number']), '--json')
    expect({ code: why.code, ...why.json() }).toMatchObject({ code: 0 })
    expect(why.stdout).toContain('pr ready')
    expect((await world.switchyard(shop, 'status', '--json')).json()).toMatchObject({
      server: { address: cluster.address },
    })
  })

  test('a worker that is killed in the middle of a test costs nothing but time', async () => {
    await copies.pushBranch(shop, 'slow', 'sleep 3.3166\n')
    const landing = create('slow')
    await seen('sleep', '3.3166')
    workers.kill('worker-testing', 'SIGKILL')
    expect((await landing).code).toBe(0)
    expect(await timesLanded('slow')).toBe(1)
  })

  test.each(['history', 'frontend', 'matching'] as const)(
    'the %s service killed in the middle of a test, and started again, costs nothing but time',
    async (service) => {
      const seconds = { history: '3.6055', frontend: '3.8729', matching: '4.1231' }[service]
      await copies.pushBranch(shop, service, `sleep ${seconds}\n`)
      const landing = create(service)
      await seen('sleep', seconds)
      await cluster.kill(service)
      await cluster.start(service)
      const landed = await landing
      const number = String(landed.json()['number'])
      // A command that loses the server ends with 3; what it waited for goes on.
      expect([0, 3]).toContain(landed.code)
      await eventually(
        async () => (await timesLanded(service)) === 1,
        60 * SECONDS,
        async () => (await world.switchyard(shop, 'why', number)).stdout,
      )
      expect((await world.switchyard(shop, 'pr', 'view', number, '--json')).json()).toMatchObject({ state: 'merged' })
    },
  )

  test('a worker that is told to stop while the server is gone ends all the same', async () => {
    await cluster.kill('frontend')
    const pid = workers.kill('worker-testing', 'SIGTERM')
    const died = await eventually(
      async () => events.find((event) => event.kind === 'died' && event.pid === pid),
      40 * SECONDS,
      () => `the worker ${pid} to end`,
    )
    expect(died).toMatchObject({ signal: null })
    await cluster.start('frontend')
  })

  test('PostgreSQL killed under server and workers, and started again, costs nothing but time', async () => {
    await copies.pushBranch(shop, 'stored', 'sleep 3.7416\n')
    const landing = create('stored')
    await seen('sleep', '3.7416')
    await postgres.crash()
    await landing
    await eventually(
      async () => (await timesLanded('stored')) === 1,
      90 * SECONDS,
      async () => (await world.switchyard(shop, 'pr', 'list', '--state', 'all')).stdout,
    )
  })
})

function missing(): never {
  throw new Error('PostgreSQL is not installed: apt-get install postgresql')
}
