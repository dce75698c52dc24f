import { findInstallation } from '#config/load'
import type { Evidence } from '#domain/evidence'
import type { Installation } from '#installation/installation'
import { followChecks } from '../check-logs.ts'
import type { CommandContext, ExitCode } from '../context.ts'
import { CliError, usageError } from '../errors.ts'
import { decisionEvidence } from '../evidence.ts'
import { shortSha } from '../output.ts'
import { parsePipelineId } from '../pipeline-id.ts'
import { withPullRequest } from '../pull-request.ts'
import { checkMark } from '../render.ts'
import { nearest } from '../select.ts'
import { limitFlag } from '../since.ts'
import { printWorkerLog } from '../worker-logs.ts'

export type Logs = { id?: string; check?: string; worker?: string; lines: string; follow?: boolean }

const MOST_LINES = 10_000

/** What the checks of a PR, or the worker of a role, wrote. */
export async function run(
  context: CommandContext,
  { id, check, worker, lines, follow = false }: Logs,
): Promise<ExitCode> {
  const limit = limitFlag(lines, '--lines', MOST_LINES)
  if ((id === undefined) === (worker === undefined)) {
    throw usageError('Whose logs?', 'Give a pull request such as 12, or a role with --worker, and not both.')
  }
  if (worker !== undefined) {
    const { home } = await findInstallation({ cwd: context.cwd, env: context.env, configFlag: context.flags.config })
    await printWorkerLog(context, home, { role: worker, lines: limit, follow })
    return 0
  }
  if (parsePipelineId(id!).kind !== 'pull-request') {
    throw usageError(
      'Only pull requests keep logs.',
      'Give a number such as 12, or pr:<repo>#<number>; see `switchyard view` for others.',
    )
  }
  return await withPullRequest(context, id!, async (installation, pullRequest) => {
    if (follow) await followChecks(context, installation, pullRequest, check)
    await printEnded(context, installation, pullRequest, check)
    return 0
  })
}

/** What the checks of a PR's newest decision reported and printed. */
async function printEnded(
  context: CommandContext,
  installation: Installation,
  { repo, number }: { repo: string; number: number },
  check: string | undefined,
): Promise<void> {
  const evidence = await decisionEvidence(installation, repo, number)
  const chosen = check === undefined ? evidence : evidence.filter((one) => one.check === check)
  if (check !== undefined && chosen.length === 0) throw unknownCheck(check, evidence)
  const documents = []
  for (const one of chosen) {
    const text = await logText(installation, one)
    print(context, one, text)
    const { check, conclusion, reason, findings, tests, log } = one
    const said = { check, conclusion, reason, findings, ...(tests ? { tests } : {}) }
    documents.push({ ...said, log: log?.uri ?? null, text })
  }
  if (chosen.length === 0) context.output.line(`No check of ${repo}#${number} has ended yet.`)
  context.output.document(documents)
}

async function logText(installation: Installation, { log }: Evidence): Promise<string | null> {
  if (log === null) return null
  return (await installation.logs.read(log.uri))?.toString('utf8') ?? log.tail
}

function print(
  { output }: CommandContext,
  { check, conclusion, reason, findings, tests }: Evidence,
  text: string | null,
): void {
  output.line(checkMark(conclusion), { text: ` ${check}  `, style: 'bold' }, reason)
  for (const { rule, message, path, line, commit } of findings) {
    const place = path === null ? '' : `${path}${line === null ? '' : `:${line}`}`
    output.line(`  ${place}  `, message, {
      text: `  ${rule}${commit === null ? '' : ` in ${shortSha(commit)}`}`,
      style: 'dim',
    })
  }
  for (const { name, message, since } of tests?.failures ?? []) {
    const failing = since === null ? '' : `  failing since ${since}`
    output.line(`  ${name}  `, message, { text: failing, style: 'dim' })
  }
  if (text !== null && text !== '') output.block(text)
}

function unknownCheck(check: string, evidence: Evidence[]): CliError {
  const known = evidence.map((one) => one.check)
  return new CliError(2, 'unknown-check', `There is no log of a check "${check}".`, {
    details: { check, checks: known },
    hint:
      nearest(check, known) ?? (known.length === 0 ? 'No check has ended yet.' : `Give one of ${known.join(', ')}.`),
  })
}
