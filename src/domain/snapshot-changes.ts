import type { SnapshotFacts } from './pull-request.ts'
import { rulesKey } from './rules/resolved.ts'

export type SnapshotChange =
  'state' | 'head' | 'base-branch' | 'policy' | 'mergeable' | 'draft' | 'reviews' | 'title' | 'body' | 'rules'

/**
 * What differs between two looks at a PR that can change its decision. A base that only moved is no change: the queue
 * tests on the base of the moment anyway, and a hundred landings must not re-test every open PR.
 */
export function snapshotChanges(before: SnapshotFacts, after: SnapshotFacts): SnapshotChange[] {
  const differs: Record<SnapshotChange, boolean> = {
    state: before.state !== after.state,
    head: before.head.sha !== after.head.sha,
    'base-branch': before.base.ref !== after.base.ref,
    policy: before.policy.digest !== after.policy.digest || before.policy.problem !== after.policy.problem,
    mergeable: before.mergeable !== after.mergeable,
    draft: before.draft !== after.draft,
    reviews: !same(before.approvedBy, after.approvedBy) || !same(before.changesRequestedBy, after.changesRequestedBy),
    title: before.title !== after.title,
    body: before.bodyDigest !== after.bodyDigest,
    rules: rulesFacts(before) !== rulesFacts(after),
  }
  return (Object.keys(differs) as SnapshotChange[]).filter((change) => differs[change])
}

/** Labels, paths, groups and approvals as far as the policy asks for them. */
function rulesFacts({ rules = [], approvals, policyChange }: SnapshotFacts): string {
  return rulesKey(rules) + JSON.stringify([approvals, policyChange])
}

/** Whether what was tested is no longer what the PR is: running checks are stopped. */
export function voidsChecks(changes: SnapshotChange[]): boolean {
  return changes.some(
    (change) => change === 'state' || change === 'head' || change === 'base-branch' || change === 'policy',
  )
}

function same(a: string[], b: string[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index])
}
