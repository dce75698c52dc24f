import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { PolicyReader } from '#activities/policy/port'
import type { GitRepository } from '#activities/git/port'

const HEAD = /^ref: (refs\/heads\/(.+))\n?$/

/** The default branch, and what the policy there names as bases. */
export async function protectedBranches(repo: string, git: GitRepository, policies: PolicyReader): Promise<string[]> {
  const [, ref, branch] = HEAD.exec(await readFile(join(git.gitDir, 'HEAD'), 'utf8')) ?? []
  if (ref === undefined || branch === undefined) return []
  const tip = await git.resolve(ref)
  if (tip === null) return [branch]
  const { policy } = await policies.read(repo, branch, tip)
  return [...new Set([branch, ...policy.base])]
}
