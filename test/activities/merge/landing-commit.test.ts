import { join } from 'node:path'
import fc from 'fast-check'
import { execa } from 'execa'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openRepository } from '#activities/git/repository'
import type { GitRepository } from '#activities/git/port'
import { landingCommit, type LandingCommit } from '#activities/merge/landing-commit'
import type { QueueEntry } from '#domain/merge-queue'
import type { MergeMethod, Policy } from '#domain/policy'
import type { Sha, Snapshot } from '#domain/pull-request'
import { openLedger, type SqliteLedger } from '#ledger/sqlite'
import { policy, snapshot } from '../../ledger/entries.ts'
import { createSampleRepository, type SampleRepository } from '../../support/repositories.ts'
import { fastImport, historySteps } from '../git/random-history.ts'

let sample: SampleRepository
let git: GitRepository
let ledger: SqliteLedger

beforeEach(async () => {
  sample = await createSampleRepository()
  git = openRepository(sample.gitDir)
  ledger = await openLedger(join(sample.path, '..', 'ledger.db'), { synchronous: 'normal' })
})
afterEach(async () => {
  await ledger.close()
  await sample.remove()
})

const bob = { name: 'Bob', email: 'bob@example.test' }
const trailer = 'Switchyard-Run: pr:shop#7'
const onMain = (files: Record<string, string>) => sample.commit({ files, message: 'on main' })
const onHead = (files: Record<string, string | null>, message = 'on head', author?: typeof bob) =>
  sample.commit({ files, message, branch: 'head', ...(author ? { author } : {}) })

/** Freezes the PR of `head` as its pipeline does, and makes what the queue would land of it on `onto`. */
async function land(
  method: MergeMethod,
  { head, onto }: { head: Sha; onto: Sha },
  { body = '', merge = {} }: { body?: string; merge?: Partial<Policy['merge']> } = {},
) {
  const mergeBase = (await git.mergeBase(onto, head)) ?? onto
  const id = `${method} ${head} ${onto} ${body}`
  const frozen: Snapshot = snapshot({
    ...{ id, number: 7, title: 'Add a basket', body, head: { ref: 'head', sha: head } },
    ...{ base: { ref: 'main', sha: onto }, mergeBase, commits: await git.commits(mergeBase, head) },
  })
  await ledger.saveSnapshot(frozen)
  const rules = policy()
  await ledger.savePolicy('shop', id, { ...rules, merge: { ...rules.merge, method, ...merge } })
  const entry = {
    ...{ number: 7, head, title: frozen.title, snapshotId: id, policyDigest: id, checks: [] },
    ...{ evidenceMaxAge: 1, enqueuedAt: '2026-03-01T00:00:00.000Z', enqueuedBy: 'ann' },
  } satisfies QueueEntry
  const base = { sha: onto, tree: await git.treeOf(onto) }
  return landingCommit({ ledger, git }, { entry, branch: 'main', base })
}

async function made(...request: Parameters<typeof land>): Promise<LandingCommit> {
  const result = await land(...request)
  if (result.outcome !== 'made') throw new Error(JSON.stringify(result))
  return result
}

/** A head that merged the base in, by another person, between two commits. */
async function headWithMerge(): Promise<{ head: Sha; onto: Sha }> {
  const coAuthored = `one\n\nwhy\n\nCo-authored-by: Cay <cay@example.test>`
  await onHead({ one: '1' }, coAuthored)
  await onMain({ other: '1' })
  await sample.merge('head', 'main')
  const head = await onHead({ two: '2' }, 'two', bob)
  return { head, onto: await onMain({ another: '1' }) }
}

/** A merge with something that is in neither of its sides. */
async function evilMerge(): Promise<{ head: Sha; onto: Sha }> {
  const own = await onHead({ one: '1' })
  const onto = await onMain({ other: '1' })
  await sample.merge('head', 'main')
  const tree = await git.treeOf(await onHead({ evil: 'x' }))
  const head = await sample.git('commit-tree', tree, '-p', own, '-p', onto, '-m', 'merge, and more')
  return { head, onto }
}

describe('a head that holds a merge of its base', () => {
  it('is one commit by its first author, with those whom its commits name, by squash', async () => {
    const pair = await headWithMerge()
    const { commit, tree } = await made('squash', pair, {
      body: 'text\n<!-- cut -->\nno',
      merge: { cutMarks: ['<!-- cut -->'] },
    })
    const { parents, message, author } = await git.commit(commit)
    expect([parents, author.email]).toEqual([[pair.onto], 'ada@example.test'])
    expect(message.trim().split('\n\n')).toEqual([
      'Add a basket',
      'text',
      `Co-authored-by: Cay <cay@example.test>\nCo-authored-by: Bob <bob@example.test>\n${trailer}`,
    ])
    expect(tree).toBe(await git.treeOf(commit))
  })

  it('is its commits but for the merge, each by its author, by rebase', async () => {
    const pair = await headWithMerge()
    const { commit, tree } = await made('rebase', pair)
    const landed = await git.commits(pair.onto, commit)
    expect(landed.map(({ subject, author, parents }) => [subject, author.email, parents.length])).toEqual([
      ['one', 'ada@example.test', 1],
      ['two', 'bob@example.test', 1],
    ])
    expect(await git.mergeTree(pair.onto, pair.head)).toEqual({ outcome: 'clean', tree })
  })

  it('is behind a merge as it is by merge', async () => {
    const pair = await headWithMerge()
    const { commit } = await made('merge', pair)
    expect((await git.commit(commit)).parents).toEqual([pair.onto, pair.head])
  })

  it('is itself by fast-forward, once it has the tip of the base', async () => {
    const { head, onto } = await headWithMerge()
    const behind = await land('fast-forward', { head, onto })
    expect(behind).toMatchObject({ outcome: 'refused', kind: 'behind' })
    const merged = await sample.merge('head', 'main')
    expect(await made('fast-forward', { head: merged, onto })).toEqual({
      forbidden: [],
      ...{ outcome: 'made', commit: merged, tree: await git.treeOf(merged), method: 'fast-forward' },
    })
  })
})

