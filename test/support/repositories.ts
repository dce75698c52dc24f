import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

const execute = promisify(execFile)

export type SampleCommit = {
  /** Content by path; null removes the file. */
  files: Record<string, string | Buffer | null>
  message: string
  author?: { name: string; email: string }
  /** The branch to commit on; made from `from`, or from the default branch, when it is new. */
  branch?: string
  from?: string
}

/** A working repository in a temporary folder, untouched by the configuration of whoever runs the tests. */
export type SampleRepository = {
  path: string
  gitDir: string
  commit(commit: SampleCommit): Promise<string>
  /** Makes or moves a branch, without checking it out. */
  branch(name: string, at: string): Promise<void>
  /** Merges `theirs` into `branch` with a merge commit. */
  merge(branch: string, theirs: string): Promise<string>
  sha(revision: string): Promise<string>
  git(...args: string[]): Promise<string>
  /** An empty bare repository beside this one, removed with it. */
  createBare(): Promise<string>
  remove(): Promise<void>
}

export const sampleAuthor = { name: 'Ada Sample', email: 'ada@example.test' }

/** Commits are dated from here, a minute apart, so that the same steps make the same SHAs. */
const epoch = Date.UTC(2026, 0, 1) / 1000

/** A repository with one commit on `main` that adds `README.md`. */
export async function createSampleRepository(): Promise<SampleRepository> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'switchyard-sample-')))
  const path = join(folder, 'work')
  let commits = 0
  let bares = 0

  const git = async (...args: string[]) => runGit(path, folder, epoch + commits * 60, sampleAuthor, args)

  const commit = async ({ files, message, author = sampleAuthor, branch = 'main', from = 'main' }: SampleCommit) => {
    commits += 1
    const known = await git('for-each-ref', '--format=%(refname)', `refs/heads/${branch}`)
    if (known.split('\n').includes(`refs/heads/${branch}`)) await git('switch', '--quiet', branch)
    else if (commits > 1) await git('switch', '--quiet', '--no-track', '--create', branch, from)
    for (const [name, content] of Object.entries(files)) {
      const file = join(path, name)
      if (content === null) await rm(file)
      else await mkdir(dirname(file), { recursive: true }).then(() => writeFile(file, content))
    }
    await git('add', '--all')
    const args = ['commit', '--quiet', '--allow-empty', '--message', message]
    await runGit(path, folder, epoch + commits * 60, author, args)
    return git('rev-parse', 'HEAD')
  }

  const repository: SampleRepository = {
    path,
    gitDir: join(path, '.git'),
    commit,
    git,
    branch: async (name, at) => void (await git('update-ref', `refs/heads/${name}`, at)),
    merge: async (branch, theirs) => {
      commits += 1
      await git('switch', '--quiet', branch)
      await git('merge', '--quiet', '--no-ff', '--no-edit', theirs)
      return git('rev-parse', 'HEAD')
    },
    sha: (revision) => git('rev-parse', '--verify', revision),
    createBare: async () => {
      bares += 1
      const bare = join(folder, `bare-${bares}.git`)
      await git('init', '--quiet', '--bare', '--initial-branch=main', '--template=', bare)
      return bare
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  }
  await mkdir(path)
  await git('init', '--quiet', '--initial-branch=main', '--template=')
  await commit({ files: { 'README.md': '# Sample\n' }, message: 'add a readme' })
  return repository
}

/** An empty bare repository in a temporary folder of its own. */
export async function createBare(): Promise<{ path: string; remove(): Promise<void> }> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'switchyard-bare-')))
  const path = join(folder, 'bare.git')
  await runGit(folder, folder, epoch, sampleAuthor, [
    'init',
    '--quiet',
    '--bare',
    '--initial-branch=main',
    '--template=',
    path,
  ])
  return { path, remove: () => rm(folder, { recursive: true, force: true }) }
}

type Author = { name: string; email: string }

async function runGit(cwd: string, home: string, seconds: number, author: Author, args: string[]): Promise<string> {
  const date = `@${seconds} +0000`
  const env = {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    HOME: home,
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: author.name,
    GIT_AUTHOR_EMAIL: author.email,
    GIT_AUTHOR_DATE: date,
    GIT_COMMITTER_NAME: author.name,
    GIT_COMMITTER_EMAIL: author.email,
    GIT_COMMITTER_DATE: date,
  }
  const { stdout } = await execute('git', args, { cwd, env, maxBuffer: 64 * 1024 * 1024 })
  return stdout.replace(/\n$/, '')
}
