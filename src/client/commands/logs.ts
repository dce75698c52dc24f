import type { Evidence } from '#domain/evidence'
import type { Installation } from '#installation/installation'
import type { CommandContext, ExitCode } from '../context.ts'
import { CliError, usageError } from '../errors.ts'
import { decisionEvidence } from '../evidence.ts'
import { shortSha } from '../output.ts'
import { parsePipelineId } from '../pipeline-id.ts'
import { withPullRequest } from '../pull-request.ts'
import { checkMark } from '../render.ts'
import { nearest } from '../select.ts'

export type Logs = { id: string; check?: string }

/** What the checks of a PR's newest decision reported and printed. */
export async function run(context: CommandContext, { id, check }: Logs): Promise<ExitCode> {
  if (parsePipelineId(id).kind !== 'pull-request') {
    throw usageError(
      'Only pull requests keep logs.',
      'Give a number such as 12, or pr:<repo>#<number>; see `switchyard view` for others.',
    )
  }
  return await withPullRequest(context, id, async (installation, { repo, number }) => {
    const evidence = await decisionEvidence(installation, repo, number)
    const chosen = check === undefined ? evidence : evidence.filter((one) => one.check === check)
    if (check !== undefined && chosen.length === 0) throw unknownCheck(check, evidence)
    const documents = []
    for (const one of chosen) {
      const text = await logText(installation, one)
      print(context, one, text)
      const { check, conclusion, reason, findings, log } = one
      documents.push({ check, conclusion, reason, findings, log: log?.uri ?? null, text })
    }
    if (chosen.length === 0) context.output.line(`No check of ${repo}#${number} has ended yet.`)
    context.output.document(documents)
    return 0
  })
}

async function logText(installation: Installation, { log }: Evidence): Promise<string | null> {
  if (log === null) return null
  return (await installation.logs.read(log.uri))?.toString('utf8') ?? log.tail
}

function print(
  { output }: CommandContext,
  { check, conclusion, reason, findings }: Evidence,
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
