import { deflateSync } from 'node:zlib'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { looseCommit } from '#activities/git/loose'
import { openRepository } from '#activities/git/repository'
import { createSampleRepository, type SampleRepository } from '../../support/repositories.ts'

let sample: SampleRepository
let objects: string
beforeEach(async () => {
  sample = await createSampleRepository()
  objects = join(sample.gitDir, 'objects')
})
afterEach(() => sample.remove())

test('reads tree and parents of a merge as git does', async () => {
  const main = await sample.commit({ files: { a: '1\n' }, message: 'on main' })
  const side = await sample.commit({ files: { b: '2\n' }, message: 'aside', branch: 'side', from: `${main}~1` })
  const merged = await sample.merge('main', side)
  expect(await looseCommit(objects, merged)).toEqual({ tree: await sample.sha('main^{tree}'), parents: [main, side] })
})

test('a first commit has no parents', async () => {
  const first = await sample.sha('main')
  expect(await looseCommit(objects, first)).toMatchObject({ parents: [] })
})

test('leaves a packed commit to git, which finds it', async () => {
  const commit = await sample.commit({ files: { a: '1\n' }, message: 'packed' })
  await sample.git('gc', '--quiet', '--prune=now')
  expect(await looseCommit(objects, commit)).toBeNull()
  expect(await openRepository(sample.gitDir).treeOf(commit)).toBe(await sample.sha('main^{tree}'))
})

test('does not believe a file whose content has another name', async () => {
  const wrong = 'a'.repeat(40)
  const forged = `tree ${'b'.repeat(40)}\n\n`
  await mkdir(join(objects, 'aa'), { recursive: true })
  await writeFile(join(objects, 'aa', wrong.slice(2)), deflateSync(`commit ${forged.length}\0${forged}`))
  expect(await looseCommit(objects, wrong)).toBeNull()
})

test('a tree is not a commit', async () => {
  expect(await looseCommit(objects, await sample.sha('main^{tree}'))).toBeNull()
})

test('a branch is found whether it is packed or not', async () => {
  const repository = openRepository(sample.gitDir)
  const loose = await repository.resolve('refs/heads/main')
  await sample.git('pack-refs', '--all')
  expect([loose, await repository.resolve('refs/heads/main')]).toEqual(Array(2).fill(await sample.sha('main')))
})
