import type { CheckResult } from '#domain/evidence'
import type { QueueEntry } from '#domain/merge-queue'
import type { PlannedCheck, PolicyFacts } from '#domain/policy'
import type { Review, SnapshotFacts } from '#domain/pull-request'

/** A SHA that a test can tell apart by its letter. */
export function sha(letter: string): string {
  return letter.repeat(40)
}

export const now = '2026-03-01T12:00:00.000Z'

export function plannedCheck(name: PlannedCheck['name'], change: Partial<PlannedCheck> = {}): PlannedCheck {
  return { name, digest: `digest of ${name}`, timeout: 60_000, retries: 1, ...change }
}

export function policyFacts(change: Partial<PolicyFacts> = {}): PolicyFacts {
  return {
    digest: 'policy 1',
    source: 'base',
    problem: null,
    checks: [plannedCheck('tests'), plannedCheck('secrets'), plannedCheck('review')],
    merge: { auto: true, method: 'squash', message: '{title} (#{number})', deleteBranch: true, staleAfter: 86_400_000 },
    approvals: 0,
    evidenceMaxAge: 7 * 86_400_000,
    ...change,
  }
}

/** A PR that nothing speaks against. */
export function snapshotFacts(change: Partial<SnapshotFacts> = {}): SnapshotFacts {
  return {
    id: 'snapshot 1',
    repo: 'shop',
    number: 7,
    title: 'Add a basket',
    author: 'ann',
    state: 'open',
    draft: false,
    head: { ref: 'basket', sha: sha('a') },
    base: { ref: 'main', sha: sha('b') },
    mergeBase: sha('b'),
    mergeable: 'clean',
    mergeResult: { commit: sha('c'), tree: sha('d') },
    takenAt: now,
    conflicts: [],
    commitCount: 1,
    pathCount: 1,
    approvedBy: [],
    changesRequestedBy: [],
    merged: null,
    isolationWarning: null,
    bodyDigest: 'd'.repeat(64),
    policy: policyFacts(),
    ...change,
  }
}

export function checkResult(check: CheckResult['check'], change: Partial<CheckResult> = {}): CheckResult {
  return {
    id: `evidence of ${check}`,
    check,
    subject: check === 'tests' ? { kind: 'tree', tree: sha('d') } : { kind: 'range', base: sha('b'), head: sha('a') },
    digest: `digest of ${check}`,
    conclusion: 'passed',
    reason: `${check} passed`,
    findings: [],
    log: null,
    startedAt: now,
    finishedAt: now,
    findingsTotal: 0,
    reused: false,
    ...change,
  }
}

export const green = { tests: checkResult('tests'), secrets: checkResult('secrets'), review: checkResult('review') }

export function review(author: string, state: Review['state'], change: Partial<Review> = {}): Review {
  return { author, state, head: sha('a'), body: '', at: now, ...change }
}

export function queueEntry(number: number, head: string = sha('a'), change: Partial<QueueEntry> = {}): QueueEntry {
  return {
    number,
    head,
    title: `PR ${number}`,
    snapshotId: `snapshot of ${number}`,
    policyDigest: 'policy 1',
    checks: [plannedCheck('tests')],
    evidenceMaxAge: 86_400_000,
    enqueuedAt: now,
    enqueuedBy: 'ann',
    ...change,
  }
}
