import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cacheFolder, provideTemporalCli } from '../../tools/temporal/provision.mjs'
import { processesWith } from '../support/cli.ts'

const MINUTES = 60_000
const KB = 1_024
const root = fileURLToPath(new URL('../../', import.meta.url))
const node = dirname(process.execPath)

/** A folder with a Node that can start the command and not run it; null where there is none, or no newer one cached. */
const older = existsSync(join(cacheFolder(process.env), 'node')) ? findOlderNode() : null

function findOlderNode(): string | null {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const major = (folder: string) =>
    Number(/^v(\d+)/.exec(spawnSync(join(folder, 'node'), ['--version'], { encoding: 'utf8' }).stdout ?? '')?.[1])
  return folders.find((folder) => existsSync(join(folder, 'node')) && [20, 21, 22, 23].includes(major(folder))) ?? null
}

type Ran = { code: number | null; stdout: string; stderr: string }
type Packed = { filename: string; size: number; unpackedSize: number; files: { path: string }[] }

/** Packed from a copy of the working tree, and installed into an empty project of a user with an empty home. */
describe('the npm package', { timeout: 5 * MINUTES }, () => {
  let folder: string
  let env: Record<string, string>
  let project: string
  let packed: Packed
  let shop: string

  beforeAll(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'switchyard-package-')))
    for (const name of ['home', 'temp', 'project', 'clone']) await mkdir(join(folder, name))
    project = join(folder, 'project')
    env = {
      PATH: `${node}:${process.env['PATH']}`,
      HOME: join(folder, 'home'),
      TMPDIR: join(folder, 'temp'),
      LANG: 'C.UTF-8',
      // What was downloaded before need not be again.
      npm_config_cache: process.env['npm_config_cache'] ?? join(homedir(), '.npm'),
      npm_config_update_notifier: 'false',
      ...waysToTheRegistry(),
      SWITCHYARD_HOME: join(folder, 'state'),
      SWITCHYARD_SERVER: 'embedded',
      SWITCHYARD_TEMPORAL_CLI: await provideTemporalCli({ env: process.env }),
      SWITCHYARD_USER: 'ada@example.test',
      GIT_CONFIG_NOSYSTEM: '1',
      ...Object.fromEntries(
        ['AUTHOR', 'COMMITTER'].flatMap((who) => [
          [`GIT_${who}_NAME`, 'Ada'],
          [`GIT_${who}_EMAIL`, 'ada@example.test'],
        ]),
      ),
    }
    packed = await pack(join(folder, 'clone'))
    await writeFile(join(project, 'package.json'), '{ "name": "empty", "private": true }\n')
    const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', join(folder, packed.filename)]
    const installed = await run('npm', install, project)
    if (installed.code !== 0) throw new Error(`npm install: ${installed.stderr}`)
  }, 15 * MINUTES)

  afterAll(async () => {
    if (!folder) return
    if (packed !== undefined) await switchyard(project, 'down')
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }, MINUTES)

  async function pack(clone: string): Promise<Packed> {
    const lock = createHash('sha256')
      .update(await readFile(join(root, 'package-lock.json')))
      .digest('hex')
    const stamp = await readFile(join(root, 'node_modules', '.switchyard-lock'), 'utf8').catch(() => '')
    // Otherwise the build would install into the node_modules that it shares with us.
    if (lock !== stamp) throw new Error('node_modules is not what package-lock.json says: npm run bootstrap')
    const listed = await run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], root)
    const paths = listed.stdout.split('\0').filter((one) => one !== '' && !/^(test\/|node_modules$)/.test(one))
    for (const path of paths) {
      await cp(join(root, path), join(clone, path)).catch(ignoreDeleted)
    }
    await symlink(join(root, 'node_modules'), join(clone, 'node_modules'))
    const ran = await run('npm', ['pack', '--json', '--pack-destination', folder], clone)
    if (ran.code !== 0) throw new Error(`npm pack: ${ran.stderr}`)
    return (JSON.parse(ran.stdout.slice(ran.stdout.indexOf('['))) as Packed[])[0]!
  }

  const switchyard = (cwd: string, ...args: string[]): Promise<Ran> =>
    run(join(project, 'node_modules', '.bin', 'switchyard'), args, cwd)

  function run(command: string, args: string[], cwd: string): Promise<Ran> {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
    const out = { stdout: '', stderr: '' }
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out.stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (out.stderr += text))
    return new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code) => resolve({ code, ...out }))
    })
  }

  async function git(...args: string[]): Promise<void> {
    const ran = await run('git', args, shop)
    if (ran.code !== 0) throw new Error(`git ${args.join(' ')}: ${ran.stderr}`)
  }

  test('holds what runs and nothing else, in less than a megabyte', () => {
    const paths = packed.files.map(({ path }) => path)
    const allowed =
      /^(bin\/|dist\/|docs\/|tools\/temporal\/|scripts\/bootstrap\.mjs$|(README|ARCHITECTURE)\.md$|package\.json$)/
    expect(paths.filter((path) => !allowed.test(path))).toEqual([])
    expect(paths.filter((path) => /(?<!\.d\.m)ts$|\.map$|\.test\.|fixture/.test(path))).toEqual([])
    expect(paths).toEqual(
      expect.arrayContaining([
        'bin/switchyard.mjs',
        'dist/workflows/bundle.js',
        'dist/package.json',
        'docs/schema/policy.schema.json',
        'docs/policy.md',
        'ARCHITECTURE.md',
        'tools/temporal/provision.mjs',
      ]),
    )
    expect(packed.size).toBeLessThan(1_000 * KB)
  })

  test('names no path of the machine that built it', async () => {
    const installed = join(project, 'node_modules', 'switchyard')
    for (const { path } of packed.files) {
      const text = await readFile(join(installed, path), 'utf8')
      const map = /sourceMappingURL=data:[^,]*base64,(\S+)/.exec(text)?.[1] ?? ''
      for (const part of [text, Buffer.from(map, 'base64').toString()]) {
        expect(part.includes(folder) || part.includes(root), path).toBe(false)
      }
    }
  })

  test('npx runs it: version, help and doctor', async () => {
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }
    const [said, help, doctor] = [
      await run('npx', ['--no-install', 'switchyard', '--version'], project),
      await switchyard(project, '--help'),
      await switchyard(project, 'doctor', '--json'),
    ]
    expect(said).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
    expect({ code: help.code, stderr: help.stderr }).toEqual({ code: 0, stderr: '' })
    expect(help.stdout).toContain('pr create')
    expect(JSON.parse(doctor.stdout)).toMatchObject({ checks: expect.any(Array) })
  })

  test.runIf(older !== null)('on an older Node it goes on with the newer one that the cache holds', async () => {
    const before = env
    env = { ...env, PATH: `${older}:/usr/bin:/bin`, SWITCHYARD_CACHE: cacheFolder(process.env) }
    const ran = await switchyard(project, '--version').finally(() => (env = before))
    expect(ran).toEqual({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), stderr: '' })
  })

  test('an error of the command line ends with its exit code, as from a clone', async () => {
    const ran = await switchyard(project, 'pr', 'view', 'x', '--json')
    expect(ran.code).toBe(2)
    expect(JSON.parse(ran.stderr)).toMatchObject({ error: { code: expect.any(String) } })
  })

  test('brings the workflows ready, so that a worker bundles nothing', async () => {
    const dist = join(project, 'node_modules', 'switchyard', 'dist')
    const print = 'console.log(JSON.stringify(await (await import(process.argv[1])).bundleWorkflows()))'
    const args = ['--input-type=module', '--eval', print, join(dist, 'workers', 'bundle.js')]
    const { stdout } = await run(process.execPath, args, project)
    expect(JSON.parse(stdout)).toEqual({ codePath: join(dist, 'workflows', 'bundle.js') })
  })

  test('takes a pull request from init to landed', async () => {
    shop = join(folder, 'shop')
    await mkdir(shop)
    await git('init', '--quiet', '--initial-branch=main')
    await writeFile(join(shop, '.switchyard.yaml'), 'version: 1\nchecks: { tests: { run: sh check.sh } }\n')
    await writeFile(join(shop, 'check.sh'), 'true\n')
    await git('add', '--all')
    await git('commit', '--quiet', '--message', 'Start')
    expect(await switchyard(shop, 'init')).toMatchObject({ code: 0 })
    expect(await switchyard(shop, 'up', '--detach')).toMatchObject({ code: 0 })
    const main = join(project, 'node_modules', 'switchyard', 'dist', 'client', 'main.js')
    expect(await processesWith([main, 'worker'], '')).toHaveLength(3)
    await git('switch', '--quiet', '--create', 'feature')
    await writeFile(join(shop, 'feature.txt'), 'feature\n')
    await git('add', '--all')
    await git('commit', '--quiet', '--message', 'Add a feature')
    await git('push', '--quiet', 'switchyard', 'feature')
    const landed = await switchyard(shop, 'pr', 'create', '--wait', '--json')
    expect(JSON.parse(landed.stdout)).toMatchObject({ phase: 'landed' })
    expect(landed.code).toBe(0)
    expect(await switchyard(shop, 'down')).toMatchObject({ code: 0 })
    expect(await processesWith([main], '')).toEqual([])
  })
})

function ignoreDeleted(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}

/** Where npm finds its registry from here: an npm under another Node reads another global file, and knows no proxy. */
function waysToTheRegistry(): Record<string, string> {
  const names =
    /^(npm_config_(globalconfig|registry|cafile)|node_extra_ca_certs|ssl_cert_(file|dir)|(https?|no)_proxy)$/i
  const found = Object.entries(process.env).filter(([name, value]) => names.test(name) && value !== undefined)
  return Object.fromEntries(found) as Record<string, string>
}
