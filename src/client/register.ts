import { existsSync } from 'node:fs'
import { readFile, realpath, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { addRepositoryToFile, findInstallation, loadInstallation, removeRepositoryFromFile } from '#config/load'
import { installationFileName } from '#config/installation-file'
import { ConfigError } from '#config/problems'
import type { CommandContext } from './context.ts'
import { CliError, usageError } from './errors.ts'
import { namesSchema, writeSchema } from './schema-file.ts'
import { currentBranch, headCommit, remotes, topLevel, userGit } from './user-git.ts'

/** The remote that `init` adds to a working copy. */
export const remoteName = 'switchyard'

/** Makes the bare repository of the local forge at `<home>/forge/<name>.git` with one branch of a repository in it. */
export type Seed = (input: {
  home: string
  name: string
  fromRepo: string
  branch: string
  /** Direct pushes to them are refused. */
  protectedBranches: string[]
}) => Promise<unknown>

/** Undoes what was made, newest first, when a later step fails. */
export type Undo = { push(step: () => Promise<unknown>): void }

export type Target = {
  top: string
  name: string
  base: string
  home: string
  /** The installation's file, also when it is still to be made. */
  file: string
  gitDir: string
  protectedBranches: string[]
  registered: boolean
  /** The forge has it, from this or an earlier registration. */
  seeded: boolean
  hasRemote: boolean
}

/** Everything that can be refused is refused here, before anything is written. */
export async function chooseTarget(
  context: CommandContext,
  cwd: string,
  wanted: { name?: string; base?: string },
): Promise<Target> {
  const run = { cwd, env: context.env }
  const top = await requireCommits(run)
  const paths = await findInstallation({ cwd, env: context.env, configFlag: context.flags.config })
  const loaded = await loadInstallation(paths)
  if (!loaded.ok) throw new ConfigError(loaded.problems)
  const here = (await remotes({ ...run, cwd: top })).get(remoteName) ?? null
  const known = await registeredAs(loaded.config.repositories, here)
  if (known && wanted.name !== undefined && wanted.name !== known.name) {
    throw usageError(
      `This repository is registered already, as ${known.name}.`,
      `Leave out --name, or: switchyard repo remove ${known.name}`,
    )
  }
  const name = known?.name ?? wanted.name ?? nameFrom(top)
  if (!/^[a-z0-9][a-z0-9._-]{0,99}$/i.test(name)) {
    throw usageError(
      `"${name}" can't be a repository's name.`,
      'Give one of letters, digits, dots, dashes and underscores with --name.',
    )
  }
  const sameName = known ?? loaded.config.repositories.find((one) => one.name.toLowerCase() === name.toLowerCase())
  const gitDir = sameName?.remote ?? join(paths.home, 'forge', `${name}.git`)
  const base = await chooseBase({ ...run, cwd: top }, wanted.base)
  const seeded = await hasBranch(bare(run.env, gitDir), base)
  if (!known && seeded && !(await sharesHistory({ ...run, cwd: top }, gitDir))) throw nameTaken(name, gitDir)
  if (here !== null && (await real(here)) !== (await real(gitDir))) throw remoteTaken(here)
  const file = paths.file ?? join(paths.home, installationFileName)
  return {
    ...{ top, name, base, home: paths.home, file, gitDir, protectedBranches: [base] },
    registered: sameName !== undefined,
    seeded,
    hasRemote: here !== null,
  }
}

/** Seeds the forge, registers the repository and adds the remote; what is there already is left as it is. */
export async function register(context: CommandContext, target: Target, seed: Seed, undo: Undo): Promise<string[]> {
  const { top, name, base, home, file, gitDir, protectedBranches } = target
  const made: string[] = []
  if (!target.registered) {
    const config = await loadInstallation({ file, home }).catch(() => null)
    const fileWasThere = config?.ok === true
    if (!target.seeded) {
      // What was there before us may hold commits of an earlier registration: it is never removed.
      if (!existsSync(gitDir)) undo.push(() => rm(gitDir, { recursive: true, force: true }))
      await seed({ home, name, fromRepo: top, branch: base, protectedBranches })
      made.push(gitDir)
    }
    undo.push(() => (fileWasThere ? removeRepositoryFromFile(file, name) : rm(file, { force: true })))
    await addRepositoryToFile(file, { name, remote: join('forge', `${name}.git`) })
    made.push(file)
    if (namesSchema(await readFile(file, 'utf8')))
      made.push(...(await writeSchema(dirname(file), 'installation', undo)))
  }
  if (!target.hasRemote) {
    const run = { cwd: top, env: context.env }
    if ((await userGit(run, 'remote', 'add', remoteName, gitDir)) === null) {
      throw new CliError(1, 'git', `git could not add the remote ${remoteName}.`, {
        hint: `Try: git remote add ${remoteName} ${gitDir}`,
      })
    }
    undo.push(() => userGit(run, 'remote', 'remove', remoteName))
    made.push(`remote ${remoteName}`)
  }
  return made
}

/** Does all or nothing. */
export async function allOrNothing<T>(act: (undo: Undo) => Promise<T>): Promise<T> {
  const steps: (() => Promise<unknown>)[] = []
  try {
    return await act({ push: (step) => void steps.push(step) })
  } catch (error) {
    for (const step of steps.reverse()) await step().catch(() => {})
    throw error
  }
}

async function requireCommits(run: { cwd: string; env: NodeJS.ProcessEnv }): Promise<string> {
  const top = await topLevel(run)
  if (!top) {
    throw new CliError(2, 'not-a-repository', `${run.cwd} is not inside a git repository.`, {
      details: { folder: run.cwd },
      hint: 'Go to your repository, or make one: git init && git add . && git commit',
    })
  }
  if ((await headCommit(run)) === null) {
    throw new CliError(2, 'empty-repository', `${top} has no commit yet: there is nothing to start from.`, {
      details: { folder: top },
      hint: "Make one: git add . && git commit -m 'Start'",
    })
  }
  return top
}

async function chooseBase(run: { cwd: string; env: NodeJS.ProcessEnv }, wanted: string | undefined): Promise<string> {
  const exists = (name: string) => hasBranch(run, name)
  if (wanted !== undefined) {
    if (await exists(wanted)) return wanted
    throw new CliError(2, 'unknown-base', `There is no branch "${wanted}" here.`, {
      details: { base: wanted },
      hint: 'See `git branch`.',
    })
  }
  for (const name of ['main', 'master']) if (await exists(name)) return name
  const current = await currentBranch(run)
  if (current) return current
  throw usageError(
    'No branch is checked out, and there is neither main nor master.',
    'Say which to land on with --base <branch>.',
  )
}

/** Named, so that git never takes a repository around it for this one. */
const bare = (env: NodeJS.ProcessEnv, gitDir: string) => ({ cwd: gitDir, env: { ...env, GIT_DIR: gitDir } })

async function hasBranch(run: { cwd: string; env: NodeJS.ProcessEnv }, name: string): Promise<boolean> {
  return (await userGit(run, 'rev-parse', '--verify', '--quiet', '--end-of-options', `refs/heads/${name}`)) !== null
}

async function registeredAs(repositories: { name: string; remote: string }[], url: string | null) {
  if (url === null) return null
  const path = await real(url)
  for (const one of repositories) if ((await real(one.remote)) === path) return one
  return null
}

const real = (url: string): Promise<string> => {
  const path = url.replace(/^file:\/\//, '')
  return realpath(path).catch(() => path)
}

/** Another clone of the same repository: its first commit is in the forge. */
async function sharesHistory(run: { cwd: string; env: NodeJS.ProcessEnv }, gitDir: string): Promise<boolean> {
  const root = (await userGit(run, 'rev-list', '--max-parents=0', 'HEAD'))?.split('\n')[0]
  return !!root && (await userGit(bare(run.env, gitDir), 'cat-file', '-e', root)) !== null
}

function nameFrom(top: string): string {
  return (
    basename(top)
      .replaceAll(/[^a-z0-9._-]+/gi, '-')
      .replace(/^[^a-z0-9]+/i, '')
      .slice(0, 100) || 'repository'
  )
}

function nameTaken(name: string, gitDir: string): CliError {
  return new CliError(2, 'name-taken', `Another repository is registered as ${name} (${gitDir}).`, {
    details: { name, remote: gitDir },
    hint: 'Give this one another name with --name.',
  })
}

function remoteTaken(url: string): CliError {
  return new CliError(2, 'remote-taken', `This repository has a remote ${remoteName} that leads elsewhere: ${url}`, {
    details: { remote: url },
    hint: `Rename it: git remote rename ${remoteName} <other name>`,
  })
}
