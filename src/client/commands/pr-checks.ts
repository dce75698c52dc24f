import type { CheckStatus } from '#contracts/pull-request'
import type { Evidence } from '#domain/evidence'
import type { PullRequest } from '#domain/pull-request'
import type { Installation } from '#installation/installation'
import type { CommandContext, ExitCode } from '../context.ts'
import { decisionEvidence } from '../evidence.ts'
import { duration } from '../output.ts'
import { withPullRequest } from '../pull-request.ts'
import { checkMark } from '../render.ts'
import { withServerIfAny } from '../session.ts'
import { readPullRequestStatusIfAny } from '../status.ts'

/** From the running pipeline where it answers, else from the evidence of the newest decision. */
export async function run(context: CommandContext, { pullRequest: text }: { pullRequest: string }): Promise<ExitCode> {
  return await withPullRequest(context, text, async (installation, pullRequest) => {
    const checks = await withServerIfAny(context, installation, async (connected) => {
      const status = await readPullRequestStatusIfAny(connected, pullRequest.repo, pullRequest.number)
      return status?.checks ?? (await recordedChecks(installation, pullRequest))
    })
    print(context, checks)
    context.output.document(checks)
    return 0
  })
}

async function recordedChecks(installation: Installation, { repo, number }: PullRequest): Promise<CheckStatus[]> {
  return (await decisionEvidence(installation, repo, number)).map(asStatus)
}

function asStatus({ check, conclusion, reason, startedAt, finishedAt }: Evidence): CheckStatus {
  return { name: check, state: conclusion, reason, duration: Date.parse(finishedAt) - Date.parse(startedAt) }
}

function print({ output }: CommandContext, checks: CheckStatus[]): void {
  if (checks.length === 0) return output.line('No checks have run.')
  output.table(
    ['', 'check', 'state', 'time', 'reason'],
    checks.map((check) => [
      checkMark(check.state),
      check.name,
      check.state,
      check.duration === null ? '' : duration(check.duration),
      check.reason,
    ]),
  )
}
