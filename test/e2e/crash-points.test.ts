import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { patience, type Deed } from '../support/crash-points.ts'
import {
  createInstallation,
  startSharedServer,
  type InstallationOptions,
  type SharedServer,
  type TestInstallation,
  type TestRepository,
} from '../support/installation.ts'
import { seeded, shuffled } from '../support/seeded.ts'
import { testServer } from '../support/server.ts'
import { openWorkflows, outlines, replayed, workflows } from './histories.ts'
import { violations } from './invariants.ts'
import { filesBelow, leaks, strays } from './leftovers.ts'
import { canaries, endedIn, fill, live, people, prepareLife, told } from './life.ts'
import {
  chainsOf,
  landingPairs,
  lateEffects,
  nameOf,
  parseScenario,
  reachedPlaces,
  singles,
  wiredActivities,
  type Place,
  type Scenario,
} from './sweep.ts'

const main = fileURLToPath(new URL('../../src/client/main.ts', import.meta.url))
const WHY_MS = 20_000

const { SWITCHYARD_SEED, SWITCHYARD_SWEEP } = process.env
const seed = Number(SWITCHYARD_SEED ?? Date.now() % 1_000_000)
/** All of them, not only the seed's sample. */
const whole = SWITCHYARD_SWEEP === 'all'
/** Far more than a lane takes: a machine that is busy otherwise is no finding. */
const LANE_MS = (whole ? 2_700_000 : 900_000) * patience
/** Just this scenario, from the message of one that failed. */
const asked = SWITCHYARD_SWEEP && !whole ? parseScenario(SWITCHYARD_SWEEP) : null
/** Of the pairs, the server's deaths and the late effects one in so many: another sample with each seed. */
const SAMPLE = 8

/** Lanes run side by side, each on its own state, namespace and workers; the scenarios of a lane one after another. */
type Lane = {
  name: string
  deed: Deed
  share: number
  of: number
  isolated?: boolean
  threads?: boolean
  cachedWorkflows?: number
}

const lanes: Lane[] = [
  // Keeps no workflow between two tasks: each is a replay of all that was before. The slowest comes first.
  { name: 'forgetful', deed: 'kill-worker', share: 0, of: 6, cachedWorkflows: 0 },
  // As an installation is outside of tests.
  { name: 'isolated', deed: 'kill-worker', share: 1, of: 6, isolated: true, threads: true },
  ...[2, 3, 4, 5].map((share): Lane => ({ name: `kill-${share}`, deed: 'kill-worker', share, of: 6 })),
  { name: 'stopped', deed: 'stop-worker', share: 0, of: 3 },
  { name: 'stopped-2', deed: 'stop-worker', share: 1, of: 3 },
  { name: 'stopped-3', deed: 'stop-worker', share: 2, of: 3 },
  { name: 'server', deed: 'kill-server', share: 0, of: 2 },
  { name: 'server-2', deed: 'kill-server', share: 1, of: 2, isolated: true },
]

describe(`a process that dies or stands still at any moment of any activity (seed ${seed})`, () => {
  let server: SharedServer
  let wired: string[]
  let places: Place[]
  beforeAll(async () => {
    server = await startSharedServer()
    const rehearsal = await rehearse(server)
    wired = rehearsal.wired
    places = rehearsal.places
  }, LANE_MS)
  afterAll(() => server?.remove())

  test('is found for every activity that a worker of any role has', () => {
    const reached = new Set(places.map(({ activity }) => activity))
    expect(
      wired.filter((activity) => !reached.has(activity)),
      'extend test/e2e/life.ts, so that they run',
    ).toEqual([])
    expect(places.filter(({ moment }) => moment.startsWith('after-')).length).toBeGreaterThan(10)
  })

  describe.each(lanes)('in the lane $name, $deed', { concurrent: true }, (lane) => {
    test('leaves nothing lost, doubled, stuck, leaked or lying about', { timeout: LANE_MS }, async (context) => {
      const scenarios = scenariosOf(lane, places)
      if (scenarios.length === 0) return context.skip()
      expect(await sweep(lane, scenarios, server)).toEqual([])
    })
  })
})

/** One life in which nothing dies, to learn which moments there are. */
async function rehearse(server: SharedServer): Promise<{ wired: string[]; places: Place[] }> {
  const rig = await createInstallation({ ...optionsOf('rehearsal', ['r0'], false), server })
  try {
    rig.faults.trace = true
    prepareLife(rig, 'r0', 'whole')
    await rig.startWorkers()
    const found = await liveThrough(rig, rig.repositories[0]!, { deed: 'kill-worker', life: 'whole', chains: [] })
    if (found.length > 0) throw new Error(`without any death: ${found.join('\n')}`)
    return { wired: wiredActivities(rig), places: await reachedPlaces(rig) }
  } finally {
    await rig.remove()
  }
}

