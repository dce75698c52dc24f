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

test('reads tree, parents and message of a merge as git does', async () => {
  const main = await sample.commit({ files: { a: '1\n' }, message: 'on main' })
  const side = await sample.commit({ files: { b: '2\n' }, message: 'aside', branch: 'side', from: `${main}~1` })
  const merged = await sample.merge('main', side)
  const [tree, message] = [await sample.sha('main^{tree}'), `Merge commit '${side}'\n`]
  expect(await looseCommit(objects, merged)).toEqual({ tree, parents: [main, side], message })
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

test('messages are the same whether git reads them or not, in whatever encoding', async () => {
  const repository = openRepository(sample.gitDir)
  const base = await sample.sha('main')
  const plain = await sample.commit({ files: { a: '1\n' }, message: 'Grüße\n\nwhy: ✓' })
  expect([...(await repository.messages(base, plain))]).toEqual([[plain, 'Grüße\n\nwhy: ✓\n']])
  // Git writes down what the bytes are said to be, and converts nothing.
  await sample.git('config', 'i18n.commitEncoding', 'ISO-8859-1')
  const encoded = await sample.commit({ files: { a: '2\n' }, message: 'Café' })
  const read = async () => [...(await repository.messages(base, encoded))].map(([sha, text]) => [sha, text.trimEnd()])
  const expected = [
    [encoded, 'CafÃ©'],
    [plain, 'Grüße\n\nwhy: ✓'],
  ]
  expect(await read()).toEqual(expected)
  await sample.git('gc', '--quiet', '--prune=now')
  expect(await read()).toEqual(expected)
})

test('messages of a head with a merge are those of both sides', async () => {
  const repository = openRepository(sample.gitDir)
  const base = await sample.sha('main')
  const main = await sample.commit({ files: { a: '1\n' }, message: 'on main' })
  const side = await sample.commit({ files: { b: '2\n' }, message: 'aside', branch: 'side', from: base })
  const merged = await sample.merge('main', 'side')
  expect([...(await repository.messages(base, merged)).keys()].sort()).toEqual([main, side, merged].sort())
})
