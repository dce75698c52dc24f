import { randomBytes, randomInt } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { nameOf, type CrashPoint, type Moment } from '../support/crash-points.ts'
import {
  createInstallation,
  startSharedServer,
  type SharedServer,
  type TestInstallation,
  type TestRepository,
} from '../support/installation.ts'
import type { SampleRepository } from '../support/repositories.ts'
import { testServer } from '../support/server.ts'
import { untilAtRest } from './at-rest.ts'
import { filesBelow, leaks, openWorkflows, replayed, strays, violations, type Expectation } from './invariants.ts'

const around: Moment[] = ['before-effect', 'after-effect', 'before-acknowledgement']
const inLand: Moment[] = ['before-effect', 'inside-effect', 'after-effect', 'after-record', 'before-acknowledgement']

/** Each is one repository's life: its worker dies at every point named, in turn. */
const scenarios: [activity: string, ...moments: Moment[]][] = [
  ...['publishDecision', 'runTests', 'scanSecrets', 'reviewChange', 'enqueuePullRequest'].flatMap((activity) =>
    around.map((moment): [string, Moment] => [activity, moment]),
  ),
  ...inLand.map((moment): [string, Moment] => ['landCandidate', moment]),
  ['landCandidate', 'inside-effect', 'before-acknowledgement'],
  ['landCandidate', 'after-effect', 'after-record'],
]

/** Lanes run side by side, each on its own state, namespace and worker; the scenarios of a lane one after another. */
const LANES = 4
const lanes = Array.from({ length: LANES }, (_, lane) =>
  scenarios.filter((_, index) => index % LANES === lane).map((scenario, index) => ({ repo: `r${index}`, scenario })),
)

const canaries = {
  environment: `canary-${randomBytes(12).toString('hex')}`,
  content: `AKIA${Array.from({ length: 16 }, () => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[randomInt(32)]).join('')}`,
}

const policy = `version: 1
checks:
  tests:
    run: sh check.sh
    timeout: 30s
`
const check = `[ -z "$DEPLOY_TOKEN" ] || echo the environment has a canary
echo checked
cat leak.txt 2>/dev/null
[ ! -e broken ]
`

async function fill(sample: SampleRepository): Promise<void> {
  await sample.commit({ message: 'add tests', files: { '.switchyard.yaml': policy, 'check.sh': check } })
  await sample.commit({ branch: 'one', message: 'add one', files: { 'one.txt': 'one\n' } })
  await sample.commit({ branch: 'two', message: 'add two', files: { 'two.txt': 'two\n' } })
  const leak = `const accessKeyId = '${canaries.content}'\n`
  await sample.commit({ branch: 'bad', message: 'break it', files: { broken: 'yes\n', 'leak.txt': leak } })
}

describe('a worker that dies at any moment of an activity', () => {
  let server: SharedServer
  beforeAll(async () => {
    server = await startSharedServer()
  })
  afterAll(() => server.remove())

  describe.each(lanes.map((cases, lane) => ({ cases, lane })))(
    'lane $lane',
    { concurrent: true },
    ({ cases, lane }) => {
      let rig: TestInstallation
      beforeAll(async () => {
        rig = await createInstallation({
          ...{ server, fill, name: `lane-${lane}`, bundlePath: testServer().bundlePath },
          isolation: lane === 0 ? 'none' : 'required',
          repositories: cases.map(({ repo }) => repo),
          env: { DEPLOY_TOKEN: canaries.environment },
        })
        rig.faults.crashes.push(...cases.flatMap(({ repo, scenario }) => pointsOf(repo, scenario)))
        await rig.startWorkers()
      })
      afterAll(() => rig?.remove())

      test('leaves nothing lost, doubled, stuck, leaked or lying about', { timeout: 280_000 }, async () => {
        const found: string[] = []
        for (const { repo, scenario } of cases) {
          const repository = rig.repositories.find(({ name }) => name === repo)!
          const problems = await liveThrough(rig, repository, pointsOf(repo, scenario))
          found.push(...problems.map((problem) => `${scenario.join(' ')}: ${problem}`))
          if (problems.length > 0) break
        }
        found.push(...(await afterwards(rig, server)))
        expect(found).toEqual([])
      })
    },
  )
})

function pointsOf(repo: string, [activity, ...moments]: (typeof scenarios)[number]): CrashPoint[] {
  return moments.map((moment) => ({ repo, activity, moment }))
}

async function liveThrough(rig: TestInstallation, repository: TestRepository, points: CrashPoint[]): Promise<string[]> {
  const expected: Expectation[] = [
    { ...(await rig.openPullRequest(repository, 'one')), outcome: 'merged' },
    { ...(await rig.openPullRequest(repository, 'bad')), outcome: 'rejected' },
  ]
  // A second one from the same base, whose candidate the queue has to test.
  if (points.some(({ activity }) => activity === 'landCandidate')) {
    expected.push({ ...(await rig.openPullRequest(repository, 'two')), outcome: 'merged' })
  }
  try {
    const numbers = expected.map(({ number }) => number)
    await untilAtRest(rig, repository, numbers, () => {
      const point = points.find((each) => !rig.hasHappened(each))
      return point ? `the worker to die at ${nameOf(point)}` : null
    })
  } catch (error) {
    return [String(error), ...(await openWorkflows(rig.connected.client, repository.name))]
  }
  const { installation, connected } = rig
  return violations({ installation, client: connected.client, repository, expected, byHand: [] })
}

/** What holds for a whole installation, once its workers have ended in order. */
async function afterwards(rig: TestInstallation, server: SharedServer): Promise<string[]> {
  const { found, text } = await replayed(rig.connected.client, testServer().bundlePath)
  await rig.stopWorkers()
  const logs = await filesBelow(`${rig.home}/logs`)
  const databases = (await filesBelow(rig.home)).filter((file) => file.includes('ledger.db'))
  const serverFiles = await filesBelow(server.home)
  const told = [canaries.environment, canaries.content, 'the environment has a canary']
  const checks = logs.filter((file) => file.includes('/checks/'))
  return [
    ...found,
    ...(checks.length === 0 ? ['I11: there is no log to look into'] : []),
    ...(await leaks(told, [...logs, ...databases, ...serverFiles], { histories: text })),
    ...(await strays({ state: rig.home, temp: rig.temp })),
  ]
}
