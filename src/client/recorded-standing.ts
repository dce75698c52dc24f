import { policyFacts } from '#config/policy'
import type { Decision } from '#domain/decision'
import { holdRule, showsHold, withHold, type Hold } from '#domain/hold'
import type { KnownPerson } from '#domain/people'
import type { Instant, Phase, PullRequest, Snapshot, SnapshotFacts, Waiting } from '#domain/pull-request'
import type { Policy } from '#domain/policy'
import { verdicts } from '#domain/reviews'
import { waitingAfter, waitingAfterEjection, type Ejection } from '#domain/waiting'
import type { Installation } from '#installation/installation'
import type { RecordedDecision } from '#ledger/port'

export type Standing = { phase: Phase; waiting: Waiting | null }

/**
 * Where a PR stood when it was decided, for when no pipeline answers: by the facts and the policy of that decision, with
 * the same words as the pipeline has.
 */
export async function recordedStanding(
  { ledger, config }: Pick<Installation, 'ledger' | 'config'>,
  pullRequest: PullRequest,
  recorded: RecordedDecision | null,
  hold: Hold | null,
): Promise<Standing> {
  if (recorded === null) {
    return { phase: 'checking', waiting: waitingForServer(pullRequest, 'its checks', pullRequest.updatedAt) }
  }
  const decision = showsHold(recorded, hold) ? recorded : { ...recorded, ...withHold(withoutHold(recorded), hold) }
  const phase = decision.outcome === 'reject' ? 'rejected' : 'waiting'
  const [snapshot, policy] = await Promise.all([
    ledger.snapshot(decision.snapshotId),
    ledger.policy(decision.policyDigest),
  ])
  if (snapshot === null || policy === null || isLifted(recorded, hold)) {
    return { phase, waiting: waitingForServer(pullRequest, 'its pipeline', decision.decidedAt) }
  }
  const facts = snapshotFacts(snapshot, policy, decision.policyDigest, config.people)
  const ejection = decision.outcome === 'approve' ? await lastEjection(ledger, pullRequest, decision) : null
  if (ejection !== null) return { phase, waiting: waitingAfterEjection(facts, ejection, ejection.at) }
  if (decision.outcome === 'approve' && policy.merge.auto !== false && !decision.dryRun) {
    return { phase: 'queued', waiting: waitingForServer(pullRequest, 'the merge queue', decision.decidedAt) }
  }
  return { phase, waiting: waitingAfter(facts, decision, decision.decidedAt) }
}

/** Nobody has decided anew since the hold was lifted. */
function isLifted(decision: Decision, hold: Hold | null): boolean {
  return hold === null && !showsHold(decision, null)
}

function withoutHold(decision: Decision): Decision {
  return { ...decision, rules: decision.rules.filter(({ rule }) => rule !== holdRule) }
}

/** That the queue ejected this head, unless somebody asked after that to have it landed or run again. */
async function lastEjection(
  ledger: Installation['ledger'],
  { repo, number, head }: PullRequest,
  { decidedAt }: RecordedDecision,
): Promise<(Ejection & { at: Instant }) | null> {
  const entries = await ledger.audit({ repo, number })
  const ejected = entries.findLast(({ action, details }) => action === 'pr.ejected' && details['head'] === head.sha)
  if (ejected === undefined || ejected.at < decidedAt) return null
  const again = entries.some(
    ({ action, details, at }) =>
      action === 'pr.commanded' &&
      at > ejected.at &&
      details['allowed'] === true &&
      ENTERS.test(String(details['command'])),
  )
  if (again) return null
  const { reason, kind } = ejected.details as Ejection
  return { reason, ...(kind ? { kind } : {}), at: ejected.at }
}

const ENTERS = /^(merge|retry)\b/

function waitingForServer({ author }: PullRequest, what: string, since: Instant): Waiting {
  const needed = `${what}: nothing answers without a server and workers`
  return { for: needed, since, until: null, who: [author], command: 'switchyard up' }
}

function snapshotFacts(snapshot: Snapshot, policy: Policy, digest: string, people: KnownPerson[]): SnapshotFacts {
  const { commits, changedPaths, reviews, head, author } = snapshot
  return {
    ...snapshot,
    ...verdicts(reviews, head.sha, author, people),
    bodyDigest: '',
    commitCount: commits.length,
    pathCount: changedPaths.length,
    merged: null,
    isolationWarning: null,
    policy: policyFacts(policy, digest, 'base', null),
  }
}
