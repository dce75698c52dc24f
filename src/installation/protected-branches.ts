import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { installHooks } from '#activities/forge/hook'
import type { GitRepository } from '#activities/git/port'
import type { PolicyReader } from '#activities/policy/port'
import type { Policy } from '#domain/policy'

const HEAD = /^ref: refs\/heads\/(.+)\n?$/

/** The default branch, and what the policy there names as bases. */
export async function protectedBranches(repo: string, git: GitRepository, policies: PolicyReader): Promise<string[]> {
  const branch = await defaultBranch(git)
  if (branch === null) return []
  const tip = await git.resolve(`refs/heads/${branch}`)
  if (tip === null) return [branch]
  const { policy } = await policies.read(repo, branch, tip)
  return [...new Set([branch, ...policy.base])]
}

/** The forge's hooks have the protected branches baked in: a new policy on the default branch writes them anew. */
export function protectByPolicy(repository: (repo: string) => GitRepository) {
  return async (repo: string, branch: string, policy: Policy): Promise<void> => {
    const git = repository(repo)
    if (branch !== (await defaultBranch(git))) return
    await installHooks(git.gitDir, { repo, protectedBranches: [...new Set([branch, ...policy.base])] })
  }
}

async function defaultBranch(git: GitRepository): Promise<string | null> {
  return HEAD.exec(await readFile(join(git.gitDir, 'HEAD'), 'utf8'))?.[1] ?? null
}
