import type { PullRequestStatus } from '#contracts/pull-request'
import type { Evidence } from '#domain/evidence'
import type { PullRequest, Snapshot } from '#domain/pull-request'
import type { RecordedDecision } from '#ledger/port'

export const HEAD = 'a'.repeat(40)
export const BASE = 'b'.repeat(40)
export const TREE = 'c'.repeat(40)
export const LANDED = 'd'.repeat(40)
export const NOW = '2026-01-02T03:04:05.000Z'

export function pullRequest(changes: Partial<PullRequest> = {}): PullRequest {
  return {
    repo: 'shop',
    number: 1,
    title: 'Add a total',
    body: '',
    author: 'ann@example.org',
    state: 'open',
    draft: false,
    labels: [],
    head: { ref: 'feature', sha: HEAD },
    base: { ref: 'main', sha: BASE },
    mergeable: 'clean',
    reviews: [],
    newestComment: null,
    merged: null,
    createdAt: NOW,
    updatedAt: NOW,
    ...changes,
  }
}

export function decision(changes: Partial<RecordedDecision> = {}): RecordedDecision {
  return {
    repo: 'shop',
    number: 1,
    workflowId: 'pr:shop#1',
    outcome: 'reject',
    rules: [
      { rule: 'not-draft', outcome: 'pass', reason: 'ready for review', evidence: null },
      { rule: 'tests', outcome: 'fail', reason: 'exit code 1', evidence: 'evidence-1' },
    ],
    snapshotId: 'snapshot-1',
    policyDigest: 'policy-1',
    decidedAt: NOW,
    ...changes,
  }
}

export function status(changes: Partial<PullRequestStatus> = {}): PullRequestStatus {
  const { repo, number, title, state, head, base } = pullRequest()
  return {
    ...{ repo, number, title, state, head, base },
    phase: 'rejected',
    checks: [{ name: 'tests', state: 'failed', reason: 'exit code 1', duration: 1200 }],
    decision: decision(),
    waiting: {
      for: 'tests: exit code 1',
      since: NOW,
      until: '2026-02-01T03:04:05.000Z',
      who: ['ann@example.org'],
      command: 'git push <remote> feature',
    },
    merged: null,
    resting: true,
    ...changes,
  }
}

export function evidence(changes: Partial<Evidence> = {}): Evidence {
  return {
    id: 'evidence-1',
    repo: 'shop',
    check: 'tests',
    subject: { kind: 'tree', tree: TREE },
    digest: 'check-1',
    conclusion: 'failed',
    reason: 'exit code 1',
    findings: [],
    log: { uri: 'log:tests-1', sha256: '0', bytes: 4, tail: 'tail' },
    startedAt: NOW,
    finishedAt: NOW,
    workflowId: 'pr:shop#1',
    ...changes,
  }
}

/** As the server describes it; `state` is temporal.api.enums.v1.PendingActivityState. */
export function pendingActivity(name: string, role: string, state: 1 | 2, changes: object = {}): object {
  return {
    activityType: { name },
    activityOptions: { taskQueue: { name: role } },
    state,
    attempt: 1,
    lastFailure: null,
    ...changes,
  }
}

export function snapshot({ repo, number, title, author, head, base, reviews } = pullRequest()): Snapshot {
  return {
    ...{ id: 'snapshot-1', repo, number, title, body: '', author, state: 'open', draft: false, labels: [] },
    ...{ head, base, mergeBase: BASE, commits: [], changedPaths: [], mergeable: 'clean', conflicts: [] },
    ...{ mergeResult: null, reviews, policyDigest: 'policy-1', takenAt: NOW },
  }
}
