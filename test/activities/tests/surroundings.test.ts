import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createIsolation } from '#activities/tests/isolation'
import { createSurroundings } from '#activities/tests/surroundings'

const cache = fileURLToPath(new URL('../../../node_modules/.cache/', import.meta.url))
let root: string
let bin: string

beforeEach(async () => {
  // Not below /tmp, which is another one in the sandbox, and where a clone of this repository may be.
  const place = cache.startsWith('/tmp/') ? '/srv' : cache
  await mkdir(place, { recursive: true })
  root = await mkdtemp(join(place, 'surroundings-'))
  bin = join(root, 'tools', 'bin')
  await mkdir(bin, { recursive: true })
  await install('go', 'go version go1.30')
})
afterEach(() => rm(root, { recursive: true, force: true }))

async function install(name: string, version: string): Promise<void> {
  const path = join(bin, name)
  await writeFile(path, `#!/bin/sh\necho run >> '${root}/runs'\necho '${version}'\n`)
  await chmod(path, 0o755)
}

function surroundings(required: boolean) {
  const env = { PATH: `${bin}:/usr/bin:/bin`, HOME: join(root, 'nobody') }
  const isolation = createIsolation({ required, env, hidden: [join(root, 'home')] })
  return createSurroundings(() => isolation, join(root, 'home', 'probe'))
}

describe.each([true, false])('surroundings with isolation required: %s', (required) => {
  test('are the same for every worker that has the same', async () => {
    expect(await surroundings(required)()).toBe(await surroundings(required)())
  })

  test('change with the version of a tool on the PATH, without a new worker', async () => {
    const here = surroundings(required)
    const before = await here()
    await install('go', 'go version go1.31.1')
    const after = await here()
    expect(after).not.toBe(before)
    await install('java', 'openjdk 30')
    expect(await here()).not.toBe(after)
  })
})

test('surroundings tell one isolation from another', async () => {
  expect(await surroundings(true)()).not.toBe(await surroundings(false)())
})

test('surroundings leave nothing of their question behind, nor what a killed worker left', async () => {
  const folder = join(root, 'home', 'probe')
  await mkdir(join(folder, '999999999', 'home'), { recursive: true })
  await surroundings(false)()
  expect(await readdir(folder)).toEqual([])
})

test('surroundings that could not be found out are like no others', async () => {
  await writeFile(join(root, 'home'), 'no folder')
  const here = surroundings(false)
  expect(await here()).not.toBe(await here())
  await rm(join(root, 'home'))
  expect(await here()).toBe(await surroundings(false)())
})

test('surroundings ask no tool again whose files are what they were', async () => {
  const here = surroundings(false)
  await here()
  const runs = await readFile(join(root, 'runs'), 'utf8')
  await Promise.all([here(), here(), here()])
  expect(await readFile(join(root, 'runs'), 'utf8')).toBe(runs)
})
