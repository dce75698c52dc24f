import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { run as init } from '#client/commands/init'
import { run as add } from '#client/commands/repo-add'
import type { CommandContext } from '#client/context'
import type { CliError } from '#client/errors'
import { toCliError } from '#client/errors'
import { createOutput } from '#client/output'
import type { Seed } from '#client/register'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

let root: string
let shop: string
let home: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'switchyard-init-'))
  shop = join(root, 'shop')
  home = join(root, 'home')
  mkdirSync(shop)
  git('init', '-q', '-b', 'main')
})

afterEach(() => rmSync(root, { recursive: true, force: true }))

const environment = () => ({
  PATH: process.env.PATH,
  HOME: root,
  SWITCHYARD_HOME: home,
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'Ann',
  GIT_AUTHOR_EMAIL: 'ann@example.org',
  GIT_COMMITTER_NAME: 'Ann',
  GIT_COMMITTER_EMAIL: 'ann@example.org',
})

function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: shop, env: environment(), encoding: 'utf8', stdio: 'pipe' }).trim()
}

function commit(files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(shop, name), text)
  git('add', '.')
  git('commit', '-q', '-m', 'Start')
}

const withTests = { 'package.json': JSON.stringify({ scripts: { test: 'node --test' } }) }

/** What the local forge does, in short. */
const seed: Seed = async ({ home, name, fromRepo, branch }) => {
  git('clone', '-q', '--bare', '--branch', branch, fromRepo, join(home, 'forge', `${name}.git`))
}

function context(cwd = shop): CommandContext & { document(): Record<string, unknown> } {
  const stdout = new PassThrough()
  return {
    cwd,
    env: environment(),
    flags: { json: true, color: false },
    output: createOutput({ stdout, stderr: new PassThrough() }, { json: true, color: false, isTerminal: false }),
    document: () => JSON.parse(String(stdout.read())) as Record<string, unknown>,
  } as Partial<CommandContext> as never
}

async function refusalOf(running: Promise<unknown>): Promise<CliError> {
  return await running.then(
    () => expect.unreachable('it was not refused'),
    (error: unknown) => toCliError(error),
  )
}

describe('init', () => {
  test('writes both files, makes the forge and adds the remote', async () => {
    commit(withTests)
    expect(await init(context(), {}, seed)).toBe(0)
    expect({
      policy: readFileSync(join(shop, '.switchyard.yaml'), 'utf8'),
      installation: readFileSync(join(home, 'switchyard.yaml'), 'utf8'),
      remote: git('config', 'remote.switchyard.url'),
      seeded: git('ls-remote', '--heads', 'switchyard').split('\t')[1],
    }).toEqual({
      policy: expect.stringContaining('npm test'),
      installation: expect.stringContaining('forge/shop.git'),
      remote: join(home, 'forge', 'shop.git'),
      seeded: 'refs/heads/main',
    })
  })

  test('keeps the same policy in the home, for as long as the base has none', async () => {
    commit(withTests)
    await init(context(), {}, seed)
    expect(readFileSync(join(home, 'policies', 'shop.yaml'), 'utf8')).toBe(
      readFileSync(join(shop, '.switchyard.yaml'), 'utf8'),
    )
  })

  test('says what it found and made', async () => {
    commit(withTests)
    const here = context()
    await init(here, {}, seed)
    expect(here.document()).toMatchObject({
      repo: 'shop',
      base: 'main',
      tests: { run: 'npm test' },
      made: { length: 7 },
    })
  })

  test('names in each file a schema that is there, as an editor resolves it', async () => {
    commit(withTests)
    await init(context(), {}, seed)
    for (const file of [join(shop, '.switchyard.yaml'), join(home, 'switchyard.yaml')]) {
      const [, path] = /^# yaml-language-server: \$schema=(\S+)$/m.exec(readFileSync(file, 'utf8'))!
      const schema = JSON.parse(readFileSync(join(dirname(file), path!), 'utf8')) as { title: string }
      expect(schema.title).toContain(basename(file))
    }
  })

  test('brings the schema up to date, where the policy names it', async () => {
    commit(withTests)
    await init(context(), {}, seed)
    const schema = join(shop, '.switchyard', 'policy.schema.json')
    writeFileSync(schema, '{}')
    const again = context()
    await init(again, {}, seed)
    expect(again.document().made).toEqual([schema])
  })

  test('a second time makes nothing', async () => {
    commit(withTests)
    await init(context(), {}, seed)
    const again = context()
    await init(again, {}, seed)
    expect(again.document().made).toEqual([])
  })

  test('leaves a policy that is there as it is', async () => {
    commit({ '.switchyard.yaml': 'version: 1\nbase: [main]\n' })
    await init(context(), {}, seed)
    expect(readFileSync(join(shop, '.switchyard.yaml'), 'utf8')).toBe('version: 1\nbase: [main]\n')
  })

  test('works from a folder inside', async () => {
    commit(withTests)
    mkdirSync(join(shop, 'src'))
    await init(context(join(shop, 'src')), {}, seed)
    expect(existsSync(join(shop, '.switchyard.yaml'))).toBe(true)
  })

  test('another clone of a registered repository gets the remote only', async () => {
    commit(withTests)
    await init(context(), {}, seed)
    git('remote', 'remove', 'switchyard')
    const again = context()
    await init(again, {}, seed)
    expect(again.document().made).toEqual(['remote switchyard'])
  })
})

