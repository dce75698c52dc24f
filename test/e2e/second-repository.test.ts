import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createCliWorld, type CliWorld } from '../support/cli.ts'

let world: CliWorld
beforeAll(async () => {
  world = await createCliWorld()
})
afterAll(async () => {
  await world.switchyard(world.folder, 'down')
  await world.remove()
})

async function makeRepository(name: string): Promise<string> {
  const folder = join(world.folder, name)
  await mkdir(folder)
  await world.git(folder, 'init', '--quiet', '--initial-branch=main')
  await writeFile(join(folder, '.switchyard.yaml'), 'version: 1\nchecks: { tests: { run: "true" } }\n')
  await world.git(folder, 'add', '--all')
  await world.git(folder, 'commit', '--quiet', '--message', 'first')
  return folder
}

test(
  'a repository that is added while `up` runs lands pull requests like the first',
  { timeout: 120_000 },
  async () => {
    expect((await world.switchyard(await makeRepository('first'), 'init')).code).toBe(0)
    expect((await world.switchyard(world.folder, 'up', '--detach')).code).toBe(0)
    const second = await makeRepository('second')
    expect((await world.switchyard(second, 'init')).code).toBe(0)
    await world.git(second, 'switch', '--quiet', '--create', 'feature')
    await world.git(second, 'commit', '--quiet', '--allow-empty', '--message', 'nothing yet')
    await writeFile(join(second, 'feature.txt'), 'feature\n')
    await world.git(second, 'add', '--all')
    await world.git(second, 'commit', '--quiet', '--message', 'Add a feature')
    await world.git(second, 'push', '--quiet', 'switchyard', 'feature')
    const created = await world.switchyard(second, 'pr', 'create', '--wait=90s', '--json')
    expect({ code: created.code, phase: created.json()['phase'] }).toEqual({ code: 0, phase: 'landed' })
  },
)
