import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { hostId } from '#activities/tests/host'
import type { CommandRunner } from '#activities/tests/port'
import type { CommandPolicy } from '#domain/policy'
import { createFixture, eventually, type Fixture } from './support.ts'

let fixture: Fixture
let runner: CommandRunner
let trusted: string

const files = {
  'lock.json': 'v1\n',
  'install.sh': { executable: '#!/bin/sh\nmkdir -p modules/x && cp source modules/x/which && echo installing\n' },
  source: 'landed\n',
}
const policy: Partial<CommandPolicy> = {
  run: 'cat modules/x/which',
  setup: './install.sh',
  keep: { lockfile: 'lock.json', paths: ['modules'] },
}

beforeEach(async () => {
  fixture = await createFixture()
  runner = fixture.runner()
  trusted = await fixture.commit(files)
})
afterEach(() => fixture.remove())

const run = (commit: string, changes: Partial<CommandPolicy> = {}) =>
  fixture.run(runner, commit, { ...policy, ...changes }, { trusted })
const keptNames = async () => (await readdir(join(fixture.home, 'kept')).catch(() => [])).toSorted()

describe('kept paths', () => {
  test('are made by setup and found by the command', async () => {
    expect(await run(trusted)).toMatchObject({ conclusion: 'passed', stdout: 'landed\n' })
  })

  test('are made once for a lockfile', async () => {
    await run(trusted)
    expect((await run(await fixture.commit({ ...files, other: '' }))).text).not.toContain('installing')
  })

  test('are made once by two runs that need them at once', async () => {
    const texts = (await Promise.all([run(trusted), run(trusted)])).map(({ text }) => text)
    expect(texts.filter((text) => text.includes('installing'))).toHaveLength(1)
  })

  test('are tried by the next run where the first could not make them', async () => {
    const setup = 'echo trying; exit 4'
    const outcomes = await Promise.all([run(trusted, { setup }), run(trusted, { setup })])
    expect(outcomes.map(({ text }) => text.includes('trying\n'))).toEqual([true, true])
  })

  test('are not waited for by a run that is cancelled', async () => {
    const first = new AbortController()
    const second = new AbortController()
    const slow = { ...policy, setup: 'sleep 4795; true' }
    const stages: string[] = []
    const firstRun = fixture.run(runner, trusted, slow, {
      trusted,
      signal: first.signal,
      onStage: ({ stage }) => stages.push(stage),
    })
    const firstEnded = firstRun.catch((error: unknown) => error)
    await eventually('setup runs', () => stages.includes('setup'))
    const waits: string[] = []
    const onStage = ({ stage }: { stage: string }) => {
      waits.push(stage)
      if (waits.length === 2) second.abort(new Error('a new head'))
    }
    await expect(fixture.run(runner, trusted, slow, { trusted, signal: second.signal, onStage })).rejects.toThrow(
      'a new head',
    )
    expect(waits).toEqual(['waiting', 'waiting'])
    first.abort(new Error('done'))
    await firstEnded
  })

  test('are made again for another setup', async () => {
    await run(trusted)
    expect((await run(trusted, { setup: './install.sh; true' })).text).toContain('installing')
  })

  test('can not be written by the command', async () => {
    const outcome = await run(trusted, { run: 'echo evil > modules/x/which || rm -rf modules || mv modules m' })
    expect(outcome.conclusion).toBe('failed')
    expect((await run(trusted)).stdout).toBe('landed\n')
  })

  test('hold for the checkout only: the tree has none of them', async () => {
    await run(trusted)
    expect((await run(trusted, { keep: null, setup: null, run: 'ls modules' })).conclusion).toBe('failed')
  })

  test('are no place for a half-finished setup', async () => {
    const outcome = await run(trusted, { setup: './install.sh; exit 4' })
    expect(outcome).toMatchObject({ conclusion: 'failed', reason: 'setup: exit code 4' })
    expect(await keptNames()).toEqual([])
  })

  test('that setup does not make are not missed', async () => {
    expect(await run(trusted, { setup: 'true', run: 'true' })).toMatchObject({ conclusion: 'passed' })
  })

  test('are linked where nothing is isolated', async () => {
    runner = fixture.runner({ isolation: 'none' })
    expect((await run(trusted)).stdout).toBe('landed\n')
    expect((await run(trusted, { run: 'test -L modules' })).conclusion).toBe('passed')
    expect((await run(trusted)).stdout).toBe('landed\n')
  })

  test('that nobody used for weeks are removed', async () => {
    const old = join(fixture.home, 'kept', 'old')
    await mkdir(old, { recursive: true })
    await utimes(old, 0, 0)
    await run(trusted)
    expect(await keptNames()).not.toContain('old')
  })

  test('that a killed worker half made are removed', async () => {
    await draft(`.making-${hostId()}-999999999-x`)
    await run(trusted)
    expect(await keptNames()).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)])
  })

  test.each([
    ['a living worker', `.making-${hostId()}-${process.ppid}-x`],
    ['a worker of another host, where its process id is another one', '.making-0123456789ab-999999999-x'],
    ['a worker of 0.1.0, which says nothing of its host', '.making-999999999-x'],
  ])('that %s is making stay, but not for ever', async (_, name) => {
    const path = await draft(name)
    await run(trusted)
    expect(await keptNames()).toContain(name)
    await utimes(path, 0, 0)
    await run(trusted, { setup: 'mkdir modules; true' })
    expect(await keptNames()).not.toContain(name)
  })

  async function draft(name: string): Promise<string> {
    const path = join(fixture.home, 'kept', name)
    await mkdir(path, { recursive: true })
    return path
  }
})

