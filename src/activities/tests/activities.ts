import type { CheckResult } from '#domain/evidence'
import type { Sha } from '#domain/pull-request'
import type { Ledger } from '#ledger/port'
import { executionId, withEvidence, type CheckRequest } from '../evidence.ts'
import type { GitRepository } from '../git/port.ts'
import { attemptName, withHeartbeat } from '../long.ts'
import type { CommandRunner } from './port.ts'

export type TestRequest = CheckRequest & {
  /** The merge result or candidate; its tree is the subject. */
  commit: Sha
  /** The base that it was made on. */
  base: Sha
}

export type TestActivities = ReturnType<typeof createTestActivities>

export function createTestActivities(tools: {
  runner: CommandRunner
  ledger: Ledger
  repository: (repo: string) => GitRepository
}) {
  return {
    /** Runs the policy's tests on a commit. A red test is a result; only infrastructure that may pass throws. */
    async runTests(request: TestRequest): Promise<CheckResult> {
      return withEvidence(tools.ledger, request, async () => {
        const policy = await tools.ledger.policy(request.policyDigest)
        const tests = policy?.checks.tests
        if (!tests)
          return { conclusion: 'infrastructure', reason: 'the policy is not in the ledger', findings: [], log: null }
        const outcome = await withHeartbeat((signal, tell) =>
          tools.runner.run({
            repo: request.repo,
            gitDir: tools.repository(request.repo).gitDir,
            commit: request.commit,
            trusted: request.base,
            policy: tests,
            stdin: null,
            env: {},
            logName: attemptName(`tests-${executionId()}`),
            signal,
            onStage: tell,
          }),
        )
        return { conclusion: outcome.conclusion, reason: outcome.reason, findings: [], log: outcome.log }
      })
    },
  }
}
