import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createCliWorld, processesWith, type CliWorld, type Ran } from '../support/cli.ts'
import { eventually } from '../support/crash-points.ts'
import { workingCopies, type WorkingCopies } from '../support/working-copies.ts'
import { strays } from './leftovers.ts'

const SECONDS = 1_000
const timings = `timings:
  sweep: 2s
  enqueueAcknowledgement: 3s
  heartbeat: 2s
  shortActivity: 1m
  infrastructureRetry: 200ms
`
const policy = (timeout: string) =>
  `version: 1\nchecks:\n  tests:\n    run: sh check.sh\n    timeout: ${timeout}\n    retries: 0\n`

describe('the command line on a fresh machine', { timeout: 90 * SECONDS }, () => {
  let world: CliWorld
  let copies: WorkingCopies
  let shop: string
  let strict: string
  beforeAll(async () => {
    world = await createCliWorld()
    copies = workingCopies(world)
    shop = await copies.make('shop', policy('2m'))
    strict = await copies.make('strict', policy('3s'))
  })
  afterAll(async () => {
    if (!world) return
    await world.switchyard(world.folder, 'down')
    await world.remove()
  })

  const create = (folder: string, head: string, ...more: string[]): Promise<Ran> =>
    world.switchyard(folder, 'pr', 'create', '--head', head, '--title', head, '--wait', '--json', ...more)

  const reasonOf = (ran: Ran, name: string): string => {
    const { decision } = ran.json() as { decision: { rules: { rule: string; reason: string }[] } | null }
    return decision?.rules.find(({ rule }) => rule === name)?.reason ?? ''
  }

  /** Waits until a command that no other test uses is seen running in the sandbox. */
  const seen = (...args: string[]) =>
    eventually(
      async () => (await processesWith(args, '')).length > 0,
      40 * SECONDS,
      () => `${args.join(' ')} to run`,
    )

  test('init makes the forge and the remote, and harms nothing when repeated', async () => {
    const first = await world.switchyard(shop, 'init', '--json')
    expect({ code: first.code, stderr: first.stderr }).toEqual({ code: 0, stderr: '' })
    expect(first.json()).toMatchObject({ repo: 'shop', base: 'main', remote: { name: 'switchyard' } })
    expect((await world.switchyard(shop, 'init', '--json')).json()).toMatchObject({ made: [] })
    expect((await world.switchyard(strict, 'init')).code).toBe(0)
    await appendFile(join(world.home, 'switchyard.yaml'), timings)
  })

  test('up --detach returns when all is ready, and a second up finds the first', async () => {
    const first = await world.switchyard(shop, 'up', '--detach', '--json')
    expect(first.json()).toEqual({
      home: world.home,
      pid: expect.any(Number),
      ready: true,
      address: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      webUi: expect.stringMatching(/^http:/),
    })
    const second = await world.switchyard(shop, 'up', '--json')
    expect({ code: second.code, ...second.json() }).toEqual({ code: 0, ...first.json() })
  })

  test('a good pull request lands with exit code 0; a red one is rejected with 1; a draft waits with 4', async () => {
    await copies.pushBranch(shop, 'good')
    await copies.pushBranch(shop, 'red', 'echo no; exit 3\n')
    await copies.pushBranch(shop, 'draft')
    const [good, red, draft] = await Promise.all([
      create(shop, 'good'),
      create(shop, 'red'),
      create(shop, 'draft', '--draft'),
    ])
    expect([good.code, red.code, draft.code]).toEqual([0, 1, 4])
    expect(good.json()).toEqual({
      ...{ repo: 'shop', number: expect.any(Number), workflowId: expect.stringMatching(/^pr:shop#\d+$/) },
      ...{ webUrl: expect.stringMatching(/^http/), state: 'merged', title: 'good', author: 'ada@example.test' },
      head: { ref: 'good', sha: expect.stringMatching(/^[0-9a-f]{40}$/) },
      base: { ref: 'main', sha: expect.stringMatching(/^[0-9a-f]{40}$/) },
      ...{ draft: false, phase: 'landed', policy: expect.anything(), waiting: null, hold: null },
      reviews: { approvedBy: [], changesRequestedBy: [], staleApprovals: [] },
      decision: { outcome: 'approve', rules: expect.any(Array) },
      merged: { sha: expect.any(String), tree: expect.any(String), method: 'squash', at: expect.any(String) },
    })
    expect(reasonOf(red, 'tests')).toMatch(/exit code 3/)
    expect(draft.json()).toMatchObject({ phase: 'waiting', waiting: { command: expect.stringContaining('pr ready') } })
  })

  test('what a test command does is a result with its reason', async () => {
    await copies.pushBranch(strict, 'missing', 'no-such-command-here\n')
    await copies.pushBranch(strict, 'stubborn', "trap '' TERM\nwhile :; do sleep 0.2; done\n")
    await copies.pushBranch(shop, 'loud', 'yes a line that goes on | head -c 50000000\nexit 4\n')
    const [missing, stubborn, loud] = await Promise.all([
      create(strict, 'missing'),
      create(strict, 'stubborn'),
      create(shop, 'loud'),
    ])
    expect([missing.code, stubborn.code, loud.code]).toEqual([1, 1, 1])
    expect(reasonOf(missing, 'tests')).toMatch(/not found/)
    expect(reasonOf(stubborn, 'tests')).toMatch(/timed out after 3 ?s/)
    expect(reasonOf(loud, 'tests')).toMatch(/exit code 4/)
  })

  test('a worker that is killed in the middle of a test costs nothing but time', async () => {
    await copies.pushBranch(shop, 'slow', 'sleep 3.1415\n')
    const landing = create(shop, 'slow')
    await seen('sleep', '3.1415')
    const [worker] = await processesWith(['worker', '--roles', 'testing,security'], `SWITCHYARD_HOME=${world.home}`)
    process.kill(worker!, 'SIGKILL')
    expect((await landing).code).toBe(0)
    expect(await timesLanded('slow')).toBe(1)
  })

  test('a force-push in the middle ends the old tests, and the new head lands', async () => {
    await copies.pushBranch(shop, 'moving', 'sleep 61.803\n')
    const landing = create(shop, 'moving')
    await seen('sleep', '61.803')
    await copies.git(shop, 'reset', '--quiet', '--hard', 'switchyard/main')
    await copies.commit(shop, { 'moving.txt': 'moved\n', 'check.sh': 'true\n' })
    await copies.git(shop, 'push', '--quiet', '--force', 'switchyard', 'moving')
    const landed = await landing
    expect(landed.json()).toMatchObject({ phase: 'landed', head: { sha: await copies.git(shop, 'rev-parse', 'HEAD') } })
    expect(await processesWith(['sleep', '61.803'], '')).toEqual([])
  })

  test('after a kill -9 of up, the next up adopts the server and lands what was under way', async () => {
    await copies.pushBranch(shop, 'orphaned', 'sleep 2.7182\n')
    const landing = create(shop, 'orphaned')
    await seen('sleep', '2.7182')
    const server = await serverProcess()
    const { pid } = (await world.switchyard(shop, 'up', '--json')).json()
    process.kill(Number(pid), 'SIGKILL')
    const again = await world.switchyard(shop, 'up', '--detach', '--json')
    expect({ code: again.code, ready: again.json().ready, server: await serverProcess() }).toEqual({
      code: 0,
      ready: true,
      server,
    })
    const landed = await landing
    expect(landed, landed.stdout).toMatchObject({ code: 0 })
    expect(await timesLanded('orphaned')).toBe(1)
  })

  test('a push to a protected branch is refused, with what to do instead', async () => {
    await copies.git(shop, 'fetch', '--quiet', 'switchyard')
    await copies.git(shop, 'switch', '--quiet', '--detach', 'switchyard/main')
    await copies.commit(shop, { 'direct.txt': 'direct\n' })
    const pushed = await world.git(shop, 'push', 'switchyard', 'HEAD:main')
    expect(pushed.code).not.toBe(0)
    expect(pushed.stderr).toMatch(/main of shop is protected[^]*switchyard pr create/)
  })

  test('bad input is refused with exit code 2, says why, and opens nothing', async () => {
    await copies.git(shop, 'push', '--quiet', 'switchyard', 'main:refs/heads/nothing-new')
    const before = await world.switchyard(shop, 'pr', 'list', '--state', 'all', '--json')
    const table: [heads: string[], message: RegExp][] = [
      [['--head=-f'], /"-f"/],
      [['--head=--upload-pack=x'], /upload-pack/],
      [['--head', '../x'], /"\.\.\/x"/],
      [['--head', 'two words'], /"two words"/],
      [['--head', 'bell\u0007'], /invalid|control|name/],
      [['--head', 'main'], /both main/],
      [['--head', 'nowhere'], /no branch nowhere/],
      [['--head', 'red', '--base', 'mian'], /no branch mian[^]*main/],
      [['--head', 'nothing-new'], /no commits/],
      [['--head', 'red'], /is open for the branch red already/],
    ]
    const refused = table.map(async ([args, message]) => {
      const ran = await world.switchyard(shop, 'pr', 'create', '--title', 'x', ...args)
      const wanted = { args, code: 2, stderr: expect.stringMatching(message) as string }
      expect({ args, code: ran.code, stderr: ran.stderr }).toEqual(wanted)
    })
    await Promise.all(refused)
    const after = await world.switchyard(shop, 'pr', 'list', '--state', 'all', '--json')
    expect(after.json()).toEqual(before.json())
  })

  test('down leaves no process, no lock and no temporary file', async () => {
    expect((await world.switchyard(shop, 'down', '--json')).json()).toEqual({ home: world.home, stopped: true })
    expect(await strays({ state: world.home, temp: world.temp })).toEqual([])
  })

  test('a folder that is no repository, or an empty one, is refused and nothing is made', async () => {
    const empty = join(world.folder, 'empty')
    await mkdir(empty)
    await copies.git(empty, 'init', '--quiet')
    const [outside, without] = [await world.switchyard(world.folder, 'init'), await world.switchyard(empty, 'init')]
    expect([outside.code, without.code]).toEqual([2, 2])
    expect(outside.stderr).toMatch(/not inside a git repository/)
    expect(without.stderr).toMatch(/no commit/)
  })

  test('a mistake in a configuration file is named with its line and column', async () => {
    const file = join(world.home, 'switchyard.yaml')
    const good = await readFile(file, 'utf8')
    await writeFile(file, `${good}isolaton: none\n`)
    const unknown = await world.switchyard(shop, 'pr', 'list')
    await writeFile(file, `${good}watch: [\n`)
    const broken = await world.switchyard(shop, 'pr', 'list')
    await writeFile(file, good)
    await writeFile(join(shop, '.switchyard.yaml'), 'version: 1\nmerge: { auto: perhaps }\n')
    const ofPolicy = await world.switchyard(shop, 'init')
    expect([unknown.code, broken.code, ofPolicy.code]).toEqual([2, 2, 2])
    expect(unknown.stderr).toMatch(/switchyard\.yaml:\d+:1[^]*isolation/)
    expect(broken.stderr).toMatch(/switchyard\.yaml:\d+:\d+/)
    expect(ofPolicy.stderr).toMatch(/\.switchyard\.yaml:2:16/)
  })

  async function timesLanded(branch: string): Promise<number> {
    await copies.git(shop, 'fetch', '--quiet', 'switchyard')
    const subjects = await copies.git(shop, 'log', '--format=%s', 'switchyard/main')
    return subjects.split('\n').filter((subject) => subject.startsWith(`${branch} (#`)).length
  }

  async function serverProcess(): Promise<unknown> {
    const record = await readFile(join(world.home, 'temporal', 'server.json'), 'utf8')
    return (JSON.parse(record) as { process: unknown }).process
  }
})
