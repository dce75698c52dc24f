import type { Policy, PolicyFacts } from '#domain/policy'
import type { Sha } from '#domain/pull-request'

/** Reads the policy that applies to PRs into a base branch; the PR's own copy of the file never counts. */
export interface PolicyReader {
  /**
   * The policy at a commit of the base branch. A file there that does not parse gives the last good one with
   * `facts.problem` set; no file gives the one from `init`.
   */
  read(repo: string, branch: string, commit: Sha): Promise<{ policy: Policy; facts: PolicyFacts }>
}
