import type { CheckResult } from '#domain/evidence'
import type { Ledger } from '#ledger/port'
import { withEvidence, type CheckRequest } from '../evidence.ts'
import type { GitRepository } from '../git/port.ts'
import { withHeartbeat } from '../long.ts'
import type { SecretScanner } from './port.ts'

export type SecretActivities = ReturnType<typeof createSecretActivities>

export function createSecretActivities(tools: {
  scanner: SecretScanner
  ledger: Ledger
  repository: (repo: string) => GitRepository
}) {
  return {
    /** Scans the diff and every commit of the PR: a clean tree can follow a commit that leaked. */
    async scanSecrets(request: CheckRequest): Promise<CheckResult> {
      return withEvidence(tools.ledger, request, async () => {
        const policy = await tools.ledger.policy(request.policyDigest)
        if (!policy || request.subject.kind !== 'range') {
          return { conclusion: 'infrastructure', reason: 'the policy is not in the ledger', findings: [], log: null }
        }
        const { base, head } = request.subject
        const outcome = await withHeartbeat((signal) =>
          tools.scanner.scan({
            git: tools.repository(request.repo),
            base,
            head,
            allow: policy.checks.secrets.allow,
            now: new Date().toISOString(),
            signal,
          }),
        )
        const { findings, unscanned } = outcome
        return {
          conclusion: findings.length === 0 && unscanned.length === 0 ? 'passed' : 'failed',
          reason: summary(outcome),
          findings,
          log: null,
        }
      })
    },
  }
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
  const [first] = findings
  const found =
    first === undefined
      ? `no secrets, ${scanned}`
      : `${findings.length} secret${findings.length === 1 ? '' : 's'}: ${first.message}${
          first.path === null ? '' : ` in ${first.path}`
        }${first.line === null ? '' : `:${first.line}`}${first.commit === null ? '' : ` of commit ${first.commit.slice(0, 12)}`}`
  return [found, ...notes].join('; ')
}
