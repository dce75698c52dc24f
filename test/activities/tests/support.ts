import { execFileSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createFileLogStore } from '#activities/logs/files'
import type { CommandOutcome, CommandRun, CommandRunner } from '#activities/tests/port'
import { createCommandRunner, type CommandRunnerOptions } from '#activities/tests/runner'
import type { CommandPolicy } from '#domain/policy'

export type Files = Record<string, string | { link: string } | { executable: string }>

/** A folder with a bare repository, a state folder beside it, and runners on both. */
export type Fixture = {
  root: string
  home: string
  gitDir: string
  /** A commit of exactly these files. */
  commit(files: Files): Promise<string>
  /** The same with a submodule, whose commit nobody has. */
  withSubmodule(commit: string, path: string): Promise<string>
  runner(options?: Partial<CommandRunnerOptions>): CommandRunner
  run(
    runner: CommandRunner,
    commit: string,
    policy: Partial<CommandPolicy>,
    rest?: Partial<CommandRun>,
  ): Promise<Outcome>
  remove(): Promise<void>
}

export type Outcome = CommandOutcome & { text: string }

const policyDefaults: CommandPolicy = {
  run: 'true',
  setup: null,
  keep: null,
  timeout: 20_000,
  retries: 0,
  network: false,
  env: [],
}

let runs = 0

export async function createFixture(): Promise<Fixture> {
  const root = await mkdtemp(join(tmpdir(), 'switchyard-tests-'))
  const home = join(root, 'home')
  const gitDir = join(root, 'shop.git')
  const work = join(root, 'work')
  await mkdir(work)
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.org', ...args], {
      cwd: work,
      encoding: 'utf8',
    })
  git('init', '-q', '--bare', gitDir)
  git('init', '-q')

  async function commit(files: Files): Promise<string> {
    git('rm', '-rfq', '--ignore-unmatch', '.')
    for (const [name, content] of Object.entries(files)) await writeEntry(join(work, name), content)
    git('add', '-Af')
    git('commit', '-qm', 'a commit', '--allow-empty')
    git('push', '-q', gitDir, 'HEAD:refs/heads/main', '--force')
    return git('rev-parse', 'HEAD').trim()
  }

  async function withSubmodule(commit: string, path: string): Promise<string> {
    git('reset', '-q', '--hard', commit)
    git('update-index', '--add', '--cacheinfo', `160000,${'5'.repeat(40)},${path}`)
    git('commit', '-qm', 'a submodule')
    git('push', '-q', gitDir, 'HEAD:refs/heads/main', '--force')
    return git('rev-parse', 'HEAD').trim()
  }

  function runner(options: Partial<CommandRunnerOptions> = {}): CommandRunner {
    const logs = createFileLogStore(join(home, 'logs'))
    return createCommandRunner({ home, isolation: 'required', logs, env: process.env, graceMs: 200, ...options })
  }

  async function run(
    by: CommandRunner,
    sha: string,
    policy: Partial<CommandPolicy>,
    rest: Partial<CommandRun> = {},
  ): Promise<Outcome> {
    const outcome = await by.run({
      repo: 'shop',
      gitDir,
      commit: sha,
      trusted: sha,
      policy: { ...policyDefaults, ...policy },
      stdin: null,
      env: {},
      logName: `run-${(runs += 1)}`,
      signal: new AbortController().signal,
      onStage: () => {},
      ...rest,
    })
    const text = await readFile(join(home, 'logs', outcome.log.uri.slice('log:'.length)), 'utf8')
    return { ...outcome, text }
  }

  return {
    root,
    home,
    gitDir,
    commit,
    withSubmodule,
    runner,
    run,
    remove: () => rm(root, { recursive: true, force: true }),
  }
}

async function writeEntry(path: string, content: Files[string]): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  if (content === undefined) return
  if (typeof content === 'string') return writeFile(path, content)
  if ('link' in content) return symlink(content.link, path)
  await writeFile(path, content.executable)
  await chmod(path, 0o755)
}

/** Polls until it is true; fails after ten seconds. */
export async function eventually(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const until = performance.now() + 10_000
  while (!(await condition())) {
    if (performance.now() > until) throw new Error(`not in time: ${what}`)
    await new Promise((done) => setTimeout(done, 20))
  }
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Processes of this machine whose command line has `mark`. */
export function processesWith(mark: string): string[] {
  const lines = execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' }).split('\n')
  return lines.filter((line) => line.includes(mark) && !line.includes('ps -eo'))
}
