import { existsSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  interferenceMark,
  patience,
  pendingPoint,
  type Mark,
  type Moment,
  type Mutation,
} from '../support/crash-points.ts'
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
import { continueStopped } from './continue-stopped.ts'
import { violations, type Expectation } from './invariants.ts'
import { chainsOf, parseScenario } from './sweep.ts'

/** Far more than a scene takes: a machine that is busy otherwise is no finding. */
const LIMIT_MS = 450_000 * patience

const policy = `version: 1
checks:
  tests:
    run: test ! -e broken && ! test -e one.txt -a -e other.txt
    timeout: 30s
`

async function fill(sample: SampleRepository): Promise<void> {
  await sample.commit({ message: 'add a policy', files: { '.switchyard.yaml': policy } })
  await sample.commit({ branch: 'one', message: 'add one', files: { 'one.txt': 'one\n' } })
  await sample.commit({ branch: 'other', message: 'add another', files: { 'other.txt': 'other\n' } })
  await sample.commit({ branch: 'worse', from: 'one', message: 'break it', files: { broken: 'yes\n' } })
  await sample.commit({ branch: 'by-hand', message: 'mend it by hand', files: { 'by-hand.txt': 'mended\n' } })
}

/** What happens to a repository with one good PR, by which a protection shows whether it is there. */
type Scene = {
  /** Done while it lands: a branch is moved past Switchyard. */
  move?: { branch: string; to: string; moment: Moment }
  /** As SWITCHYARD_SWEEP names it. */
  faults?: string
  outcome: Expectation['outcome']
  /** A second PR, once the first has landed. */
  then?: { branch: string; outcome: Expectation['outcome'] }
}

const scenes = {
  'base-moves': { move: { branch: 'main', to: 'by-hand', moment: 'before-effect' }, outcome: 'merged' },
  'base-moves-late': { move: { branch: 'main', to: 'by-hand', moment: 'before-git.updateRefs' }, outcome: 'merged' },
  'head-moves': { move: { branch: 'one', to: 'worse', moment: 'before-effect' }, outcome: 'rejected' },
  'said-again': { faults: 'kill-worker publishDecision:after-forge.upsertComment', outcome: 'merged' },
  'said-late': { faults: 'stop-worker publishDecision:before-effect', outcome: 'merged' },
  'decided-again': { faults: 'kill-worker publishDecision:after-ledger.saveDecision', outcome: 'merged' },
  'enqueued-again': { faults: 'kill-worker enqueuePullRequest:after-pipelines.enqueue', outcome: 'merged' },
  'landed-again': { faults: 'kill-worker landCandidate:after-forge.merge', outcome: 'merged' },
  'landed-late': { faults: 'stop-worker landCandidate:before-effect', outcome: 'merged' },
  'another-tree': { outcome: 'merged', then: { branch: 'other', outcome: 'rejected' } },
} satisfies Record<string, Scene>

type SceneName = keyof typeof scenes

