import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, Connection } from '@temporalio/client'
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker'
import { expect } from 'vitest'
import { withFailures } from '#activities/failures'
import { createClarificationActivities } from '#activities/clarification/activities'
import { createForgeActivities } from '#activities/forge/activities'
import type { Forge } from '#activities/forge/port'
import type { PolicyReader } from '#activities/policy/port'
import { createMergeActivities } from '#activities/merge/activities'
import type { Notifier } from '#activities/notify/port'
import { createPipelineActivities } from '#activities/pipelines/activities'
import type { Pipelines } from '#activities/pipelines/port'
import { createPipelines } from '#activities/pipelines/temporal'
import { createReviewActivities } from '#activities/review/activities'
import { createSecretActivities } from '#activities/secrets/activities'
import { createTestActivities } from '#activities/tests/activities'
import type { CommandOutcome, CommandRun } from '#activities/tests/port'
import { roles, taskQueue } from '#contracts/roles'
import type { Timings } from '#contracts/timings'
import type { Contact } from '#domain/contact'
import type { KnownPerson } from '#domain/people'
import type { Ledger } from '#ledger/port'
import { createPolicyReader } from '#installation/policies'
import { queryAgain } from '#installation/query-again'
import { openLedger } from '#ledger/sqlite'
import { prepareNamespace } from '#server/namespace'
import { roleDefinitions, type RoleDefinition } from '#workers/roles'
import type { MemoryGit } from '../workflows/memory-git.ts'
import { Shop, shortTimings } from '../workflows/shop.ts'
import { hasBegun, type History } from './has-begun.ts'
import { testServer } from './server.ts'

/** Every worker of a world has the same. */
const SURROUNDINGS = 'a machine'
const LOG = { uri: 'log:tests', sha256: '0'.repeat(64), bytes: 0, tail: '' }
/** Tests of one file run at once on one worker; a held check must not keep the others' from starting. */
const SLOTS = 50

export type WorkflowWorld = {
  client: Client
  namespace: string
  ledger: Ledger
  /** Starts and reads what belongs to no repository. */
  pipelines: Pipelines
  /** Tells nobody, until a test puts something else in the place of `send`. */
  notifier: Notifier
  /** The activities of the forge, for what a test prepares by itself. */
  forgeActivities: ReturnType<typeof createForgeActivities>
  /** A repository of the caller's own. */
  newShop(name: string, timings?: Partial<Timings>): Shop
  /** Fails when a history of this world doesn't replay on the current code. Answers how many there were. */
  replayAll(): Promise<number>
  close(): Promise<void>
}

