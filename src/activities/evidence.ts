import { createHash } from 'node:crypto'
import { activityInfo, type Context } from '@temporalio/activity'
import { evidenceKey, isReusable, type CheckResult, type Evidence, type Subject } from '#domain/evidence'
import type { PlannedCheck } from '#domain/policy'
import type { Ledger } from '#ledger/port'

/** How many findings, and failed tests, travel through history; the rest is in the ledger. */
const MAX_FINDINGS = 20

export type CheckRequest = {
  repo: string
  number: number
  check: PlannedCheck
  subject: Subject
  policyDigest: string
  /** Milliseconds. */
  evidenceMaxAge: number
}

export type CheckFindings = Pick<Evidence, 'conclusion' | 'reason' | 'findings' | 'log' | 'tests'>

/**
 * Answers a check from the ledger where a pass for the same subject, digest and surroundings is there, or this very execution
 * was recorded by an earlier attempt; otherwise runs it and records it before it is acknowledged.
 */
export async function withEvidence(
  ledger: Ledger,
  request: CheckRequest,
  run: () => Promise<CheckFindings>,
  { surroundings = null, now = () => new Date() }: { surroundings?: string | null; now?: () => Date } = {},
): Promise<CheckResult> {
  const { repo, number, check, subject } = request
  const id = executionId()
  const key = evidenceKey({ digest: check.digest, surroundings })
  const earlier = (await ledger.evidence(id)) ?? (await ledger.findPass(repo, check.name, subject, key))
  if (earlier && (earlier.id === id || isReusable(earlier, now().toISOString(), request.evidenceMaxAge))) {
    return toResult(earlier, true)
  }
  const startedAt = now().toISOString()
  const found = await run()
  const evidence: Evidence = {
    id,
    repo,
    number,
    check: check.name,
    subject,
    digest: check.digest,
    surroundings,
    ...found,
    startedAt,
    finishedAt: now().toISOString(),
    workflowId: activityInfo().workflowExecution?.workflowId ?? '',
  }
  await ledger.saveEvidence(evidence)
  return toResult(evidence, false)
}

/** The same for every attempt of one activity execution, different for each execution. */
export function executionId(): string {
  const { workflowExecution, activityId, activityType } = activityInfo() as Context['info']
  const key = [workflowExecution?.workflowId, workflowExecution?.runId, activityType, activityId].join('\n')
  return createHash('sha256').update(key).digest('hex').slice(0, 32)
}

/** What the log of a check is called: by its PR it is found while it runs, when nothing in the ledger names it yet. */
export function checkLogName({ repo, number, check }: CheckRequest): string {
  return `${repo}.${number}.${check.name}-${executionId()}`
}

function toResult(evidence: Evidence, reused: boolean): CheckResult {
  const { repo: _repo, number: _number, workflowId: _workflowId, findings, tests, ...rest } = evidence
  return {
    ...rest,
    findings: findings.slice(0, MAX_FINDINGS),
    findingsTotal: findings.length,
    ...(tests ? { tests: { ...tests, failures: tests.failures.slice(0, MAX_FINDINGS) } } : {}),
    reused,
  }
}
