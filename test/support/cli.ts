import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cacheFolder, provideTemporalCli } from '../../tools/temporal/provision.mjs'

const main = fileURLToPath(new URL('../../src/client/main.ts', import.meta.url))
const LIMIT_MS = 90_000

export type Ran = { code: number | null; stdout: string; stderr: string; json(): Record<string, unknown> }

/** A user at a fresh machine: an empty HOME, a folder for working copies, and the real command line. */
export type CliWorld = {
  folder: string
  home: string
  temp: string
  env: Record<string, string>
  switchyard(cwd: string, ...args: string[]): Promise<Ran>
  git(cwd: string, ...args: string[]): Promise<Ran>
  remove(): Promise<void>
}

export async function createCliWorld(): Promise<CliWorld> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'switchyard-cli-')))
  const [home, temp] = [join(folder, 'state'), join(folder, 'temp')]
  for (const each of ['home', 'temp']) await mkdir(join(folder, each))
  const env = {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    HOME: join(folder, 'home'),
    TMPDIR: temp,
    LANG: 'C.UTF-8',
    SWITCHYARD_HOME: home,
    SWITCHYARD_SERVER: 'embedded',
    // HOME is empty, and with it the cache: a user's first start would make the CLI, for minutes, and each of its
    // workers would bundle the workflows.
    SWITCHYARD_CACHE: cacheFolder(process.env),
    SWITCHYARD_TEMPORAL_CLI: await provideTemporalCli({ env: process.env }),
    GIT_CONFIG_NOSYSTEM: '1',
    ...Object.fromEntries(
      ['AUTHOR', 'COMMITTER'].flatMap((who) => [
        [`GIT_${who}_NAME`, 'Ada'],
        [`GIT_${who}_EMAIL`, 'ada@example.test'],
      ]),
    ),
    SWITCHYARD_USER: 'ada@example.test',
  }
  return {
    ...{ folder, home, temp, env },
    switchyard: (cwd, ...args) => run(process.execPath, [main, ...args], cwd, env),
    git: (cwd, ...args) => run('git', args, cwd, env),
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

function run(command: string, args: string[], cwd: string, env: Record<string, string>): Promise<Ran> {
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const out = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (out.stderr += text))
  const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      clearTimeout(timer)
      resolve({ code, ...out, json: () => JSON.parse(out.stdout) as Record<string, unknown> })
    })
  })
}

/** The processes whose arguments and environment, of those that can be read, hold all of these. */
export async function processesWith(args: string[], environment: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const matching = await Promise.all(
    pids.map(async (pid) => {
      const read = (name: string) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '')
      const given = (await read('cmdline')).split('\0')
      if (!args.every((arg) => given.includes(arg))) return false
      return environment === '' || (await read('environ')).split('\0').includes(environment)
    }),
  )
  return pids.filter((_, index) => matching[index]).map(Number)
}
