import type { Policy, PolicyFacts } from '#domain/policy'
import type { Sha } from '#domain/pull-request'
import type { ProposedPolicy } from '#domain/rules/facts'
import type { RuleTools } from '#domain/rules/resolve'

/** Reads the policy that applies to PRs into a base branch; the PR's own copy of the file never counts. */
export interface PolicyReader {
  /**
   * The policy at a commit of the base branch. A file there that does not parse gives the last good one with
   * `facts.problem` set; no file gives the one from `init`.
   */
  read(repo: string, branch: string, commit: Sha): Promise<{ policy: Policy; facts: PolicyFacts }>
  /** The policy file as a commit has it, where it is one of the changed paths; null where it is not. Never applied. */
  proposed(repo: string, changedPaths: string[], commit: Sha): Promise<ProposedPolicy | null>
  /** What the rules of policies are evaluated with. */
  readonly ruleTools: RuleTools
}