/** Workers of every role on a namespace of their own, acting on forges and git in memory and a real ledger. */
export async function openWorld(
  server?: { address: string; namespace: string },
  people: (KnownPerson | Contact)[] = [],
  /** 0 forces a replay at each workflow task. */
  cachedWorkflows?: number,
  /** Of workflows that only tests have, with all others. */
  ownBundlePath?: string,
): Promise<WorkflowWorld> {
  const { address } = testServer()
  const bundlePath = ownBundlePath ?? testServer().bundlePath
  quiet()
  const at = server ?? { address, namespace: `test-${process.pid}-${Date.now()}` }
  const connection = await Connection.connect({ address: at.address })
  await prepareNamespace(connection, { ...at, enforceRetention: false })
  const client = new Client({
    ...{ connection, namespace: at.namespace, identity: 'test' },
    interceptors: { workflow: [queryAgain] },
  })
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-world-'))
  const ledger = await openLedger(join(folder, 'ledger.sqlite'), { synchronous: 'normal' })
  const shops = new Map<string, Shop>()
  const notifier: Notifier = { send: async () => undefined }
  const clarifications = createPipelines(client, shortTimings)
  const contacts = people.map((person) => ({ notify: [], hours: null, ...person }))
  const { activities, forgeActivities } = activitiesOf(shops, { ledger, notifier, clarifications, people: contacts })
  const native = await NativeConnection.connect({ address: at.address })
  const workers = await Promise.all(
    roles.map((role) => {
      const definition = roleDefinitions[role]
      return Worker.create({
        connection: native,
        namespace: at.namespace,
        taskQueue: taskQueue(role),
        identity: `${role}@test`,
        activities: activities(definition),
        maxConcurrentActivityTaskExecutions: SLOTS,
        ...(definition.workflows ? { workflowBundle: { codePath: bundlePath } } : {}),
        ...(definition.workflows ? { maxCachedWorkflows: cachedWorkflows ?? definition.cachedWorkflows } : {}),
        maxHeartbeatThrottleInterval: 200,
        shutdownForceTime: 5_000,
      })
    }),
  )
  const ended = Promise.all(workers.map((worker) => worker.run()))
  return {
    ...{ client, namespace: at.namespace, ledger, forgeActivities, notifier, pipelines: clarifications },
    newShop(name, timings) {
      const shop = new Shop({ repo: name, ledger, client, ...(timings ? { timings } : {}) })
      shops.set(name, shop)
      return shop
    },
    replayAll: () => replayAll(client, bundlePath),
    async close() {
      for (const worker of workers) worker.shutdown()
      await ended
      await native.close()
      await connection.close()
      await ledger.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Failures that tests bring about are no news. */
function quiet(): void {
  try {
    Runtime.install({
      logger: new DefaultLogger('ERROR'),
      shutdownSignals: [],
      telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' }, forward: {} } },
    })
  } catch {
    // Installed already by another world of this process.
  }
}

type Parts = { ledger: Ledger; notifier: Notifier; clarifications: Pipelines; people: Contact[] }

function activitiesOf(shops: Map<string, Shop>, { ledger, notifier, clarifications, people }: Parts) {
  const shopOf = (repo: string): Shop => {
    const shop = shops.get(repo)
    if (!shop) throw new Error(`no test has the repository ${repo}`)
    return shop
  }
  const forge = routed<Forge>((repo) => shopOf(repo).forge, { kind: 'fake' })
  const repository = (repo: string) => shopOf(repo).git.asRepository()
  const pipelines: Pipelines = {
    ...clarifications,
    lookAtPullRequest: (repo, ...rest) => shopOf(repo).pipelines.lookAtPullRequest(repo, ...rest),
    remindPullRequest: (repo, ...rest) => shopOf(repo).pipelines.remindPullRequest(repo, ...rest),
    enqueue: (entry) => shopOf(entry.repo).pipelines.enqueue(entry),
    watchRepository: (repo) => shopOf(repo).pipelines.watchRepository(repo),
    failedPullRequests: (repo) => shopOf(repo).pipelines.failedPullRequests(repo),
  }
  const onBase = createPolicyReader({ ledger, repository, paths: { file: null, home: tmpdir() } })
  const policies: PolicyReader = {
    ...onBase,
    read: async (repo, branch, commit) =>
      shopOf(repo).policyOnBase ? onBase.read(repo, branch, commit) : shopOf(repo).policy,
  }
  const forgeActivities = createForgeActivities({
    forge,
    ledger,
    repository,
    policies,
    people,
    isolation: { mode: 'bubblewrap', network: 'own' },
  })
  const create = {
    forge: () => forgeActivities,
    merge: () =>
      createMergeActivities({ forge, ledger, repository, runner: { surroundings: async () => SURROUNDINGS } }),
    pipelines: () => createPipelineActivities({ forge, pipelines, ledger, policies, people }),
    clarification: () =>
      createClarificationActivities({ pipelines, ledger, notifier, people, webUrl: (id) => `http://ui.test/${id}` }),
    ...checkActivities(shopOf, ledger),
  }
  return {
    forgeActivities,
    activities: ({ tools }: RoleDefinition) => withFailures(Object.assign({}, ...tools.map((tool) => create[tool]()))),
  }
}

/** The checks with their tools replaced by what the test scripts. */
function checkActivities(shopOf: (repo: string) => Shop, ledger: Ledger) {
  const repository = (repo: string) => shopOf(repo).git.asRepository()
  const runner = {
    async run({ repo, commit, signal, policy }: CommandRun): Promise<CommandOutcome> {
      const shop = shopOf(repo)
      const { conclusion, reason, report = null } = await shop.commandOr(policy.run, shop.tests).run(commit, signal)
      return { conclusion, reason, exitCode: 0, log: LOG, stdout: '', report, duration: 1, isolated: true }
    },
    surroundings: async () => SURROUNDINGS,
    isolation: () => ({ gaps: [], mode: 'bubblewrap' as const, network: 'own' as const, detail: '' }),
    recover: async () => undefined,
  }
  const scanner = {
    async scan({ git, head, signal }: { git: unknown; head: string; signal: AbortSignal }) {
      const { repo } = shopOf((git as MemoryGit).gitDir.slice('memory:'.length))
      const { findings = [] } = await shopOf(repo).secrets.run(head, signal)
      return { findings, allowed: 0, expired: [], commits: 1, unscanned: [], notes: [] }
    },
    scanTexts: async () => ({ findings: [], allowed: 0, expired: [], notes: [] }),
  }
  const reviewer = {
    async review({ repo, head, signal }: { repo: string; head: string; signal: AbortSignal }) {
      const { conclusion, reason, findings = [] } = await shopOf(repo).review.run(head, signal)
      return { conclusion, reason, findings, log: null }
    },
  }
  return {
    tests: () => createTestActivities({ runner, ledger, repository }),
    secrets: () => createSecretActivities({ scanner, ledger, repository }),
    review: () => createReviewActivities({ reviewer, runner, ledger, repository }),
  }
}

/** Sends each call to the object of the repository that is its first argument. */
function routed<T extends object>(of: (repo: string) => T, own: Partial<T>): T {
  return new Proxy(own as T, {
    get: (target, name) =>
      name in target || name === 'then'
        ? target[name as keyof T]
        : (repo: string, ...rest: unknown[]) =>
            (of(repo)[name as keyof T] as (...args: unknown[]) => unknown)(repo, ...rest),
  })
}

async function* begunHistories(client: Client) {
  for await (const run of client.workflow.list().intoHistories()) {
    if (hasBegun(run.history as History)) yield run
  }
}

async function replayAll(client: Client, bundlePath: string): Promise<number> {
  const failed: string[] = []
  let replayed = 0
  for await (const { workflowId, error } of Worker.runReplayHistories(
    { workflowBundle: { codePath: bundlePath } },
    begunHistories(client),
  )) {
    replayed += 1
    if (error) failed.push(`${workflowId}: ${error.message}`)
  }
  expect(failed).toEqual([])
  return replayed
}
