import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { appendFile, mkdir, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { checkBranchName } from '#domain/branch-name'
import type { Sha } from '#domain/pull-request'
import { resolveRef } from './refs.ts'
import { sha } from './revisions.ts'
import { GitError, runGit } from './run.ts'

/** Milliseconds. A repository of some gigabytes on a slow disk. */
const fetchTimeout = 15 * 60_000

const bareConfig = ['[gc]', '\tauto = 0', '[receive]', '\tautogc = false', '\tfsckObjects = true', ''].join('\n')

/** Makes a bare repository without hooks; one that is there already stays as it is. It appears whole or not at all. */
export async function initBareRepository(path: string, options: { defaultBranch: string }): Promise<void> {
  const target = resolve(path)
  if (existsSync(join(target, 'HEAD'))) return
  await mkdir(dirname(target), { recursive: true })
  const partial = `${target}.${randomUUID().slice(0, 8)}.partial`
  try {
    const branch = branchName(options.defaultBranch)
    await runGit({ args: ['init', '--quiet', '--bare', '--template=', `--initial-branch=${branch}`, partial] })
    await appendFile(join(partial, 'config'), bareConfig)
    await rename(partial, target)
  } catch (error) {
    if (!existsSync(join(target, 'HEAD'))) throw error
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
}

/**
 * Copies commits with all they need from one repository on this machine into another, without a ref for them there.
 * What is there already is not sent again. `checkObjects: false` is for what came through a check before.
 */
export async function fetchInto(
  gitDir: string,
  sourceGitDir: string,
  shas: Sha[],
  options: { checkObjects?: boolean; signal?: AbortSignal } = {},
): Promise<void> {
  if (shas.length === 0) return
  await fetch(gitDir, sourceGitDir, shas.map(sha), options)
}

/**
 * Seeds a bare repository with a branch of a user's repository (its top folder or its git directory), fast-forward
 * only. Its objects are not checked: old histories often break today's rules, and this one is its owner's to vouch for.
 */
export async function importBranch(bareGitDir: string, sourceRepoPath: string, branch: string): Promise<Sha> {
  const ref = `refs/heads/${branchName(branch)}`
  await fetch(bareGitDir, sourceRepoPath, [`${ref}:${ref}`], { checkObjects: false })
  const imported = await resolveRef(resolve(bareGitDir), ref)
  if (!imported) throw new GitError(['fetch'], null, `${ref} is missing after it was fetched`)
  return imported
}

async function fetch(
  gitDir: string,
  source: string,
  what: string[],
  options: { checkObjects?: boolean; signal?: AbortSignal },
): Promise<void> {
  const checks = options.checkObjects === false ? ['-c', 'fetch.fsckObjects=false'] : []
  const quietly = ['--quiet', '--no-tags', '--no-write-fetch-head', '--no-auto-maintenance', '--no-recurse-submodules']
  await runGit({
    gitDir: resolve(gitDir),
    args: [...checks, 'fetch', ...quietly, '--end-of-options', resolve(source), ...what],
    timeout: fetchTimeout,
    ...(options.signal ? { signal: options.signal } : {}),
  })
}

function branchName(name: string): string {
  const reason = checkBranchName(name)
  if (reason) throw new GitError([], null, `the branch name ${JSON.stringify(name.slice(0, 200))} ${reason}`)
  return name
}
