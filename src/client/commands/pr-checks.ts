import type { CheckStatus } from '#contracts/pull-request'
import type { Evidence } from '#domain/evidence'
import type { PullRequest } from '#domain/pull-request'
import type { Connected, Installation } from '#installation/installation'
import type { CommandContext, ExitCode } from '../context.ts'
import { usageError } from '../errors.ts'
import { decisionEvidence } from '../evidence.ts'
import { duration } from '../output.ts'
import { withPullRequest } from '../pull-request.ts'
import { checkMark } from '../render.ts'
import { requireWorkers, withServer, withServerIfAny } from '../session.ts'
import { sleep } from '../sleep.ts'
import { readPullRequestStatusIfAny } from '../status.ts'

export type PullRequestChecks = { pullRequest: string; watch?: boolean; failFast?: boolean }

const POLL_MS = 500

/**
 * From the running pipeline where it answers, else from the evidence of the newest decision. As with `gh`, the exit code
 * tells how they stand: 1 where one failed, 4 where one has not ended or could not run, or where none has begun.
 */
export async function run(
  context: CommandContext,
  { pullRequest: text, watch = false, failFast = false }: PullRequestChecks,
): Promise<ExitCode> {
  if (failFast && !watch) {
    throw usageError('--fail-fast is for --watch.', 'Say --watch --fail-fast, or leave it out: nothing is waited for.')
  }
  return await withPullRequest(context, text, async (installation, pullRequest) => {
    const checks = watch
      ? await withServer(context, installation, (connected) => untilEnded(context, connected, pullRequest, failFast))
      : await withServerIfAny(context, installation, async (connected) => {
          const { repo, number } = pullRequest
          const status = await readPullRequestStatusIfAny(connected, repo, number)
          return status?.checks ?? (await recordedChecks(installation, pullRequest))
        })
    print(context, checks)
    context.output.document(checks)
    return exitCodeOf(checks, pullRequest)
  })
}

/** Notes each check as it ends; with `failFast` the first that fails is the end. */
async function untilEnded(
  context: CommandContext,
  connected: Connected,
  { repo, number, state }: PullRequest,
  failFast: boolean,
): Promise<CheckStatus[]> {
  if (state === 'open') await requireWorkers(connected, ['pr-review'])
  const told = new Set<string>()
  for (;;) {
    const status = await readPullRequestStatusIfAny(connected, repo, number)
    const checks = status?.checks ?? []
    for (const check of checks.filter(hasEnded)) {
      if (!told.has(check.name)) context.output.note(checkMark(check.state), ` ${check.name}  ${check.reason}`)
      told.add(check.name)
    }
    const isOver = status !== null && status.phase !== 'checking' && checks.every(hasEnded)
    if (isOver || state !== 'open' || (failFast && checks.some(hasFailed))) return checks
    await sleep(POLL_MS, context.signal)
  }
}

const hasEnded = ({ state }: CheckStatus): boolean => state !== 'queued' && state !== 'running'
const hasFailed = ({ state }: CheckStatus): boolean => state === 'failed' || state === 'timed-out'

function exitCodeOf(checks: CheckStatus[], { state }: PullRequest): ExitCode {
  if (checks.some(hasFailed)) return 1
  if (checks.length === 0 && state === 'open') return 4
  return checks.every(({ state }) => state === 'passed' || state === 'skipped') ? 0 : 4
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
