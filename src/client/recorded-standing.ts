import { policyFacts } from '#config/policy'
import type { Instant, Phase, PullRequest, Snapshot, SnapshotFacts, Waiting } from '#domain/pull-request'
import type { Policy } from '#domain/policy'
import { verdicts } from '#domain/reviews'
import { waitingAfter } from '#domain/waiting'
import type { Installation } from '#installation/installation'
import type { RecordedDecision } from '#ledger/port'

export type Standing = { phase: Phase; waiting: Waiting | null }

/**
 * Where a PR stood when it was decided, for when no pipeline answers: by the facts and the policy of that decision, with
 * the same words as the pipeline has.
 */
export async function recordedStanding(
  { ledger }: Pick<Installation, 'ledger'>,
  pullRequest: PullRequest,
  decision: RecordedDecision | null,
): Promise<Standing> {
  if (decision === null) {
    return { phase: 'checking', waiting: waitingForServer(pullRequest, 'its checks', pullRequest.updatedAt) }
  }
  const phase = decision.outcome === 'reject' ? 'rejected' : 'waiting'
  const [snapshot, policy] = await Promise.all([
    ledger.snapshot(decision.snapshotId),
    ledger.policy(decision.policyDigest),
  ])
  if (decision.outcome === 'approve' && policy?.merge.auto !== false) {
    return { phase: 'queued', waiting: waitingForServer(pullRequest, 'the merge queue', decision.decidedAt) }
  }
  if (snapshot === null || policy === null) {
    return { phase, waiting: waitingForServer(pullRequest, 'its pipeline', decision.decidedAt) }
  }
  const facts = snapshotFacts(snapshot, policy, decision.policyDigest)
  return { phase, waiting: waitingAfter(facts, decision, decision.decidedAt) }
}

function waitingForServer({ author }: PullRequest, what: string, since: Instant): Waiting {
  const needed = `${what}: nothing answers without a server and workers`
  return { for: needed, since, until: null, who: [author], command: 'switchyard up' }
}

function snapshotFacts(snapshot: Snapshot, policy: Policy, digest: string): SnapshotFacts {
  const { commits, changedPaths, reviews, head, author } = snapshot
  return {
    ...snapshot,
    ...verdicts(reviews, head.sha, author),
    bodyDigest: '',
    commitCount: commits.length,
    pathCount: changedPaths.length,
    merged: null,
    isolationWarning: null,
    policy: policyFacts(policy, digest, 'base', null),
  }
}