function scenariosOf({ deed, share, of }: Lane, places: Place[]): Scenario[] {
  if (asked) return share === 0 && asked.deed === deed ? [asked] : []
  const random = seeded(seed)
  const sampled = (scenarios: Scenario[]) =>
    whole ? scenarios : shuffled(scenarios, random).slice(0, Math.ceil(scenarios.length / SAMPLE))
  const all = {
    'kill-worker': () => [...sampled(landingPairs(places, random)), ...singles('kill-worker', places, random)],
    'kill-server': () => sampled(singles('kill-server', places, random)),
    'stop-worker': () => sampled(singles('stop-worker', lateEffects(places, random), random)),
  }[deed]()
  return all.filter((_, index) => index % of === share)
}

function optionsOf(name: string, repositories: string[], isolated: boolean): Omit<InstallationOptions, 'server'> {
  return {
    ...{ name, repositories, fill, people, bundlePath: testServer().bundlePath },
    isolation: isolated ? 'required' : 'none',
    env: { DEPLOY_TOKEN: canaries.environment },
  }
}

/** All scenarios of a lane; ends at the first that breaks something. */
async function sweep(lane: Lane, scenarios: Scenario[], server: SharedServer): Promise<string[]> {
  const { name, deed, isolated = false, threads = false, cachedWorkflows = null } = lane
  const options = optionsOf(
    name,
    scenarios.map((_, index) => `r${index}`),
    isolated,
  )
  const rig = await createInstallation({ ...options, server: deed === 'kill-server' ? 'own' : server })
  try {
    Object.assign(rig.faults, { threads, cachedWorkflows })
    for (const [index, scenario] of scenarios.entries()) {
      rig.faults.chains.push(...chainsOf(`r${index}`, scenario))
      prepareLife(rig, `r${index}`, scenario.life)
    }
    await rig.startWorkers(deed === 'stop-worker' ? 2 : 1)
    for (const [index, scenario] of scenarios.entries()) {
      const problems = await liveThrough(rig, rig.repositories[index]!, scenario)
      if (problems.length > 0) return [...problems, ...repetition(scenario)]
    }
    return await afterwards(rig, server)
  } finally {
    await rig.remove()
  }
}

function repetition(scenario: Scenario): string[] {
  return [
    `at ${nameOf(scenario)}, with the seed ${seed}. To repeat just this:`,
    `SWITCHYARD_SEED=${seed} SWITCHYARD_SWEEP='${nameOf(scenario)}' npm test -- test/e2e/crash-points.test.ts`,
  ]
}

async function liveThrough(rig: TestInstallation, repository: TestRepository, scenario: Scenario): Promise<string[]> {
  const { installation, connected } = rig
  const { client } = connected
  const explained = async (found: string[]) => [...found, ...(await outlines(client, repository.name))]
  try {
    const expected = await live(rig, repository, scenario.life)
    const terminated = endedIn(repository.name, scenario.life)
    const found = await violations({ installation, client, repository, expected, byHand: [], terminated })
    return found.length === 0 ? [] : await explained(found)
  } catch (error) {
    const open = await openWorkflows(client, repository.name)
    return explained([String(error), ...open, ...(await reasons(rig, repository.name))])
  }
}

/** What `why` says of each pipeline that is open. */
async function reasons(rig: TestInstallation, repo: string): Promise<string[]> {
  const open = await workflows(rig.connected.client, `Repo = "${repo}" AND ExecutionStatus = "Running"`)
  return Promise.all(
    open.map(({ workflowId }) =>
      promisify(execFile)(process.execPath, [main, 'why', workflowId], { env: rig.env, timeout: WHY_MS }).then(
        ({ stdout }) => stdout,
        (error: unknown) => `why ${workflowId}: ${String(error)}`,
      ),
    ),
  )
}

/** What holds for a whole installation, once its workers have ended in order. */
async function afterwards(rig: TestInstallation, server: SharedServer): Promise<string[]> {
  const { found, text } = await replayed(rig.connected.client, testServer().bundlePath)
  await rig.stopAll()
  const logs = await filesBelow(`${rig.home}/logs`)
  const databases = (await filesBelow(rig.home)).filter((file) => /ledger\.db|server\.db/.test(file))
  const serverFiles = await filesBelow(server.home)
  const checks = logs.filter((file) => file.includes('/checks/'))
  return [
    ...found,
    ...(checks.length === 0 ? ['I11: there is no log to look into'] : []),
    ...(await leaks(told, [...logs, ...databases, ...serverFiles], { histories: text })),
    ...(await strays({ state: rig.home, temp: rig.temp })),
  ]
}
