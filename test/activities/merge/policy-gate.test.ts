import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createForgeActivities, type ForgeTools } from '#activities/forge/activities'
import { openRepository } from '#activities/git/repository'
import { createMergeActivities, type MergeTools } from '#activities/merge/activities'
import type { PullRequest, Sha } from '#domain/pull-request'
import { createPolicyReader } from '#installation/policies'
import { openLedger, type SqliteLedger } from '#ledger/sqlite'
import { createSampleRepository, type SampleRepository } from '../../support/repositories.ts'

let sample: SampleRepository
let ledger: SqliteLedger

beforeEach(async () => {
  sample = await createSampleRepository()
  ledger = await openLedger(join(sample.path, '..', 'ledger.db'), { synchronous: 'normal' })
})
afterEach(async () => {
  await ledger.close()
  await sample.remove()
})

const loose = 'version: 1\nchecks: { tests: { run: ./test.sh } }\n'
const strict = `${loose}policyChange: { approvals: { count: 2, from: null } }\n`.replace(', from: null', '')
const file = '.switchyard.yaml'

/** A head that took the strict policy back by a merge, before the base had merged what the head was then. */
async function crissCross(): Promise<Sha> {
  const start = await sample.commit({ files: { [file]: loose }, message: 'loose' })
  const policy = await sample.commit({ files: { [file]: strict }, message: 'strict' })
  await sample.commit({ files: { 'own.txt': 'own\n' }, message: 'own', branch: 'head', from: start })
  await sample.git('branch', 'early', 'head')
  await sample.git('switch', '--quiet', 'head')
  await sample.git('merge', '--quiet', '-s', 'ours', '--no-edit', policy)
  await sample.merge('main', 'early')
  return sample.commit({ files: { 'more.txt': 'more\n' }, message: 'more', branch: 'head' })
}

/** The base made a policy of the file that the head changes under its old name. */
async function renamed(): Promise<Sha> {
  await sample.commit({ files: { 'draft.yaml': strict }, message: 'draft' })
  const head = await sample.commit({
    files: { 'draft.yaml': `${strict}mode: dry-run\n` },
    message: 'own',
    branch: 'head',
  })
  await sample.commit({ files: { 'draft.yaml': null, [file]: strict }, message: 'apply the draft' })
  return head
}

function activities(pullRequest: PullRequest) {
  const repository = () => openRepository(sample.gitDir)
  const forge = { getPullRequest: async () => pullRequest, branch: async () => pullRequest.base.sha }
  const policies = createPolicyReader({ ledger, repository, paths: { file: null, home: sample.path } } as never)
  const tools = { forge, ledger, repository, policies, people: [], isolation: { mode: 'bubblewrap', network: 'own' } }
  const runner = { surroundings: async () => 'a machine' }
  return {
    ...createForgeActivities(tools as unknown as ForgeTools),
    ...createMergeActivities({ forge, ledger, repository, runner } as unknown as MergeTools),
  }
}

async function opened(head: Sha): Promise<PullRequest> {
  const at = '2026-03-01T00:00:00.000Z'
  return {
    ...{ repo: 'shop', number: 7, title: 'Add', body: '', author: 'ann', state: 'open', draft: false, labels: [] },
    ...{ head: { ref: 'head', sha: head }, base: { ref: 'main', sha: await sample.sha('main') } },
    ...{ mergeable: 'clean', reviews: [], newestComment: null, merged: null, createdAt: at, updatedAt: at },
  }
}

describe.each([
  ['a merge of the base that kept the old one', crissCross],
  ['another name that the base gave its file', renamed],
])('a policy that changes by %s', (_, make) => {
  it('is a change of the policy, though the range of the pull request does not show it', async () => {
    const pullRequest = await opened(await make())
    const git = openRepository(sample.gitDir)
    const mergeBase = (await git.mergeBase(pullRequest.base.sha, pullRequest.head.sha))!
    expect(await git.changedPaths(mergeBase, pullRequest.head.sha)).not.toContain(file)
    const facts = await activities(pullRequest).takeSnapshot({ repo: 'shop', number: 7 })
    expect(facts.mergeable).toBe('clean')
    expect(facts.policyChange).toMatchObject({ problem: null })
    expect(facts.policyChange!.digest).not.toBe(facts.policy.digest)
    expect((await ledger.snapshot(facts.id))!.changedPaths).toContain(file)
  })

  it('is built only for an entry that was decided as one', async () => {
    const pullRequest = await opened(await make())
    const { takeSnapshot, buildCandidate } = activities(pullRequest)
    const { id, policy, head } = await takeSnapshot({ repo: 'shop', number: 7 })
    const entry = {
      ...{ number: 7, head: head.sha, title: 'Add', snapshotId: id, policyDigest: policy.digest, checks: [] },
      ...{ evidenceMaxAge: 1, enqueuedAt: '2026-03-01T00:00:00.000Z', enqueuedBy: 'ann' },
    }
    const request = { repo: 'shop', branch: 'main', knownBase: null }
    expect(await buildCandidate({ ...request, entry })).toMatchObject({ outcome: 'refused', kind: 'blocked' })
    expect(await buildCandidate({ ...request, entry: { ...entry, alone: true } })).toMatchObject({ outcome: 'built' })
  })
})

describe('a path that the policy forbids', () => {
  it('is forbidden in what lands, though the range of the pull request does not show it', async () => {
    const forbidding = loose.replace('checks: {', "checks: { review: { forbiddenPaths: ['ops/**'] },")
    const start = await sample.commit({ files: { [file]: forbidding, 'ops/a.txt': 'old\n' }, message: 'start' })
    await sample.commit({ files: { 'own.txt': 'own\n' }, message: 'own', branch: 'head', from: start })
    const changed = await sample.commit({ files: { 'ops/a.txt': 'new\n' }, message: 'change' })
    await sample.git('branch', 'early', 'head')
    await sample.git('switch', '--quiet', 'head')
    await sample.git('merge', '--quiet', '-s', 'ours', '--no-edit', changed)
    await sample.merge('main', 'early')
    const head = await sample.commit({ files: { 'more.txt': 'more\n' }, message: 'more', branch: 'head' })
    const { takeSnapshot, buildCandidate } = activities(await opened(head))
    const { id, policy } = await takeSnapshot({ repo: 'shop', number: 7 })
    const entry = {
      ...{ number: 7, head, title: 'Add', snapshotId: id, policyDigest: policy.digest, checks: [] },
      ...{ evidenceMaxAge: 1, enqueuedAt: '2026-03-01T00:00:00.000Z', enqueuedBy: 'ann' },
    }
    const reason = 'on main as it is now it changes ops/a.txt, and the policy forbids changes of ops/**'
    const built = await buildCandidate({ repo: 'shop', branch: 'main', knownBase: null, entry })
    expect(built).toEqual({ outcome: 'refused', kind: 'blocked', reason })
  })
})
