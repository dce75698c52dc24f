import { beforeEach, expect, it } from 'vitest'
import { createFakeForge } from '#activities/forge/fake'
import type { ForgeGit } from '#activities/forge/engine'
import { FakeGit } from '#activities/forge/fake-git'
import type { MergeRequest } from '#activities/forge/port'
import { fakeWorld } from './worlds.ts'

type World = Awaited<ReturnType<typeof fakeWorld>>
let world: World
let forge: World['forge']
let request: MergeRequest

beforeEach(async () => {
  world = await fakeWorld()
  forge = world.forge
  const expectedHead = await world.push('feature')
  const input = { title: 'A', body: '', head: 'feature', base: 'main', author: 'ann', draft: false, labels: [] }
  await forge.createPullRequest('shop', input)
  const expectedBase = (await forge.branch('shop', 'main')) ?? ''
  const candidate = await world.candidate(expectedBase, expectedHead)
  request = {
    ...candidate,
    base: 'main',
    expectedHead,
    expectedBase,
    method: 'merge',
    at: '2026-01-01T00:00:00.000Z',
    actor: 'queue',
  }
})

const landed = () => forge.journal.filter(({ effect }) => effect === 'landed')

it('can have merged although it answered 5xx, and then answers merged without a second effect', async () => {
  forge.failNext('merge', 'done-but-5xx')
  await expect(forge.merge('shop', 1, request)).rejects.toMatchObject({ kind: 'unavailable' })
  expect(await forge.merge('shop', 1, request)).toMatchObject({ outcome: 'merged', sha: request.commit })
  expect(landed()).toMatchObject([{ number: 1, subject: 'main', from: request.expectedBase, to: request.commit }])
})

it('can answer 5xx without an effect', async () => {
  forge.failNext('merge', '5xx')
  await expect(forge.merge('shop', 1, request)).rejects.toMatchObject({ kind: 'unavailable' })
  expect(landed()).toEqual([])
})

it('can answer 409 to a merge as a moved head', async () => {
  forge.failNext('merge', '409')
  expect(await forge.merge('shop', 1, request)).toMatchObject({ outcome: 'refused', reason: 'head-moved' })
  expect(landed()).toEqual([])
})

it('can answer 409 elsewhere as a conflict', async () => {
  forge.failNext('setCheck', '409')
  const check = { name: 'x', status: 'queued', conclusion: null, summary: '', detailsUrl: null } as const
  await expect(forge.setCheck('shop', request.commit, check)).rejects.toMatchObject({ kind: 'conflict' })
})

it('can answer 429 with a wait, each failure once and in order', async () => {
  forge.failNext('getPullRequest', { status: 429, retryAfter: 1500 })
  forge.failNext('getPullRequest', '5xx')
  await expect(forge.getPullRequest('shop', 1)).rejects.toMatchObject({ kind: 'unavailable', retryAfter: 1500 })
  await expect(forge.getPullRequest('shop', 1)).rejects.toMatchObject({ kind: 'unavailable', retryAfter: null })
  expect(await forge.getPullRequest('shop', 1)).toMatchObject({ number: 1 })
})

it('tells in its journal what truly happened, in order', async () => {
  await forge.upsertComment('shop', 1, 'decision', 'one')
  await forge.upsertComment('shop', 1, 'decision', 'one')
  await forge.upsertComment('shop', 1, 'decision', 'two')
  await forge.merge('shop', 1, request)
  await forge.merge('shop', 1, request)
  await forge.deleteBranch('shop', 'feature', request.expectedHead)
  expect(forge.journal.map(({ effect }) => effect)).toEqual([
    'created',
    'commented',
    'comment-edited',
    'landed',
    'marked-merged',
    'branch-deleted',
  ])
})

it('can lose, double and reverse hints', async () => {
  await forge.takeHints('shop', 100)
  const numbersAfter = async (how: 'lose' | 'double' | 'reverse') => {
    await world.push('feature')
    await world.push('main')
    forge.disturbHints('shop', how)
    return (await forge.takeHints('shop', 100)).map(({ number }) => number)
  }
  expect(await numbersAfter('lose')).toEqual([])
  expect(await numbersAfter('double')).toEqual([1, 1, null, null])
  expect(await numbersAfter('reverse')).toEqual([null, 1])
})

it('says of mergeability what the test wants', async () => {
  forge.setMergeable('shop', 1, 'unknown')
  expect(await forge.mergeability('shop', 1)).toBe('unknown')
  expect((await forge.getPullRequest('shop', 1))?.mergeable).toBe('unknown')
  forge.setMergeable('shop', 1, null)
  expect(await forge.mergeability('shop', 1)).toBe('clean')
})

it.each([
  ['head', 'feature', 'head-moved'],
  ['base', 'main', 'base-moved'],
])('lands nothing when the %s moves between the look and the landing', async (_, branch, reason) => {
  const git = new FakeGit()
  const base = git.commit('base')
  const head = git.commit('head', [base])
  const commit = git.commit('candidate', [base, head])
  const moved = git.commit('moved', [branch === 'main' ? base : head])
  git.setBranch('main', base)
  git.setBranch('feature', head)
  const racing: ForgeGit = {
    resolve: (ref: string) => git.resolve(ref),
    refs: (prefix: string) => git.refs(prefix),
    isAncestor: (a: string, b: string) => git.isAncestor(a, b),
    mergeBase: (a: string, b: string) => git.mergeBase(a, b),
    mergeTree: (a: string, b: string) => git.mergeTree(a, b),
    updateRefs: (updates) => git.updateRefs(updates),
    // The last thing that is read before the refs move.
    treeOf: async (sha) => {
      git.setBranch(branch, moved)
      return git.treeOf(sha)
    },
  }
  const raced = createFakeForge({ git: () => racing })
  const input = { title: 'A', body: '', head: 'feature', base: 'main', author: 'ann', draft: false, labels: [] }
  await raced.createPullRequest('shop', input)
  const tree = await git.treeOf(commit)
  const expected = {
    commit,
    tree,
    base: 'main',
    expectedHead: head,
    expectedBase: base,
    method: 'merge',
    at: '',
    actor: 'q',
  } as const
  expect(await raced.merge('shop', 1, expected)).toMatchObject({ outcome: 'refused', reason, actual: moved })
  expect(await git.resolve('refs/heads/main')).toBe(branch === 'main' ? moved : base)
})
