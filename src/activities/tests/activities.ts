import type { CheckResult } from '#domain/evidence'
import { commandsOf } from '#domain/policy'
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
    /**
     * Runs a command of the policy on a commit: its tests, or another check of its own. A red test is a result; only
     * infrastructure that may pass throws.
     */
    async runTests(request: TestRequest): Promise<CheckResult> {
      return withEvidence(tools.ledger, request, async () => {
        const policy = await tools.ledger.policy(request.policyDigest)
        const command = policy && commandsOf(policy).get(request.check.name)
        if (!command)
          return { conclusion: 'infrastructure', reason: 'the policy is not in the ledger', findings: [], log: null }
        const outcome = await withHeartbeat((signal, tell) =>
          tools.runner.run({
            repo: request.repo,
            gitDir: tools.repository(request.repo).gitDir,
            commit: request.commit,
            trusted: request.base,
            policy: command,
            stdin: null,
            env: {},
            logName: attemptName(`${request.check.name}-${executionId()}`),
            signal,
            onStage: tell,
          }),
        )
        return { conclusion: outcome.conclusion, reason: outcome.reason, findings: [], log: outcome.log }
      })
    },
  }
}
