import type { CheckConclusion, Finding, TestFailure, TestReport } from './evidence.ts'
import type { ReviewerFinding } from './reviewer-answer.ts'
import type { Instant } from './pull-request.ts'

/** What a command's own report says, as far as it could be read. */
export type CheckReport = {
  /** As the policy names it. */
  path: string
  /** From JUnit; null for SARIF, or where nothing could be read. */
  tests: TestReport | null
  /** From SARIF; null for JUnit, or where nothing could be read. */
  findings: ReviewerFinding[] | null
  /** How many there were, where not all are kept. */
  counts?: FindingCounts
  /** Why it could not be read, or not all of it, as a sentence's end: "report junit.xml is missing". */
  problem: string | null
}

export type FindingCounts = { findings: number; errors: number }

export type Verdict = { conclusion: CheckConclusion; reason: string }

/** More failures than this help nobody; all are counted. */
export const maxFailures = 200
const SHOWN = 3
const MAX_NAME = 80

/**
 * How a check ended, by its command and its report together: red where either is. Without a report the exit code
 * decides, and the reason says so.
 */
export function judge(ended: Verdict, report: CheckReport | null): Verdict {
  if (report === null || (ended.conclusion !== 'passed' && ended.conclusion !== 'failed')) return ended
  const red = redness(report)
  if (red !== null) return { conclusion: 'failed', reason: joined(red, bare(ended), report.problem) }
  return { ...ended, reason: joined(greenness(ended, report), report.problem) }
}

/** A plain exit code adds nothing to what the report says of a failure; a signal does. */
function bare({ reason }: Verdict): string | null {
  return /^exit code \d+$/.test(reason) ? null : reason
}

function joined(...parts: (string | null)[]): string {
  return parts.filter((part) => part !== null).join('; ')
}

function redness({ path, tests, findings, counts }: CheckReport): string | null {
  if (tests !== null && tests.failed > 0) {
    return `${tests.failed} of ${counted(tests.total, 'test')} failed: ${listed(tests)}`
  }
  const errors = findings?.filter(({ severity }) => severity === 'error') ?? []
  const [first] = errors
  return first
    ? `${counted(counts?.errors ?? errors.length, 'error')} in ${path}: ${first.message}${placeOf(first)}`
    : null
}

function greenness({ conclusion, reason }: Verdict, { path, tests, findings, counts }: CheckReport): string {
  if (tests !== null) {
    if (tests.total === 0) return `${reason}; ${path} has no tests`
    if (conclusion === 'failed') return `${reason}, although none of ${counted(tests.total, 'test')} in ${path} failed`
    const skipped = tests.skipped > 0 ? `, ${tests.skipped} skipped` : ''
    return `${counted(tests.total - tests.skipped, 'test')} passed${skipped}`
  }
  if (findings === null) return reason
  if (conclusion === 'failed') return `${reason}, although ${path} has no errors`
  if (findings.length === 0) return 'no findings'
  return `no errors, ${counted(counts?.findings ?? findings.length, 'warning')} in ${path}`
}

function listed({ failed, failures }: TestReport): string {
  const shown = failures.slice(0, SHOWN).map(spoken)
  return failed > shown.length ? `${shown.join(', ')}, …` : shown.join(', ')
}

function spoken({ name, since }: TestFailure): string {
  const short = name.length > MAX_NAME ? `${name.slice(0, MAX_NAME - 1)}…` : name
  return since === null ? short : `${short} (since ${since.slice(0, 16).replace('T', ' ')} UTC)`
}

/** Fills in since when each test fails that failed before. */
export function withSince(report: CheckReport, since: ReadonlyMap<string, Instant>): CheckReport {
  if (report.tests === null) return report
  const failures = report.tests.failures.map((failure) => ({ ...failure, since: since.get(failure.name) ?? null }))
  return { ...report, tests: { ...report.tests, failures } }
}

/** Findings of a report or a reviewer as evidence: what does not fail it says so. */
export function toFinding({ rule, message, path, line, severity }: ReviewerFinding): Finding {
  return { rule, message: severity === 'error' ? message : `${severity}: ${message}`, path, line, commit: null }
}

function placeOf({ path, line }: ReviewerFinding): string {
  return path === null ? '' : ` in ${path}${line === null ? '' : `:${line}`}`
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}
