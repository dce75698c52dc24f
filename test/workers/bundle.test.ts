import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { bundledFolders, bundleWorkflows } from '#workers/bundle'

const root = fileURLToPath(new URL('../..', import.meta.url))
let cache: string
let path: string
beforeAll(async () => {
  cache = await mkdtemp(join(tmpdir(), 'switchyard-bundle-'))
  await mkdir(join(cache, 'workflows'))
  await writeFile(join(cache, 'workflows', 'unused.js'), '')
  await utimes(join(cache, 'workflows', 'unused.js'), 0, 0)
  path = pathOf(await bundleWorkflows({ SWITCHYARD_CACHE: cache }))
})
afterAll(() => rm(cache, { recursive: true, force: true }))

it('is made once for the sources as they are, and kept', async () => {
  const { mtimeMs, ino } = await stat(path)
  await utimes(path, new Date(mtimeMs), new Date(mtimeMs - 60_000))
  expect(pathOf(await bundleWorkflows({ SWITCHYARD_CACHE: cache }))).toBe(path)
  const again = await stat(path)
  expect(again.ino).toBe(ino)
  expect(again.mtimeMs, 'counts as used').toBeGreaterThan(mtimeMs - 60_000)
})

it('hangs on nothing but packages and the folders by which it is known again', async () => {
  const [, encoded = ''] = (await readFile(path, 'utf8')).split('//# sourceMappingURL=')
  const json = Buffer.from(encoded.slice(encoded.indexOf('base64,') + 7), 'base64').toString()
  const { sources } = JSON.parse(json) as { sources: string[] }
  const own = sources.filter((source) => source.includes(`${root}src/`))
  expect(own.length).toBeGreaterThan(20)
  const known = bundledFolders.map((folder) => `${root}${folder}/`)
  expect(own.filter((source) => !known.some((folder) => source.includes(folder)))).toEqual([])
})

it('takes away what nobody used for a week', async () => {
  expect(await readdir(join(cache, 'workflows'))).toEqual([path.split('/').at(-1)])
})

it('is handed over as it is where it can not be kept', async () => {
  const file = join(cache, 'file')
  await writeFile(file, '')
  const bundle = await bundleWorkflows({ SWITCHYARD_CACHE: file })
  expect('code' in bundle && bundle.code).toBe(await readFile(path, 'utf8'))
})

function pathOf(bundle: Awaited<ReturnType<typeof bundleWorkflows>>): string {
  if (!('codePath' in bundle)) throw new Error('it was not kept')
  return bundle.codePath
}
