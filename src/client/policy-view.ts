import { parsePolicy, policyFileName } from '#config/policy'
import { ConfigError } from '#config/problems'
import type { Decision } from '#domain/decision'
import type { PolicySource } from '#domain/policy'
import type { PullRequest } from '#domain/pull-request'
import type { Installation } from '#installation/installation'
import { createPolicyReader } from '#installation/policies'

export type PolicyView = { digest: string; source: PolicySource; problem: string | null }

const MAX_BYTES = 256 * 1024

/**
 * The policy that a decision was made under, as it was then. Where nothing is decided, and for a decision of 0.1.0, which
 * does not tell it, where the policy comes from now.
 */
export async function viewPolicy(
  installation: Installation,
  { repo, base }: PullRequest,
  decision: Decision | null,
): Promise<PolicyView | null> {
  if (decision?.policy) return { digest: decision.policyDigest, ...decision.policy }
  const current = await createPolicyReader(installation)
    .read(repo, base.ref, base.sha)
    .catch(() => null)
  const digest = decision?.policyDigest ?? current?.facts.digest
  if (digest === undefined) return null
  return { digest, source: current?.facts.source ?? 'base', problem: current?.facts.problem ?? null }
}

/** The base branches that the policy on `branch` names. */
export async function policyBases(
  installation: Installation,
  repo: string,
  branch: string,
  commit: string,
): Promise<string[]> {
  return (await createPolicyReader(installation).read(repo, branch, commit)).policy.base
}

/** A new PR is not opened under a policy that its base can't express; open ones keep the last good one. */
export async function refusePolicyThatDoesNotParse(
  installation: Installation,
  repo: string,
  branch: string,
): Promise<void> {
  const repository = installation.repository(repo)
  const commit = await repository.resolve(`refs/heads/${branch}`).catch(() => null)
  const content = commit === null ? null : await repository.readFile(commit, policyFileName, MAX_BYTES)
  if (content === null) return
  const parsed = parsePolicy(content.toString('utf8'), `${branch}:${policyFileName}`)
  if (!parsed.ok) throw new ConfigError(parsed.problems)
}