describe('the same request', () => {
  it.each(['merge', 'squash', 'rebase'] as const)('is the same commit: %s', async (method) => {
    const pair = await headWithMerge()
    expect(await made(method, pair)).toEqual(await made(method, pair))
  })
})

describe('what is not made', () => {
  it.each(['merge', 'squash', 'rebase', 'fast-forward'] as const)(
    'is a change that the base has already: %s',
    async (method) => {
      const inBase = await sample.sha('main')
      const onto = await onMain({ same: '1' })
      const empty = { outcome: 'refused', kind: 'empty', reason: 'its changes are in main already' }
      expect(await land(method, { head: inBase, onto })).toEqual(empty)
      expect(await land(method, { head: onto, onto })).toEqual(empty)
      const head = await sample.commit({ files: {}, message: 'nothing', branch: 'idle' })
      expect(await land(method, { head, onto: head })).toEqual(empty)
      const ahead = await sample.commit({ files: {}, message: 'nothing more', branch: 'idle' })
      expect(await land(method, { head: ahead, onto: head })).toEqual(empty)
    },
  )

  it.each(['merge', 'squash', 'rebase'] as const)('is the same change by another commit: %s', async (method) => {
    const head = await onHead({ same: '1' })
    const onto = await onMain({ same: '1' })
    expect(await land(method, { head, onto })).toMatchObject({ outcome: 'refused', kind: 'empty' })
  })

  it('is a rebase that would lose what a merge settled, and says what to do', async () => {
    const pair = await evilMerge()
    const refused = await land('rebase', pair)
    expect(refused).toMatchObject({ outcome: 'refused', kind: 'blocked' })
    expect(refused.outcome === 'refused' && refused.reason).toMatch(/rebase the branch by hand, or .* squash or merge/)
    const { commit } = await made('squash', pair)
    expect(await sample.git('show', `${commit}:evil`)).toBe('x')
  })

  it('is a rebase one of whose commits conflicts though the head does not, and names it', async () => {
    const there = await onHead({ 'README.md': 'there\n' }, 'go there')
    const head = await onHead({ 'README.md': '# Sample\n', own: '1' }, 'and back')
    const onto = await onMain({ 'README.md': 'theirs\n' })
    expect(await land('rebase', { head, onto })).toEqual({
      outcome: 'refused',
      kind: 'conflict',
      reason: `its commit ${there.slice(0, 12)} "go there" conflicts with main in README.md`,
    })
    expect((await made('squash', { head, onto })).method).toBe('squash')
  })

  it('is a head that conflicts, by whichever method makes a commit', async () => {
    const head = await onHead({ 'README.md': 'ours\n' })
    const onto = await onMain({ 'README.md': 'theirs\n' })
    for (const method of ['merge', 'squash', 'rebase'] as const) {
      expect(await land(method, { head, onto })).toEqual({ outcome: 'conflict', paths: ['README.md'] })
    }
  })
})

it('takes a policy of 0.1.0, which knows no cut marks', async () => {
  const { commit } = await made('squash', await headWithMerge(), { body: 'one\n\n---\n\ntwo' })
  expect((await git.commit(commit)).message).toContain('one\n\n---\n\ntwo')
})

it('lands of any history by rebase what the pull request shows, or says why not', async () => {
  const seen: Record<string, number> = {}
  let runs = 0
  await fc.assert(
    fc.asyncProperty(historySteps, async (steps) => {
      runs += 1
      const input = fastImport(steps, `run-${runs}`)
      await execa('git', ['fast-import', '--quiet', '--done', '--force'], { cwd: sample.path, input })
      const onto = await sample.sha(`run-${runs}/base`)
      const head = await sample.sha(`run-${runs}/head`)
      const result = await land('rebase', { head, onto })
      const what = result.outcome === 'refused' ? result.kind : result.outcome
      seen[what] = (seen[what] ?? 0) + 1
      if (result.outcome === 'refused') return void expect(result.reason).toMatch(/main/)
      if (result.outcome === 'conflict') return void expect(result.paths).not.toEqual([])
      expect(await git.mergeTree(onto, head)).toEqual({ outcome: 'clean', tree: result.tree })
      expect(result.tree).not.toBe(await git.treeOf(onto))
      const authors = (await git.commits(onto, head)).filter(({ parents }) => parents.length < 2)
      const known = new Set(authors.map(({ author, at, subject }) => JSON.stringify([author, at, subject])))
      for (const { author, at, subject, parents } of await git.commits(onto, result.commit)) {
        expect(known).toContain(JSON.stringify([author, at, subject]))
        expect(parents).toHaveLength(1)
      }
    }),
    { seed: 20_260_302, numRuns: 30 },
  )
  expect(Object.keys(seen)).toEqual(expect.arrayContaining(['made', 'empty', 'conflict', 'blocked']))
}, 120_000)
