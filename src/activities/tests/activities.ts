import { judge, toFinding, withSince, type CheckReport } from '#domain/check-report'
import type { CheckResult } from '#domain/evidence'
import { commandsOf, type CommandPolicy } from '#domain/policy'
import type { Sha } from '#domain/pull-request'
import type { Ledger } from '#ledger/port'
import { checkLogName, withEvidence, type CheckFindings, type CheckRequest } from '../evidence.ts'
import type { GitRepository } from '../git/port.ts'
import { attemptName, withHeartbeat } from '../long.ts'
import type { CommandOutcome, CommandRunner } from './port.ts'
import { rangeInput } from './range-input.ts'

export type TestRequest = CheckRequest & {
  /** The merge result or candidate: what is checked out, and whose tree is the subject of a check of the tree. */
  commit: Sha
  /** The base that it was made on. */
  base: Sha
}

export type TestTools = { runner: CommandRunner; ledger: Ledger; repository: (repo: string) => GitRepository }

export type TestActivities = ReturnType<typeof createTestActivities>

export function createTestActivities(tools: TestTools) {
  const { ledger, runner } = tools
  return {
    /**
     * Runs a command of the policy on a commit: its tests, or another check of its own. A red test is a result; only
     * infrastructure that may pass throws.
     */
    async runTests(request: TestRequest): Promise<CheckResult> {
      const surroundings = await withHeartbeat(() => runner.surroundings())
      return withEvidence(ledger, request, () => runCommand(tools, request), { surroundings })
    },
  }
}

async function runCommand(tools: TestTools, request: TestRequest): Promise<CheckFindings> {
  const policy = await tools.ledger.policy(request.policyDigest)
  const command = policy && commandsOf(policy).get(request.check.name)
  if (!command) {
    return { conclusion: 'infrastructure', reason: 'the policy is not in the ledger', findings: [], log: null }
  }
  const outcome = await runOnCommit(tools, request, command)
  const report = outcome.report ? await sinceWhen(tools.ledger, request, outcome.report) : null
  return {
    ...judge(outcome, report),
    findings: report?.findings?.map(toFinding) ?? [],
    log: outcome.log,
    tests: report?.tests ?? null,
  }
}

async function runOnCommit(
  { runner, repository }: TestTools,
  request: TestRequest,
  policy: CommandPolicy,
): Promise<CommandOutcome> {
  const { repo, commit, base } = request
  const git = repository(repo)
  return withHeartbeat(async (signal, tell) =>
    runner.run({
      repo,
      gitDir: git.gitDir,
      commit,
      trusted: base,
      policy,
      stdin: null,
      ...(await rangeInput(git, request)),
      logName: attemptName(checkLogName(request)),
      signal,
      onStage: tell,
    }),
  )
}

/** Since when each of the failed tests fails, by what the ledger has of this check for this PR. */
async function sinceWhen(
  ledger: Ledger,
  { repo, number, check }: TestRequest,
  report: CheckReport,
): Promise<CheckReport> {
  const names = report.tests?.failures.map(({ name }) => name) ?? []
  if (names.length === 0) return report
  return withSince(report, await ledger.failingSince({ repo, number, check: check.name }, names))
}
