import type { KnownPerson } from '../people.ts'
import { commandsOf, type Policy } from '../policy.ts'
import type { Snapshot, SnapshotFacts } from '../pull-request.ts'
import { verdicts } from '../reviews.ts'
import { conditionsOfRules } from './condition.ts'
import { resolveApprovals, resolveRules, type RuleTools } from './resolve.ts'

/** What the policy file of a PR would be, once it has landed. */
export type ProposedPolicy = { digest: string | null; problem: string | null }

type Facts = Pick<SnapshotFacts, 'approvedBy' | 'changesRequestedBy' | 'rules' | 'approvals' | 'policyChange'>

/** Whether somebody has to count the lines that a PR changes. */
export function asksForLines(policy: Pick<Policy, 'rules'>): boolean {
  return conditionsOfRules(policy.rules ?? []).some((each) => each.kind === 'size' && each.lines !== null)
}

/** What a policy asks of a snapshot, answered as far as a snapshot can; `proposed` where the PR changes the policy. */
export function policyFactsOf(
  policy: Policy,
  snapshot: Snapshot,
  given: { people: KnownPerson[]; lines: number | null; proposed: ProposedPolicy | null; tools: RuleTools },
): Facts {
  const { people, lines, proposed, tools } = given
  const reviewed = verdicts(snapshot.reviews, snapshot.head.sha, snapshot.author, people)
  const { author, labels, base, changedPaths, takenAt: now } = snapshot
  const { approvedBy } = reviewed
  const checks = [...commandsOf(policy).keys(), 'secrets', 'review']
  const subject = { author, labels, base: base.ref, changedPaths, lines, approvedBy, checks, people, now }
  const { approvals, approvers } = policy.checks.review
  return {
    ...reviewed,
    ...(policy.rules ? { rules: resolveRules(policy.rules, subject, tools) } : {}),
    ...(approvers ? { approvals: resolveApprovals({ count: approvals, from: approvers }, subject) } : {}),
    ...(proposed
      ? {
          policyChange: {
            ...proposed,
            approvals: resolveApprovals(policy.policyChange ?? { count: 0, from: null }, subject),
          },
        }
      : {}),
  }
}
