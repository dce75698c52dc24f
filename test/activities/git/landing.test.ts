import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openRepository } from '#activities/git/repository'
import type { CommitInput, GitRepository } from '#activities/git/port'
import { createSampleRepository, type SampleRepository } from '../../support/repositories.ts'

let sample: SampleRepository
let git: GitRepository
let root: string

beforeEach(async () => {
  sample = await createSampleRepository()
  git = openRepository(sample.gitDir)
  root = await sample.sha('main')
})
afterEach(() => sample.remove())

async function input(changes: Partial<CommitInput> = {}): Promise<CommitInput> {
  const person = { name: 'Grace Ö', email: 'grace@example.test', at: '2026-02-03T04:05:06.789Z' }
  const tree = await git.treeOf(root)
  return { tree, parents: [root], message: 'title\n\nbody\n', author: person, committer: person, ...changes }
}

describe('merging without a working tree', () => {
  it('gives the merged tree', async () => {
    const left = await sample.commit({ files: { a: '1' }, message: 'left', branch: 'left' })
    const right = await sample.commit({ files: { b: '1' }, message: 'right', branch: 'right' })
    const merge = await sample.merge('left', 'right')
    expect(await git.mergeTree(left, right)).toEqual({ outcome: 'clean', tree: await git.treeOf(merge) })
  })

  it('lists the paths in conflict as they are', async () => {
    const names = ['plain', 'quo"te', 'new\nline', 'grün']
    const all = (content: string) => Object.fromEntries(names.map((name) => [name, content]))
    const left = await sample.commit({ files: { ...all('1'), fine: 'x' }, message: 'left', branch: 'left' })
    const right = await sample.commit({ files: all('2'), message: 'right', branch: 'right' })
    const merged = await git.mergeTree(left, right)
    expect(merged.outcome === 'conflict' && merged.paths.sort()).toEqual(names.sort())
  })

  it('calls unrelated histories a conflict', async () => {
    const orphan = await sample.git('commit-tree', '-m', 'orphan', await git.treeOf(root))
    expect(await git.mergeTree(root, orphan)).toEqual({ outcome: 'conflict', paths: [] })
  })

  it('throws for a commit that is missing', async () => {
    await expect(git.mergeTree(root, 'f'.repeat(40))).rejects.toMatchObject({ name: 'GitError' })
  })
})

describe('making a commit', () => {
  it('makes the same commit from the same input', async () => {
    expect(await git.commitTree(await input())).toBe(await git.commitTree(await input()))
  })

  it('writes what it was given', async () => {
    const made = await git.commit(await git.commitTree(await input({ parents: [root] })))
    expect(made).toMatchObject({
      author: { name: 'Grace Ö', email: 'grace@example.test' },
      at: '2026-02-03T04:05:06.000Z',
      parents: [root],
      message: 'title\n\nbody\n',
    })
  })

  it.each(['', '<>', '...', 'a\nb <x>', '\u0000'])('takes the name %j without breaking the commit', async (name) => {
    const person = { name, email: 'x@example.test', at: '2026-01-01T00:00:00Z' }
    const made = await git.commitTree(await input({ author: person, committer: person }))
    expect((await git.commit(made)).parents).toEqual([root])
  })

  it('refuses a date that is none', async () => {
    const person = { name: 'a', email: 'b', at: 'soon' }
    await expect(git.commitTree(await input({ author: person }))).rejects.toThrow('"soon" is not a date')
  })
})

describe('moving refs', () => {
  let next: string
  beforeEach(async () => {
    next = await git.commitTree(await input())
  })

  it('moves a ref from its old value', async () => {
    expect([
      await git.updateRefs([{ ref: 'refs/heads/main', from: root, to: next }]),
      await git.resolve('refs/heads/main'),
    ]).toEqual([true, next])
  })

  it('answers false when a ref is elsewhere', async () => {
    expect(await git.updateRefs([{ ref: 'refs/heads/main', from: next, to: root }])).toBe(false)
  })

  it('answers false when a new ref exists', async () => {
    expect(await git.updateRefs([{ ref: 'refs/heads/main', from: null, to: root }])).toBe(false)
  })

  it('answers false when a ref to delete is gone', async () => {
    expect(await git.updateRefs([{ ref: 'refs/heads/gone', from: root, to: null }])).toBe(false)
  })

  it('creates and deletes', async () => {
    await git.updateRefs([{ ref: 'refs/heads/new', from: null, to: root }])
    const deleted = await git.updateRefs([{ ref: 'refs/heads/new', from: root, to: null }])
    expect([deleted, await git.resolve('refs/heads/new')]).toEqual([true, null])
  })

  it('changes nothing when one of several differs', async () => {
    const answer = await git.updateRefs([
      { ref: 'refs/heads/main', from: root, to: next },
      { ref: 'refs/heads/other', from: next, to: next },
    ])
    expect([answer, await git.resolve('refs/heads/main')]).toEqual([false, root])
  })

  it('only verifies where old and new are equal', async () => {
    await sample.branch('other', root)
    const answer = await git.updateRefs([
      { ref: 'refs/heads/main', from: root, to: next },
      { ref: 'refs/heads/other', from: root, to: root },
      { ref: 'refs/heads/absent', from: null, to: null },
    ])
    expect([answer, await git.resolve('refs/heads/other')]).toEqual([true, root])
  })

  it('throws, and does not answer false, when a name stands in the way of another', async () => {
    await expect(git.updateRefs([{ ref: 'refs/heads/main/sub', from: null, to: root }])).rejects.toMatchObject({
      name: 'GitError',
    })
  })

  it('throws for a commit that is missing', async () => {
    const missing = 'f'.repeat(40)
    await expect(git.updateRefs([{ ref: 'refs/heads/main', from: root, to: missing }])).rejects.toMatchObject({
      name: 'GitError',
    })
  })

  it('lets exactly one of several racing updates win', async () => {
    const candidates = await Promise.all(
      Array.from({ length: 8 }, async (_, index) => git.commitTree(await input({ message: `candidate ${index}\n` }))),
    )
    const won = await Promise.all(candidates.map((to) => git.updateRefs([{ ref: 'refs/heads/main', from: root, to }])))
    const winners = candidates.filter((_, index) => won[index])
    expect(winners).toEqual([await git.resolve('refs/heads/main')])
  })

  it('throws when a lock stays held', async () => {
    await writeFile(join(sample.gitDir, 'refs/heads/main.lock'), '')
    await expect(git.updateRefs([{ ref: 'refs/heads/main', from: root, to: next }])).rejects.toThrow('File exists')
  })
})
