import { afterAll, beforeAll, expect, test } from 'vitest'
import { pullRequestId } from '#contracts/ids'
import { pullRequestStatus } from '#contracts/pull-request'
import { eventually, pendingPoint, type CrashPoint } from '../support/crash-points.ts'
import {
  createInstallation,
  startSharedServer,
  type SharedServer,
  type TestInstallation,
  type TestRepository,
} from '../support/installation.ts'
import { testServer } from '../support/server.ts'

const policy = 'version: 1\nchecks: { tests: { run: "true" } }\nmerge: { auto: false }\n'

/** Between hearing a command and carrying it out, and between that and the answer. */
const crashes: CrashPoint[] = [
  { repo: 'r0', activity: 'readCommands', moment: 'before-acknowledgement' },
  { repo: 'r1', activity: 'acknowledgeCommands', moment: 'before-effect' },
  { repo: 'r2', activity: 'acknowledgeCommands', moment: 'after-forge.react' },
  { repo: 'r3', activity: 'acknowledgeCommands', moment: 'before-acknowledgement' },
]

let server: SharedServer
let rig: TestInstallation
beforeAll(async () => {
  server = await startSharedServer()
  rig = await createInstallation({
    ...{ server, name: 'commands', bundlePath: testServer().bundlePath, isolation: 'none' },
    repositories: crashes.map(({ repo }) => repo),
    fill: async (sample) => {
      await sample.commit({ message: 'a policy', files: { '.switchyard.yaml': policy } })
      await sample.commit({ branch: 'one', message: 'add one', files: { 'one.txt': 'one\n' } })
    },
  })
  rig.faults.chains.push(...crashes.map((point) => ({ deed: 'kill-worker' as const, points: [point] })))
  await rig.startWorkers()
})
afterAll(async () => {
  await rig?.remove()
  await server.remove()
})

const LIMIT_MS = 90_000

async function approved(repository: TestRepository): Promise<number> {
  const { number } = await rig.openPullRequest(repository, 'one')
  const handle = rig.connected.client.workflow.getHandle(pullRequestId(repository.name, number))
  const isApproved = async () => {
    const { resting, decision } = await handle.query(pullRequestStatus)
    return resting && decision?.outcome === 'approve'
  }
  await eventually(
    () => isApproved().catch(() => false),
    LIMIT_MS,
    () => `${repository.name} is not approved`,
  )
  return number
}

test(
  'a command in a comment is carried out and answered once, whenever the worker dies',
  { timeout: 280_000 },
  async () => {
    const { forge, ledger } = rig.installation
    const told = await Promise.all(
      rig.repositories.map(async (repository) => {
        const repo = repository.name
        const number = await approved(repository)
        const { id } = await forge.addComment(repo, number, 'bob', '/switchyard merge\n/switchyard jump\n')
        const landed = async () => (await forge.getPullRequest(repo, number))?.state === 'merged'
        await eventually(landed, LIMIT_MS, () => `${repo} has not landed`)
        // The record follows the ref, and a worker dies in between.
        const recorded = async () => (await ledger.landings(repo, 'main')).length > 0
        await eventually(recorded, LIMIT_MS, () => `the landing in ${repo} is not on record`)
        const comments = await forge.listComments(repo, number)
        const acts = (await ledger.audit({ repo, number })).filter(({ action }) => action === 'pr.commanded')
        return {
          reactions: comments.find((comment) => comment.id === id)?.reactions,
          answers: comments.filter(({ key }) => key === `answer:${id}`).length,
          acts: acts.map(({ details }) => [details['command'], details['allowed']]),
          landings: (await ledger.landings(repo, 'main')).length,
        }
      }),
    )
    const once = {
      reactions: ['-1'],
      answers: 1,
      acts: [
        ['merge', true],
        ['unknown', false],
      ],
      landings: 1,
    }
    expect(told).toEqual(told.map(() => once))
    expect(crashes.map(({ repo }) => pendingPoint(rig.faults, repo)).filter(Boolean)).toEqual([])
  },
)
