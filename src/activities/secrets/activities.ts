import { activityInfo } from '@temporalio/activity'
import type { CheckResult, Finding } from '#domain/evidence'
import type { Ledger } from '#ledger/port'
import { executionId, withEvidence, type CheckFindings, type CheckRequest } from '../evidence.ts'
import type { GitRepository } from '../git/port.ts'
import { withHeartbeat } from '../long.ts'
import type { SecretScanner } from './port.ts'

export type SecretActivities = ReturnType<typeof createSecretActivities>

export type SecretTools = { scanner: SecretScanner; ledger: Ledger; repository: (repo: string) => GitRepository }

/** `snapshotId`: whose title and body are scanned. */
export type SecretRequest = CheckRequest & { snapshotId: string }

/** How many findings travel through history; the ledger has those of the commits under their own evidence. */
const maxFindings = 20

export function createSecretActivities(tools: SecretTools) {
  return {
    /**
     * Scans the diff and every commit of the PR: a clean tree can follow a commit that leaked. Title and body, which
     * may land as a commit's message, are not of the commits that the evidence is about: they are scanned each time.
     */
    async scanSecrets(request: SecretRequest): Promise<CheckResult> {
      const ofRange = await withEvidence(tools.ledger, request, () => scanRange(tools, request))
      return withDescription(tools, request, ofRange)
    },
  }
}

async function scanRange({ ledger, scanner, repository }: SecretTools, request: SecretRequest): Promise<CheckFindings> {
  const policy = await ledger.policy(request.policyDigest)
  if (!policy || request.subject.kind !== 'range') {
    return { conclusion: 'infrastructure', reason: 'the policy is not in the ledger', findings: [], log: null }
  }
  const { base, head } = request.subject
  const { allow } = policy.checks.secrets
  const outcome = await withHeartbeat((signal) =>
    scanner.scan({ git: repository(request.repo), base, head, allow, now: new Date().toISOString(), signal }),
  )
  const { findings, unscanned } = outcome
  const conclusion = findings.length === 0 && unscanned.length === 0 ? 'passed' : 'failed'
  return { conclusion, reason: summary(outcome), findings, log: null }
}

/** A secret in title or body fails the check whatever the commits' evidence says, and is evidence of its own. */
async function withDescription(tools: SecretTools, request: SecretRequest, ofRange: CheckResult): Promise<CheckResult> {
  if (ofRange.conclusion !== 'passed' && ofRange.conclusion !== 'failed') return ofRange
  const { ledger, scanner } = tools
  const startedAt = new Date().toISOString()
  const [policy, snapshot] = await Promise.all([
    ledger.policy(request.policyDigest),
    ledger.snapshot(request.snapshotId),
  ])
  if (!policy || !snapshot) {
    const missing = policy ? 'snapshot' : 'policy'
    return { ...ofRange, conclusion: 'infrastructure', reason: `the ${missing} is not in the ledger` }
  }
  const texts = [
    { name: 'title', text: snapshot.title },
    { name: 'body', text: snapshot.body },
  ]
  const { allow } = policy.checks.secrets
  const { findings } = await withHeartbeat((signal) => scanner.scanTexts({ texts, allow, now: startedAt, signal }))
  if (findings.length === 0) return ofRange
  const failed = {
    ...ofRange,
    id: `${executionId()}-description`,
    conclusion: 'failed' as const,
    reason: ofRange.conclusion === 'passed' ? found(findings) : `${found(findings)}; ${ofRange.reason}`,
    findings: [...findings, ...ofRange.findings].slice(0, maxFindings),
    startedAt,
    finishedAt: new Date().toISOString(),
  }
  const { findingsTotal, reused: _, ...evidence } = failed
  const workflowId = activityInfo().workflowExecution?.workflowId ?? ''
  await ledger.saveEvidence({ ...evidence, repo: request.repo, workflowId })
  return { ...failed, findingsTotal: findings.length + findingsTotal, reused: false }
}

function found(findings: Finding[]): string {
  const [first] = findings
  if (first === undefined) return ''
  const path = first.path === null ? '' : ` in ${first.path}`
  const line = first.line === null ? '' : `:${first.line}`
  const commit = first.commit === null ? '' : ` of commit ${first.commit.slice(0, 12)}`
  return `${findings.length} secret${findings.length === 1 ? '' : 's'}: ${first.message}${path}${line}${commit}`
}

const remedy =
  'split the pull request, keep large files out of git, or allow "<path>:unscanned" in the policy of the base'

function summary({
  findings,
  commits,
  expired,
  allowed,
  unscanned,
  notes: scanNotes,
}: Awaited<ReturnType<SecretScanner['scan']>>): string {
  const notes = [
    unscanned.length > 0 ? `too large to scan: ${unscanned.join(', ')}; ${remedy}` : '',
    allowed > 0 ? `${allowed} allowed by the policy` : '',
    ...expired.map((entry) => `the allowance "${entry.reason}" ended ${entry.until}`),
    ...scanNotes,
  ].filter(Boolean)
  const scanned = `${commits} commit${commits === 1 ? '' : 's'} scanned`
  if (findings.length > 0) notes.unshift(found(findings))
  else if (unscanned.length === 0) notes.unshift(`no secrets, ${scanned}`)
  return notes.join('; ')
}
