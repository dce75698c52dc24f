import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parsePolicy } from '#config/policy'
import { ConfigError, fileProblem } from '#config/problems'
import type { Outcome } from '#domain/decision'
import type { Installation } from '#installation/installation'
import type { RecordedDecision } from '#ledger/port'
import type { CommandContext, ExitCode } from '../context.ts'
import { printRules } from '../decision-tree.ts'
import { CliError, usageError } from '../errors.ts'
import { withPullRequest } from '../pull-request.ts'
import { durationFlag, selectRepository } from '../select.ts'
import { withInstallation } from '../session.ts'
import { causesOf, simulate, type Simulation, type UnderPolicy } from '../simulation.ts'
import { newestDecision } from './policy-explain.ts'

export type PolicySimulate = { pullRequest?: string; policy: string; all?: boolean; since?: string }

/** `policy simulate --all --json`. */
export type Backtest = {
  repo: string
  since: string | null
  policyDigest: string
  decisions: number
  differ: number
  /** Decisions whose facts are not in the record any more. */
  unknown: number
  changes: { number: number; decidedAt: string; before: Outcome; after: Outcome; rules: string[] }[]
}

/** 1 where the policy would reject; a backtest answers 0, however much differs. */
export async function run(context: CommandContext, input: PolicySimulate): Promise<ExitCode> {
  const under = await readPolicy(context, input.policy)
  const isBacktest = input.all === true || input.since !== undefined
  if (isBacktest === (input.pullRequest !== undefined)) {
    throw usageError('Simulate one pull request, or many?', 'Give its number, or --all, or --since 7d.')
  }
  if (input.pullRequest === undefined) {
    return await withInstallation(context, (installation) => backtest(context, installation, under, input.since))
  }
  return await withPullRequest(context, input.pullRequest, async (installation, pullRequest) => {
    const recorded = await newestDecision(installation, pullRequest)
    const simulation = await simulate(installation, recorded, under, context.now().toISOString())
    if (simulation === null) throw noSnapshot(recorded)
    print(context, simulation)
    context.output.document(simulation)
    return simulation.decision.outcome === 'reject' ? 1 : 0
  })
}

async function readPolicy({ cwd }: CommandContext, file: string): Promise<UnderPolicy> {
  const text = await readFile(resolve(cwd, file), 'utf8').catch((error: NodeJS.ErrnoException) => {
    const problem = fileProblem(file, `can't be read: ${error.code ?? error.message}`)
    throw new ConfigError([problem], 'Give the path of a file that is there.')
  })
  const parsed = parsePolicy(text, file)
  if (!parsed.ok) throw new ConfigError(parsed.problems, 'Correct the file and run the command again.')
  return { policy: parsed.policy, digest: parsed.digest, source: 'base', problem: null }
}

/** Every recorded decision again, at the instant at which it was made. */
async function backtest(
  context: CommandContext,
  installation: Installation,
  under: UnderPolicy,
  age: string | undefined,
): Promise<ExitCode> {
  const repo = await selectRepository(context, installation)
  const since =
    age === undefined ? null : new Date(context.now().getTime() - durationFlag(age, '--since')).toISOString()
  const result: Backtest = { repo, since, policyDigest: under.digest, decisions: 0, differ: 0, unknown: 0, changes: [] }
  for (const recorded of await recordedDecisions(installation, repo, since)) {
    const simulation = await simulate(installation, recorded, under, recorded.decidedAt)
    result.decisions += 1
    if (simulation === null) result.unknown += 1
    if (simulation === null || simulation.decision.outcome === recorded.outcome) continue
    result.differ += 1
    const { number, decidedAt, outcome: before } = recorded
    const { outcome: after } = simulation.decision
    result.changes.push({ number, decidedAt, before, after, rules: causesOf(simulation) })
  }
  printBacktest(context, result)
  context.output.document(result)
  return 0
}

async function recordedDecisions(
  { ledger }: Installation,
  repo: string,
  since: string | null,
): Promise<RecordedDecision[]> {
  const entries = await ledger.audit({ repo, ...(since === null ? {} : { since }) })
  const decided = entries.flatMap(({ action, number }) => (action === 'pr.decided' && number !== null ? [number] : []))
  const decisions = await Promise.all([...new Set(decided)].map((number) => ledger.decisions(repo, number)))
  return decisions
    .flat()
    .filter(({ decidedAt }) => since === null || decidedAt >= since)
    .sort((a, b) => Date.parse(a.decidedAt) - Date.parse(b.decidedAt))
}

function noSnapshot({ repo, number, snapshotId }: RecordedDecision): CliError {
  return new CliError(
    1,
    'unknown-snapshot',
    `The facts of the decision about ${repo}#${number} are not in the record.`,
    {
      details: { repo, number, snapshotId },
      hint: `Let it be decided again: switchyard pr review ${number} --repo ${repo}`,
    },
  )
}

function print(
  { output }: CommandContext,
  { repo, number, recorded, decision, differences, neverRan }: Simulation,
): void {
  output.line({ text: `${repo}#${number} `, style: 'bold' }, `would be decided: ${decision.outcome}`)
  output.line({ text: 'recorded: ', style: 'dim' }, `${recorded.outcome} at ${recorded.decidedAt}`)
  printRules(output, decision.rules)
  for (const { rule, before, after, reason } of differences) {
    output.line({ text: `${rule}: `, style: 'bold' }, `${before ?? 'not there'} → ${after ?? 'not there'}  ${reason}`)
  }
  if (differences.length === 0) output.line('No criterion differs.')
  if (neverRan.length > 0) output.line(`Never run on this head, so they are pending: ${neverRan.join(', ')}.`)
}

function printBacktest({ output }: CommandContext, { decisions, differ, unknown, changes }: Backtest): void {
  output.line(`${differ} of ${decisions} decisions would differ.`)
  if (unknown > 0) output.line(`Of ${unknown} the facts are not in the record any more.`)
  if (changes.length === 0) return
  const rows = changes.map(({ number, decidedAt, before, after, rules }) => {
    return [`#${number}`, decidedAt, before, after, rules.join(', ')]
  })
  output.table(['PR', 'decided', 'was', 'would be', 'because of'], rows)
}
