import type { PullRequestRecord } from '#activities/forge/records'
import type { Evidence } from '#domain/evidence'
import type { Policy } from '#domain/policy'
import type { Snapshot } from '#domain/pull-request'
import type { AuditEntry, Landing, RecordedDecision, RememberedAnswer } from '#ledger/port'

export const sha = (digit: number): string => String(digit % 10).repeat(40)
export const minute = (count: number): string => new Date(Date.UTC(2026, 0, 1, 0, count)).toISOString()

export function policy(changes: Partial<Policy> = {}): Policy {
  return {
    version: 1,
    base: ['main'],
    checks: {
      tests: null,
      secrets: { allow: [] },
      review: { maxFileSize: 1, forbiddenPaths: [], reviewers: [], approvals: 0 },
    },
    evidence: { maxAge: 1 },
    merge: { auto: true, method: 'squash', message: '{title}', deleteBranch: true, staleAfter: 1 },
    ...changes,
  }
}

export function snapshot(changes: Partial<Snapshot> = {}): Snapshot {
  return {
    id: 'snapshot-1',
    repo: 'shop',
    number: 1,
    title: 'Add a “basket” 🧺',
    body: "it's; -- drop table",
    author: 'ann',
    state: 'open',
    draft: false,
    labels: ['a'],
    head: { ref: 'feature', sha: sha(1) },
    base: { ref: 'main', sha: sha(2) },
    mergeBase: sha(2),
    commits: [],
    changedPaths: ['a.txt'],
    mergeable: 'clean',
    conflicts: [],
    mergeResult: { commit: sha(3), tree: sha(4) },
    reviews: [],
    policyDigest: 'p1',
    takenAt: minute(0),
    ...changes,
  }
}

export function evidence(changes: Partial<Evidence> = {}): Evidence {
  return {
    id: 'evidence-1',
    repo: 'shop',
    check: 'tests',
    subject: { kind: 'tree', tree: sha(4) },
    digest: 'd1',
    conclusion: 'passed',
    reason: 'exit code 0',
    findings: [],
    log: null,
    startedAt: minute(0),
    finishedAt: minute(1),
    workflowId: 'pr:shop#1',
    ...changes,
  }
}

export function decision(changes: Partial<RecordedDecision> = {}): RecordedDecision {
  return {
    repo: 'shop',
    number: 1,
    workflowId: 'pr:shop#1',
    outcome: 'approve',
    rules: [{ rule: 'tests', outcome: 'pass', reason: 'passed', evidence: 'evidence-1' }],
    snapshotId: 'snapshot-1',
    policyDigest: 'p1',
    decidedAt: minute(2),
    ...changes,
  }
}

export function landing(changes: Partial<Landing> = {}): Landing {
  return {
    repo: 'shop',
    branch: 'main',
    number: 1,
    head: sha(1),
    base: sha(2),
    commit: sha(5),
    tree: sha(4),
    evidenceId: 'evidence-1',
    at: minute(3),
    ...changes,
  }
}

export function auditEntry(changes: Partial<AuditEntry> = {}): AuditEntry {
  return {
    key: 'created:1',
    at: minute(0),
    actor: 'ann@example.com',
    action: 'pr.created',
    repo: 'shop',
    number: 1,
    snapshotId: null,
    details: { title: 'x', draft: false, count: 1, nothing: null },
    ...changes,
  }
}

export function rememberedAnswer(changes: Partial<RememberedAnswer> = {}): RememberedAnswer {
  return {
    ...{ id: 'answer-1', clarification: 'ask:1', scope: 'repository', repo: 'shop', title: 'Which colour?' },
    ...{ context: 'theme', value: 'red', by: ['ann', 'ben'], comment: "it's; --", at: minute(1) },
    ...changes,
  }
}

export function openedRecord(repo: string, head: string): Omit<PullRequestRecord, 'number'> {
  return {
    ...{ repo, title: 'x', body: '', author: 'ann', state: 'open', draft: false, labels: [], merged: null },
    ...{ head: { ref: head, sha: sha(1) }, base: { ref: 'main', sha: sha(2) } },
    ...{ createdAt: minute(0), updatedAt: minute(0) },
  }
}
