import { createPolicyReader } from '#installation/policies'
import type { MergeMethod } from '#domain/policy'
import type { PullRequest } from '#domain/pull-request'
import type { Installation } from '#installation/installation'
import { usageError } from './errors.ts'

/** As `gh pr merge` has them. Here the policy chooses, and a flag can only agree. */
export type MethodFlags = { method?: MergeMethod; merge?: boolean; squash?: boolean; rebase?: boolean }

export async function requirePolicyMethod(
  installation: Installation,
  { repo, base }: Pick<PullRequest, 'repo' | 'base'>,
  flags: MethodFlags,
): Promise<void> {
  const wanted = [flags.method, ...(['merge', 'squash', 'rebase'] as const).filter((method) => flags[method])]
  const named = wanted.filter((method) => method !== undefined)
  if (named.length === 0) return
  const { policy } = await createPolicyReader(installation).read(repo, base.ref, base.sha)
  const { method } = policy.merge
  if (named.every((each) => each === method)) return
  throw usageError(
    `Into ${base.ref} of ${repo} pull requests land by ${method}, not by ${named.join(' and ')}.`,
    "The method is the policy's: `merge.method` of .switchyard.yaml. Leave the flag out.",
    { repo, method },
  )
}
