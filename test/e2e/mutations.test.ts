import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Mutation } from '../support/crash-points.ts'
import {
  createInstallation,
  startSharedServer,
  type SharedServer,
  type TestInstallation,
} from '../support/installation.ts'
import type { SampleRepository } from '../support/repositories.ts'
import { testServer } from '../support/server.ts'
import { untilAtRest } from './at-rest.ts'
import { violations, type Expectation } from './invariants.ts'

const policy = `version: 1
checks:
  tests:
    run: test ! -e broken
    timeout: 30s
`

async function fill(sample: SampleRepository): Promise<void> {
  await sample.commit({ message: 'add a policy', files: { '.switchyard.yaml': policy } })
  await sample.commit({ branch: 'one', message: 'add one', files: { 'one.txt': 'one\n' } })
  await sample.commit({ branch: 'worse', from: 'one', message: 'break it', files: { broken: 'yes\n' } })
  await sample.commit({ branch: 'by-hand', message: 'mend it by hand', files: { 'by-hand.txt': 'mended\n' } })
}

describe('what protects a landing', () => {
  let server: SharedServer
  const rigs: TestInstallation[] = []
  beforeAll(async () => {
    server = await startSharedServer()
  })
  afterAll(async () => {
    await Promise.all(rigs.map((rig) => rig.remove()))
    await server.remove()
  })

  async function start(name: string, mutations: Mutation[]): Promise<TestInstallation> {
    const options = { isolation: 'none' as const, bundlePath: testServer().bundlePath, fill }
    const rig = await createInstallation({ server, name, repositories: ['base-moves', 'head-moves'], ...options })
    rigs.push(rig)
    const move = (repo: string, from: string, to: string) => {
      const { gitDir } = rig.repositories.find((repository) => repository.name === repo)!
      const shell = `git --git-dir '${gitDir}' update-ref refs/heads/${from} refs/heads/${to}`
      rig.faults.interferences.push({ repo, activity: 'landCandidate', shell })
    }
    move('base-moves', 'main', 'by-hand')
    move('head-moves', 'one', 'worse')
    rig.faults.mutations.push(...mutations)
    await rig.startWorkers()
    return rig
  }

  /** What is broken once the base was moved by hand between the build and the landing of a good PR. */
  async function whenTheBaseMoves(rig: TestInstallation): Promise<string[]> {
    const repository = rig.repositories[0]!
    await rig.push(repository, 'by-hand')
    const expected: Expectation[] = [{ ...(await rig.openPullRequest(repository, 'one')), outcome: 'merged' }]
    return brokenAtRest(rig, 0, expected, [await rig.sample.sha('by-hand')])
  }

  /** What is broken once a bad head was pushed between the build and the landing of a good one. */
  async function whenTheHeadMoves(rig: TestInstallation): Promise<string[]> {
    const repository = rig.repositories[1]!
    await rig.push(repository, 'worse')
    const { number } = await rig.openPullRequest(repository, 'one')
    const head = await rig.sample.sha('worse')
    return brokenAtRest(rig, 1, [{ number, head, outcome: 'rejected' }], [])
  }

  async function brokenAtRest(rig: TestInstallation, index: number, expected: Expectation[], byHand: string[]) {
    const repository = rig.repositories[index]!
    const moved = () => existsSync(join(rig.faults.markers, `interference-${index}`))
    const numbers = expected.map(({ number }) => number)
    await untilAtRest(rig, repository, numbers, () => (moved() ? null : 'the interference'))
    const { installation, connected } = rig
    return violations({ installation, client: connected.client, repository, expected, byHand })
  }

  test('holds when the base or the head moves at the last moment', { timeout: 90_000 }, async () => {
    const rig = await start('intact', [])
    const broken = await Promise.all([whenTheBaseMoves(rig), whenTheHeadMoves(rig)])
    expect(broken.flat()).toEqual([])
  })

  test('without the compare-and-swap the base loses a commit, and that is seen', { timeout: 90_000 }, async () => {
    const rig = await start('no-base', ['no-expected-base'])
    expect(await whenTheBaseMoves(rig)).toContainEqual(expect.stringMatching(/^I3: /))
  })

  test(
    'without the expected head another head lands than was judged, and that is seen',
    { timeout: 90_000 },
    async () => {
      const rig = await start('no-head', ['no-expected-head'])
      expect(await whenTheHeadMoves(rig)).toContainEqual(expect.stringMatching(/^I2: /))
    },
  )
})
