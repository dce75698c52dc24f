import type { CheckResult } from '#domain/evidence'
import type { Sha } from '#domain/pull-request'
import type { Ledger } from '#ledger/port'
import { executionId, withEvidence, type CheckRequest } from '../evidence.ts'
import type { GitRepository } from '../git/port.ts'
import { attemptName, withHeartbeat } from '../long.ts'
import type { Reviewer } from './port.ts'

export type ReviewRequest = CheckRequest & { base: Sha }

export type ReviewActivities = ReturnType<typeof createReviewActivities>

export function createReviewActivities(tools: {
  reviewer: Reviewer
  ledger: Ledger
  repository: (repo: string) => GitRepository
}) {
  return {
    /** Conflict markers, sizes, forbidden paths and the policy's own reviewers. */
    async reviewChange(request: ReviewRequest): Promise<CheckResult> {
      return withEvidence(tools.ledger, request, async () => {
        const policy = await tools.ledger.policy(request.policyDigest)
        const { subject } = request
        if (!policy || subject.kind !== 'range') {
          return { conclusion: 'infrastructure', reason: 'the policy is not in the ledger', findings: [], log: null }
        }
        return withHeartbeat((signal, tell) =>
          tools.reviewer.review({
            git: tools.repository(request.repo),
            repo: request.repo,
            number: request.number,
            base: request.base,
            mergeBase: subject.base,
            head: subject.head,
            policy: policy.checks.review,
            logName: attemptName(`review-${executionId()}`),
            signal,
            onStage: tell,
          }),
        )
      })
    },
  }
}
