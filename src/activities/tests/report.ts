import { maxFailures, type CheckReport } from '#domain/check-report'
import type { TestFailure, TestReport } from '#domain/evidence'
import { maskedText } from '#domain/mask'
import { mostImportant, type ReviewerFinding } from '#domain/reviewer-answer'
import { isSarif, parseSarif } from '#domain/sarif'
import { oneLine } from '#domain/text'
import { parseJUnit } from './junit.ts'
import type { ReportFiles } from './report-files.ts'

const maxName = 300
const maxMessage = 500

/**
 * What a command wrote of its own result, masked. Of several files what can be read counts, and the first that can't be
 * is the problem. Never throws: a report that is broken is no reason for a check to break.
 */
export async function readReport(path: string, written: ReportFiles, secrets: readonly string[]): Promise<CheckReport> {
  const read = path.endsWith('.sarif') || path.endsWith('.sarif.json') ? readSarif : readJUnit
  const report = await read(path, written)
  const shown = (text: string, max: number) => oneLine(maskedText(text, { known: secrets }), max)
  const failures = report.tests?.failures.map(({ name, message, since }): TestFailure => ({
    name: shown(name, maxName),
    message: shown(message, maxMessage),
    since,
  }))
  const findings = report.findings?.map((finding): ReviewerFinding => ({
    ...finding,
    rule: shown(finding.rule, maxName),
    message: shown(finding.message, maxMessage),
    path: finding.path === null ? null : shown(finding.path, maxMessage),
  }))
  return {
    path,
    tests: report.tests && { ...report.tests, failures: failures ?? [] },
    findings: findings ?? null,
    ...(report.counts ? { counts: report.counts } : {}),
    problem: report.problem === null ? null : shown(report.problem, maxMessage),
  }
}

async function readJUnit(path: string, { files, problem }: ReportFiles): Promise<CheckReport> {
  let tests: TestReport | null = null
  let broken = problem
  for (const file of files) {
    const parsed = await parseJUnit(file.content.toString())
    if (parsed.outcome === 'read') tests = tests === null ? parsed.report : together(tests, parsed.report)
    else broken ??= `report ${file.path} ${parsed.problem}`
  }
  return { path, tests, findings: null, problem: broken }
}

function together(a: TestReport, b: TestReport): TestReport {
  return {
    total: a.total + b.total,
    failed: a.failed + b.failed,
    skipped: a.skipped + b.skipped,
    failures: [...a.failures, ...b.failures].slice(0, maxFailures),
  }
}

async function readSarif(path: string, { files, problem }: ReportFiles): Promise<CheckReport> {
  let findings: ReviewerFinding[] | null = null
  const counts = { findings: 0, errors: 0 }
  let broken = problem
  for (const file of files) {
    const parsed = parseLog(file.content.toString())
    if (typeof parsed === 'string') {
      broken ??= `report ${file.path} ${parsed}`
      continue
    }
    counts.findings += parsed.length
    counts.errors += parsed.filter(({ severity }) => severity === 'error').length
    // Here and not at the end: masking what nobody is shown takes a hostile log's time.
    findings = mostImportant([...(findings ?? []), ...parsed])
  }
  const cut = findings !== null && findings.length < counts.findings
  return { path, tests: null, findings, problem: broken, ...(cut ? { counts } : {}) }
}

function parseLog(text: string): ReviewerFinding[] | string {
  let log: unknown
  try {
    log = JSON.parse(text.replace(/^\ufeff/, ''))
  } catch {
    return 'is no valid JSON'
  }
  if (!isSarif(log)) return 'is no SARIF log'
  const parsed = parseSarif(log)
  return parsed.outcome === 'valid' ? parsed.findings : `is wrong: ${parsed.problem}`
}
