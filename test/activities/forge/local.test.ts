import { chmod, readdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createLocalForge, seedLocalRepository } from '#activities/forge/local'
import { openRepository } from '#activities/git/repository'
import { localWorld } from './worlds.ts'

async function makeWorld() {
  const world = await localWorld()
  onTestFinished(() => world.close())
  return world
}

const input = { title: 'A', body: '', head: 'feature', base: 'main', author: 'ann', draft: false, labels: [] }

it('shows what another process wrote', async () => {
  const world = await makeWorld()
  await world.push('feature')
  await world.forge.createPullRequest('shop', input)
  const repositories = [{ name: 'shop', gitDir: world.gitDir }]
  const other = createLocalForge({ tables: world.ledger.tables, repositories })
  expect(await other.getPullRequest('shop', 1)).toEqual(await world.forge.getPullRequest('shop', 1))
})

it('lands on a branch that its hooks protect, without a working tree and without a hint of its own push', async () => {
  const world = await makeWorld()
  const expectedHead = await world.push('feature')
  await world.forge.createPullRequest('shop', input)
  await world.forge.takeHints('shop', 100)
  const expectedBase = (await world.forge.branch('shop', 'main')) ?? ''
  const candidate = await world.candidate(expectedBase, expectedHead)
  const expected = { base: 'main', expectedHead, expectedBase, at: '2026-01-01T00:00:00.000Z' }
  const request = { ...candidate, ...expected, method: 'merge' } as const
  const outcome = await world.forge.merge('shop', 1, { ...request, actor: 'queue' })
  expect(outcome.outcome).toBe('merged')
  expect(await readdir(world.gitDir)).not.toContain('index')
  const hints = await world.forge.takeHints('shop', 100)
  expect(hints.map(({ kind, number }) => [kind, number])).toEqual([
    ['pull-request', 1],
    ['push', null],
  ])
})

it('tells a head with a history of its own', async () => {
  const world = await makeWorld()
  const git = openRepository(world.gitDir)
  const main = (await git.resolve('refs/heads/main')) ?? ''
  const person = { name: 'A', email: 'a@b', at: '2026-01-01T00:00:00Z' }
  const root = { tree: await git.treeOf(main), parents: [], message: 'root', author: person, committer: person }
  await git.updateRefs([{ ref: 'refs/heads/feature', from: null, to: await git.commitTree(root) }])
  const outcome = await world.forge.createPullRequest('shop', input)
  expect(outcome).toMatchObject({ outcome: 'refused', reason: 'no-commits-between' })
})

it('is seeded again without a change', async () => {
  const world = await makeWorld()
  const home = join(world.sample.path, '..', 'again')
  const seed = { home, name: 'shop', fromRepo: world.sample.path, branch: 'main' }
  expect(await seedLocalRepository(seed)).toEqual(await seedLocalRepository(seed))
})

it.each(['../x', '-x', 'a/b', ''])('refuses to seed a repository named %j', async (name) => {
  const world = await makeWorld()
  const seed = { home: join(world.sample.path, '..', 'other'), name, fromRepo: world.sample.path, branch: 'main' }
  await expect(seedLocalRepository(seed)).rejects.toThrow("can't name a repository")
})

describe('the folder of a repository', () => {
  const mode = async (folder: string) => ((await stat(folder)).mode & 0o7777).toString(8)

  it('is not for other users of this machine, nor is the one around it', async () => {
    const { gitDir } = await makeWorld()
    expect([await mode(gitDir), await mode(dirname(gitDir))]).toEqual(['700', '700'])
  })

  it.each([
    ['is taken from them when an older Switchyard made it', 0o755, '700'],
    ['stays as it is where git shares it with a group on purpose', 0o2775, '2775'],
  ])('%s', async (_, before, after) => {
    const { ledger, gitDir } = await makeWorld()
    await chmod(gitDir, before)
    createLocalForge({ tables: ledger.tables, repositories: [{ name: 'shop', gitDir }] })
    expect(await mode(gitDir)).toBe(after)
  })
})
