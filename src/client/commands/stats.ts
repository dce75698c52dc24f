import { percentiles, type Percentiles } from '#domain/percentiles'
import type { FlakyTest, Statistics } from '#ledger/port'
import type { CommandContext, ExitCode } from '../context.ts'
import { duration } from '../output.ts'
import { selectRepositories } from '../select.ts'
import { withInstallation } from '../session.ts'
import { sinceFlag } from '../since.ts'

export type Stats = { since: string }

/** `stats --json`. Times in milliseconds, rates in percent. */
type Document = {
  repo: string | null
  since: string
  reviewed: number
  landed: number
  refused: Statistics['refused']
  ejected: Statistics['ejected']
  timeToLand: Percentiles
  approvedToLanded: Percentiles
  checks: ({ check: string; runs: number } & Percentiles)[]
  flakyTests: FlakyTest[]
  evidence: { uses: number; reused: number; reuseRate: number }
}

export async function run(context: CommandContext, input: Stats): Promise<ExitCode> {
  const since = sinceFlag(context, input.since)
  return await withInstallation(context, async (installation) => {
    const [only] = await selectRepositories(context, installation)
    const repo = context.flags.repo === undefined ? null : (only ?? null)
    const filter = { since, ...(repo === null ? {} : { repo }) }
    const { ledger } = installation
    const [found, flakyTests] = await Promise.all([ledger.statistics(filter), ledger.flakyTests(filter)])
    const document = { repo, since, ...summary(found), flakyTests }
    print(context, document)
    context.output.document(document)
    return 0
  })
}

function summary(found: Statistics): Omit<Document, 'repo' | 'since' | 'flakyTests'> {
  const { reviewed, landed, refused, ejected, toLand, approvedToLand, checks, evidence } = found
  const { uses, reuses } = evidence
  return {
    ...{ reviewed, landed, refused, ejected },
    timeToLand: percentiles(toLand),
    approvedToLanded: percentiles(approvedToLand),
    checks: checks.map(({ check, durations }) => ({ check, runs: durations.length, ...percentiles(durations) })),
    evidence: { uses, reused: reuses, reuseRate: uses === 0 ? 0 : Math.round((1_000 * reuses) / uses) / 10 },
  }
}

function print({ output }: CommandContext, document: Document): void {
  const { repo, since, reviewed, landed, refused, ejected, evidence, flakyTests } = document
  output.line({ text: repo ?? 'all repositories', style: 'bold' }, `  since ${since}`)
  output.line(`reviewed ${reviewed}, landed ${landed}`)
  const counted = (what: string, counts: [string, number][]) => {
    if (counts.length > 0) output.line(`${what} `, counts.map(([name, count]) => `${count} ${name}`).join(', '))
  }
  counted(
    'refused',
    refused.map(({ reason, count }) => [reason, count]),
  )
  counted(
    'ejected',
    ejected.map(({ kind, count }) => [kind, count]),
  )
  const times: [string, string, Percentiles][] = [
    ['opened → landed', String(landed), document.timeToLand],
    ['approved → landed', String(landed), document.approvedToLanded],
    ...document.checks.map(({ check, runs, p50, p95 }): [string, string, Percentiles] => [
      `check ${check}`,
      String(runs),
      { p50, p95 },
    ]),
  ]
  const time = (value: number | null) => (value === null ? '' : duration(value))
  output.table(
    ['time', 'cases', 'p50', 'p95'],
    times.map(([name, cases, { p50, p95 }]) => [name, cases, time(p50), time(p95)]),
  )
  output.line(evidenceText(evidence))
  if (flakyTests.length === 0) output.line('flaky tests: none')
  for (const { repo, check, test, failures, lastFailedAt } of flakyTests) {
    output.line({ text: 'flaky ', style: 'yellow' }, `${repo} ${check}: ${test}  ${failures} ×, last ${lastFailedAt}`)
  }
}

function evidenceText({ uses, reused, reuseRate }: Document['evidence']): string {
  if (uses === 0) return 'decisions used no results of checks'
  const were = reused === 1 ? 'was' : 'were'
  return `decisions used ${uses} results of checks, of which ${reused} (${reuseRate} %) ${were} there already and not run again`
}
