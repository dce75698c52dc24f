import type { CheckResult } from '#domain/evidence'
import type { Policy } from '#domain/policy'
import type { Sha } from '#domain/pull-request'
import type { Ledger } from '#ledger/port'
import { checkLogName, withEvidence, type CheckFindings, type CheckRequest } from '../evidence.ts'
import type { GitRepository } from '../git/port.ts'
import { attemptName, withHeartbeat } from '../long.ts'
import type { CommandRunner } from '../tests/port.ts'
import { reviewersOn } from './identity.ts'
import type { Reviewer } from './port.ts'

export type ReviewRequest = CheckRequest & { base: Sha }

export type ReviewTools = {
  reviewer: Reviewer
  /** What reviewers run in. */
  runner: Pick<CommandRunner, 'surroundings'>
  ledger: Ledger
  repository: (repo: string) => GitRepository
}

export type ReviewActivities = ReturnType<typeof createReviewActivities>

export function createReviewActivities(tools: ReviewTools) {
  return {
    /** Conflict markers, sizes, forbidden paths and the policy's own reviewers. */
    async reviewChange(request: ReviewRequest): Promise<CheckResult> {
      const policy = await tools.ledger.policy(request.policyDigest)
      const surroundings = await withHeartbeat(() => surroundingsOf(tools, request, policy))
      return withEvidence(tools.ledger, request, () => review(tools, request, policy), { surroundings })
    },
  }
}

/** What reviewers run in, and what they are. The built-in criteria are the same everywhere. */
async function surroundingsOf(tools: ReviewTools, { repo, base }: ReviewRequest, policy: Policy | null) {
  const reviewers = policy?.checks.review.reviewers ?? []
  if (reviewers.length === 0) return null
  const programs = await reviewersOn(tools.repository(repo), base, reviewers)
  return `${await tools.runner.surroundings()}+${programs}`
}

async function review(tools: ReviewTools, request: ReviewRequest, policy: Policy | null): Promise<CheckFindings> {
  const { subject, repo, number, base } = request
  if (!policy || subject.kind !== 'range') {
    return { conclusion: 'infrastructure', reason: 'the policy is not in the ledger', findings: [], log: null }
  }
  return withHeartbeat((signal, tell) =>
    tools.reviewer.review({
      git: tools.repository(repo),
      ...{ repo, number, base },
      mergeBase: subject.base,
      head: subject.head,
      policy: policy.checks.review,
      logName: attemptName(checkLogName(request)),
      signal,
      onStage: tell,
    }),
  )
}