const mutations: { mutation: Mutation; scene: SceneName; red: RegExp }[] = [
  { mutation: 'no-expected-base', scene: 'base-moves', red: /^I3: the base of .* lacks it/ },
  { mutation: 'no-expected-head', scene: 'head-moves', red: /^I2: .* rejected, is 1 times on the base/ },
  { mutation: 'blind-write', scene: 'base-moves-late', red: /^I3: the base of .* lacks it/ },
  { mutation: 'no-comment-key', scene: 'said-again', red: /^I1: .* has \d+ comments of its pipeline/ },
  { mutation: 'no-comment-time', scene: 'said-late', red: /^I1: the comment on .* merged, says "Approved/ },
  { mutation: 'no-decision-key', scene: 'decided-again', red: /^I1: .* was decided \d+ times/ },
  { mutation: 'no-enqueue-key', scene: 'enqueued-again', red: /^I1: .* has 2 open workflows of type mergeQueue/ },
  { mutation: 'no-look-before-landing', scene: 'landed-again', red: /^I2: .* is 2 times on the base/ },
  { mutation: 'no-look-before-landing', scene: 'landed-late', red: /^I2: .* is 2 times on the base/ },
  { mutation: 'any-evidence', scene: 'another-tree', red: /^I4: the tip .* has a tree that never passed/ },
]

// Side by side: each has its own installation and namespace, and most of a scene is to wait for a deadline.
describe('what protects a landing and its record', { concurrent: true }, () => {
  let server: SharedServer
  const rigs: TestInstallation[] = []
  beforeAll(async () => {
    server = await startSharedServer()
  })
  afterAll(async () => {
    await Promise.all(rigs.map((rig) => rig.remove()))
    await server.remove()
  })

  async function start(name: string, names: SceneName[], taken: Mutation[]): Promise<TestInstallation> {
    const options = { isolation: 'none' as const, bundlePath: testServer().bundlePath, fill }
    const rig = await createInstallation({ server, name, repositories: names, ...options })
    rigs.push(rig)
    for (const each of names) prepare(rig, each, scenes[each])
    rig.faults.mutations.push(...taken)
    // Another one must go on in place of one that is stopped.
    await rig.startWorkers(rig.faults.chains.some(({ deed }) => deed === 'stop-worker') ? 2 : 1)
    return rig
  }

  test('holds when it is needed', { timeout: LIMIT_MS }, async () => {
    const names = Object.keys(scenes) as SceneName[]
    const rig = await start('intact', names, [])
    const broken = await Promise.all(names.map((name) => brokenIn(rig, name, scenes[name])))
    await rig.stopWorkers()
    expect(broken.flat()).toEqual([])
  })

  test.each(mutations)('is missed in the scene $scene: $mutation', { timeout: LIMIT_MS }, async (taken) => {
    const { mutation, scene, red } = taken
    const rig = await start(`${mutation}-${scene}`, [scene], [mutation])
    const broken = await brokenIn(rig, scene, scenes[scene])
    await rig.stopWorkers()
    expect(broken).toContainEqual(expect.stringMatching(red))
  })
})

function prepare(rig: TestInstallation, repo: string, { move, faults }: Scene): void {
  if (faults) rig.faults.chains.push(...chainsOf(repo, parseScenario(faults)))
  if (!move) return
  const { gitDir } = repositoryOf(rig, repo)
  const shell = `git --git-dir '${gitDir}' update-ref refs/heads/${move.branch} refs/heads/${move.to}`
  rig.faults.interferences.push({ repo, activity: 'landCandidate', moment: move.moment, shell })
}

async function brokenIn(rig: TestInstallation, repo: string, { move, outcome, then }: Scene): Promise<string[]> {
  const repository = repositoryOf(rig, repo)
  if (move && move.to !== 'main') await rig.push(repository, move.to)
  const { number, head } = await rig.openPullRequest(repository, 'one')
  const moved = move?.branch === 'one' ? await rig.sample.sha(move.to) : head
  const expected: Expectation[] = [{ number, head: moved, outcome }]
  await untilAtRest(rig, repository, [number], () => waitsFor(rig, repo, 'taken-over'))
  continueStopped(rig)
  if (then) expected.push({ ...(await rig.openPullRequest(repository, then.branch)), outcome: then.outcome })
  await untilAtRest(rig, repository, numbersOf(expected), () => waitsFor(rig, repo, 'over'))
  const byHand = move?.branch === 'main' ? [await rig.sample.sha(move.to)] : []
  const { installation, connected } = rig
  return violations({ installation, client: connected.client, repository, expected, byHand })
}

function waitsFor(rig: TestInstallation, repo: string, until: Mark): string | null {
  const due = rig.faults.interferences.findIndex((each) => each.repo === repo)
  if (due >= 0 && !existsSync(interferenceMark(rig.faults, due))) return 'the interference'
  return pendingPoint(rig.faults, repo, until)
}

function repositoryOf(rig: TestInstallation, repo: string): TestRepository {
  return rig.repositories.find(({ name }) => name === repo)!
}

function numbersOf(expected: Expectation[]): number[] {
  return expected.map(({ number }) => number)
}
