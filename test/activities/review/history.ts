import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { openRepository } from '#activities/git/repository'
import type { GitRepository } from '#activities/git/port'
import type { Sha } from '#domain/pull-request'

const execute = promisify(execFile)

type Files = Record<string, string | Buffer | null>

/** A real repository whose commits a test writes file by file. `null` removes a file. */
export type History = {
  git: GitRepository
  commit(files: Files): Promise<Sha>
  run(...args: string[]): Promise<string>
  /** Ends a merge that stopped, with these files as its result. */
  merge(other: Sha, files?: Files): Promise<Sha>
  remove(): Promise<void>
}

export async function createHistory(): Promise<History> {
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-history-'))
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: 'Ada',
    GIT_AUTHOR_EMAIL: 'ada@example.com',
    GIT_COMMITTER_NAME: 'Ada',
    GIT_COMMITTER_EMAIL: 'ada@example.com',
  }
  const run = async (...args: string[]): Promise<string> => {
    const { stdout } = await execute('git', args, { cwd: folder, env, maxBuffer: 64 * 1024 * 1024 })
    return stdout.trim()
  }
  const write = async (files: Files): Promise<void> => {
    for (const [path, content] of Object.entries(files)) {
      if (content === null) {
        await rm(join(folder, path))
        continue
      }
      await mkdir(dirname(join(folder, path)), { recursive: true })
      await writeFile(join(folder, path), content)
    }
  }
  const seal = async (): Promise<Sha> => {
    await run('add', '-A')
    await run('commit', '-q', '--allow-empty', '-m', 'change')
    return run('rev-parse', 'HEAD')
  }
  await run('init', '-q', '-b', 'main')
  return {
    git: openRepository(join(folder, '.git')),
    run,
    async commit(files) {
      await write(files)
      return seal()
    },
    async merge(other, files = {}) {
      await run('merge', '-q', '--no-ff', '--no-commit', other).catch(() => undefined)
      await write(files)
      return seal()
    },
    remove: () => rm(folder, { recursive: true, force: true, maxRetries: 3 }),
  }
}