describe('a pull request', () => {
  test("with the landed lockfile gets paths that its own code didn't make", async () => {
    const evil = await fixture.commit({ ...files, source: 'evil\n' })
    expect((await run(evil)).stdout).toBe('landed\n')
    expect((await run(trusted)).stdout).toBe('landed\n')
  })

  test('of another repository with the same lockfile gets paths of that repository', async () => {
    const evilBase = await fixture.commit({ ...files, source: 'evil\n' })
    await fixture.run(runner, evilBase, policy, { trusted: evilBase, repo: 'another' })
    expect((await run(trusted)).stdout).toBe('landed\n')
  })

  test('gets paths of its own tree where there is no lockfile to tell them apart', async () => {
    const keep = { lockfile: 'no-such.json', paths: ['modules'] }
    await run(trusted, { keep })
    const changed = await fixture.commit({ ...files, source: 'changed\n' })
    expect((await run(changed, { keep })).stdout).toBe('changed\n')
  })

  test('with a lockfile of its own gets paths of its own', async () => {
    const own = await fixture.commit({ ...files, 'lock.json': 'v2\n', source: 'own\n' })
    expect((await run(own)).stdout).toBe('own\n')
  })

  test('does not make the paths that others get once its lockfile has landed', async () => {
    const evil = await fixture.commit({ ...files, 'lock.json': 'v2\n', source: 'evil\n' })
    await run(evil)
    trusted = await fixture.commit({ ...files, 'lock.json': 'v2\n' })
    expect((await run(trusted)).stdout).toBe('landed\n')
  })

  test('does not make the paths of another one with the same new lockfile', async () => {
    await run(await fixture.commit({ ...files, 'lock.json': 'v2\n', source: 'evil\n' }))
    const other = await fixture.commit({ ...files, 'lock.json': 'v2\n', source: 'other\n' })
    expect((await run(other)).stdout).toBe('other\n')
  })

  test('whose setup links a kept path to the state folder is refused', async () => {
    const install = { executable: `#!/bin/sh\nln -s ${fixture.home} modules\n` }
    const evil = await fixture.commit({ ...files, 'lock.json': 'v2\n', 'install.sh': install })
    expect(await run(evil)).toMatchObject({
      conclusion: 'failed',
      reason: expect.stringContaining('not a folder or file'),
    })
  })

  test('with a link where a kept path belongs is refused', async () => {
    const evil = await fixture.commit({ ...files, modules: { link: '/etc' } })
    expect(await run(evil)).toMatchObject({ conclusion: 'failed', reason: expect.stringContaining('something else') })
  })

  test('with a link on the way to a kept path changes nothing outside its tree', async () => {
    const outside = join(fixture.root, 'outside')
    await mkdir(outside)
    const keep = { lockfile: 'lock.json', paths: ['a/b'] }
    const setup = 'mkdir -p a/b'
    const evil = await fixture.commit({ ...files, a: { link: outside } })
    expect((await run(evil, { keep, setup })).conclusion).toBe('failed')
    expect(await readdir(outside)).toEqual([])
  })
})

test.each(['../x', '/etc', 'a//b', '.', 'a/../b', '.git'])('the kept path %j is refused', async (path) => {
  const outcome = await run(trusted, { keep: { lockfile: 'lock.json', paths: [path] } })
  expect(outcome).toMatchObject({ conclusion: 'failed', reason: expect.stringContaining('not a path inside') })
})

test('setup sees no file outside its tree', async () => {
  await writeFile(join(fixture.root, 'witness'), 'same')
  expect((await run(trusted, { setup: `cat ${join(fixture.root, 'witness')}` })).conclusion).toBe('failed')
})
