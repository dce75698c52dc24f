import { readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fetchInto, importBranch, initBareRepository, openRepository } from '#activities/git/repository'
import { createSampleRepository, type SampleRepository } from '../../support/repositories.ts'

let sample: SampleRepository
let bare: string

beforeEach(async () => {
  sample = await createSampleRepository()
  bare = join(sample.path, '..', 'made', 'bare.git')
})
afterEach(() => sample.remove())

describe('making a bare repository', () => {
  it('points HEAD at the default branch', async () => {
    await initBareRepository(bare, { defaultBranch: 'trunk' })
    expect(await readFile(join(bare, 'HEAD'), 'utf8')).toBe('ref: refs/heads/trunk\n')
  })

  it('leaves one that is there as it is', async () => {
    await initBareRepository(bare, { defaultBranch: 'main' })
    await writeFile(join(bare, 'description'), 'mine')
    await initBareRepository(bare, { defaultBranch: 'other' })
    expect(await readFile(join(bare, 'description'), 'utf8')).toBe('mine')
  })

  it('makes one when asked several times at once, and leaves nothing beside it', async () => {
    await Promise.all(Array.from({ length: 4 }, () => initBareRepository(bare, { defaultBranch: 'main' })))
    expect(await readdir(join(bare, '..'))).toEqual(['bare.git'])
  })

  it('refuses a default branch called --bare, and leaves nothing', async () => {
    await expect(initBareRepository(bare, { defaultBranch: '--bare' })).rejects.toThrow('starts with "-"')
    expect(await readdir(join(bare, '..'))).toEqual([])
  })
})

describe('bringing commits in', () => {
  beforeEach(() => initBareRepository(bare, { defaultBranch: 'main' }))

  it('imports a branch from the top folder of a working copy', async () => {
    const imported = await importBranch(bare, sample.path, 'main')
    expect([imported, await openRepository(bare).resolve('refs/heads/main')]).toEqual([
      imported,
      await sample.sha('main'),
    ])
  })

  it('imports only the branch that was asked for', async () => {
    await sample.branch('other', 'main')
    await sample.git('tag', 'v1')
    await importBranch(bare, sample.path, 'main')
    expect([...(await openRepository(bare).refs('refs/')).keys()]).toEqual(['refs/heads/main'])
  })

  it('throws for a branch that is missing', async () => {
    await expect(importBranch(bare, sample.path, 'missing')).rejects.toMatchObject({ name: 'GitError', exitCode: 128 })
  })

  it('does not overwrite a branch with another history', async () => {
    await importBranch(bare, sample.path, 'main')
    await sample.git('commit', '--quiet', '--amend', '--message', 'rewritten')
    await expect(importBranch(bare, sample.path, 'main')).rejects.toMatchObject({ name: 'GitError' })
  })

  it('fetches a commit that no ref points to', async () => {
    const orphan = await sample.git('commit-tree', '-m', 'orphan', 'main^{tree}')
    await fetchInto(bare, sample.gitDir, [orphan])
    expect((await openRepository(bare).commit(orphan)).subject).toBe('orphan')
  })

  it('makes no ref and no FETCH_HEAD for a fetched commit', async () => {
    await fetchInto(bare, sample.gitDir, [await sample.sha('main')])
    const refs = await openRepository(bare).refs('refs/')
    expect([refs.size, (await readdir(bare)).includes('FETCH_HEAD')]).toEqual([0, false])
  })
})