describe('init again, after the repository was taken out,', () => {
  beforeEach(async () => {
    commit(withTests)
    await init(context(), {}, seed)
    rmSync(join(home, 'switchyard.yaml'))
  })

  test('finds the forge with its commits as it was', async () => {
    const again = context()
    await init(again, {}, seed)
    expect(again.document().made).toEqual([join(home, 'switchyard.yaml')])
  })

  test('never removes that forge, whatever fails', async () => {
    rmSync(join(home, 'policies'), { recursive: true })
    writeFileSync(join(home, 'policies'), 'a file where a folder should be')
    await refusalOf(init(context(), {}, seed))
    expect(existsSync(join(home, 'forge', 'shop.git'))).toBe(true)
  })
})

describe('init refuses with exit code 2', () => {
  test('what is no repository', async () => {
    const { exitCode, code } = await refusalOf(init(context(root), {}, seed))
    expect([exitCode, code]).toEqual([2, 'not-a-repository'])
  })

  test('an empty one', async () => {
    const { exitCode, code } = await refusalOf(init(context(), {}, seed))
    expect([exitCode, code]).toEqual([2, 'empty-repository'])
  })

  test('a base that is not there', async () => {
    commit(withTests)
    const { exitCode, code } = await refusalOf(init(context(), { base: 'mian' }, seed))
    expect([exitCode, code]).toEqual([2, 'unknown-base'])
  })

  test('a name that can be no name', async () => {
    commit(withTests)
    const { exitCode } = await refusalOf(init(context(), { name: '../x' }, seed))
    expect(exitCode).toBe(2)
  })

  test('a policy that does not parse, with its line', async () => {
    commit({ '.switchyard.yaml': 'version: 1\nchekcs: {}\n' })
    const { exitCode, message } = await refusalOf(init(context(), {}, seed))
    expect([exitCode, message]).toEqual([2, expect.stringContaining('.switchyard.yaml:2:1')])
  })

  test('a remote of the same name that leads elsewhere', async () => {
    commit(withTests)
    git('remote', 'add', 'switchyard', '/elsewhere.git')
    const { exitCode, code } = await refusalOf(init(context(), {}, seed))
    expect([exitCode, code]).toEqual([2, 'remote-taken'])
  })

  test('the name of another repository', async () => {
    commit(withTests)
    await init(context(), {}, seed)
    rmSync(shop, { recursive: true })
    mkdirSync(shop)
    git('init', '-q', '-b', 'main')
    commit({ 'other.txt': 'other' })
    const { exitCode, code } = await refusalOf(init(context(), {}, seed))
    expect([exitCode, code]).toEqual([2, 'name-taken'])
  })

  test('and leaves nothing half done, whichever step fails', async () => {
    commit(withTests)
    mkdirSync(home)
    writeFileSync(join(home, 'policies'), 'a file where a folder should be')
    await refusalOf(init(context(), {}, seed))
    expect({
      forge: existsSync(join(home, 'forge', 'shop.git')),
      installation: existsSync(join(home, 'switchyard.yaml')),
      policy: existsSync(join(shop, '.switchyard.yaml')),
      schemas: [shop, home].map((folder) => existsSync(join(folder, '.switchyard', 'policy.schema.json'))),
      remotes: git('remote'),
    }).toEqual({ forge: false, installation: false, policy: false, schemas: [false, false], remotes: '' })
  })
})

test('repo add registers a folder and writes no policy into it', async () => {
  commit(withTests)
  await add(context(root), { folder: 'shop' }, seed)
  expect([git('remote'), existsSync(join(shop, '.switchyard.yaml'))]).toEqual(['switchyard', false])
})
