import { describe, expect, test } from 'vitest'
import { judge, toFinding, withSince, type CheckReport, type Verdict } from '#domain/check-report'
import type { TestFailure } from '#domain/evidence'
import type { ReviewerFinding } from '#domain/reviewer-answer'

const passed: Verdict = { conclusion: 'passed', reason: 'exit code 0' }
const red: Verdict = { conclusion: 'failed', reason: 'exit code 1' }
const failure = (name: string, since: string | null = null): TestFailure => ({ name, message: 'no', since })

function junit(total: number, failures: TestFailure[], change: Partial<CheckReport> = {}): CheckReport {
  const tests = { total, failed: failures.length, skipped: 0, failures }
  return { path: 'junit.xml', tests, findings: null, problem: null, ...change }
}

function sarif(...findings: ReviewerFinding[]): CheckReport {
  return { path: 'r.sarif', tests: null, findings, problem: null }
}

const finding = (severity: ReviewerFinding['severity']): ReviewerFinding => {
  return { rule: 'no-eval', message: 'eval is evil', path: 'a.ts', line: 3, severity }
}
const missing: CheckReport = { path: 'junit.xml', tests: null, findings: null, problem: 'report junit.xml is missing' }

const cart = junit(40, [failure('cart › adds', '2026-11-20T08:00:00.000Z'), failure('cart › removes')])

const cases: [string, Verdict, CheckReport | null, Verdict][] = [
  ['without a report', red, null, red],
  [
    'red with failed tests',
    red,
    cart,
    { conclusion: 'failed', reason: '2 of 40 tests failed: cart › adds (since 2026-11-20 08:00 UTC), cart › removes' },
  ],
  [
    'green with failed tests',
    passed,
    cart,
    { conclusion: 'failed', reason: '2 of 40 tests failed: cart › adds (since 2026-11-20 08:00 UTC), cart › removes' },
  ],
  [
    'killed with failed tests',
    { conclusion: 'failed', reason: 'exit code 137 (killed by SIGKILL)' },
    junit(1, [failure('a')]),
    { conclusion: 'failed', reason: '1 of 1 test failed: a; exit code 137 (killed by SIGKILL)' },
  ],
  [
    'red with many failed tests',
    red,
    junit(
      9,
      ['a', 'b', 'c', 'd'].map((name) => failure(name)),
    ),
    { conclusion: 'failed', reason: '4 of 9 tests failed: a, b, c, …' },
  ],
  [
    'red though every test passed',
    red,
    junit(40, []),
    { conclusion: 'failed', reason: 'exit code 1, although none of 40 tests in junit.xml failed' },
  ],
  ['green with green tests', passed, junit(40, []), { conclusion: 'passed', reason: '40 tests passed' }],
  [
    'green with tests that were skipped',
    passed,
    junit(0, [], { tests: { total: 5, failed: 0, skipped: 2, failures: [] } }),
    { conclusion: 'passed', reason: '3 tests passed, 2 skipped' },
  ],
  [
    'green with an empty report',
    passed,
    junit(0, []),
    { conclusion: 'passed', reason: 'exit code 0; junit.xml has no tests' },
  ],
  [
    'green without its report',
    passed,
    missing,
    { conclusion: 'passed', reason: 'exit code 0; report junit.xml is missing' },
  ],
  [
    'red without its report',
    red,
    missing,
    { conclusion: 'failed', reason: 'exit code 1; report junit.xml is missing' },
  ],
  [
    'green where a part of its reports is broken and the other red',
    passed,
    junit(2, [failure('a')], { problem: 'report b.xml is no valid XML' }),
    { conclusion: 'failed', reason: '1 of 2 tests failed: a; report b.xml is no valid XML' },
  ],
  [
    'timed out, whatever is in its report',
    { conclusion: 'timed-out', reason: 'timed out after 15 m' },
    cart,
    { conclusion: 'timed-out', reason: 'timed out after 15 m' },
  ],
  [
    'green with an error in SARIF',
    passed,
    sarif(finding('note'), finding('error')),
    { conclusion: 'failed', reason: '1 error in r.sarif: eval is evil in a.ts:3' },
  ],
  [
    'green with warnings in SARIF',
    passed,
    sarif(finding('note'), finding('warning')),
    { conclusion: 'passed', reason: 'no errors, 2 warnings in r.sarif' },
  ],
  ['green with nothing in SARIF', passed, sarif(), { conclusion: 'passed', reason: 'no findings' }],
  [
    'red with nothing in SARIF',
    red,
    sarif(),
    { conclusion: 'failed', reason: 'exit code 1, although r.sarif has no errors' },
  ],
]

describe('a check', () => {
  test.each(cases)('that ended %s', (_name, ended, report, verdict) => {
    expect(judge(ended, report)).toEqual(verdict)
  })

  test('is told since when its tests fail', () => {
    const report = withSince(junit(3, [failure('a'), failure('b')]), new Map([['b', '2026-01-01T00:00:00.000Z']]))
    expect(report.tests!.failures).toMatchObject([{ since: null }, { since: '2026-01-01T00:00:00.000Z' }])
  })

  test('cuts the names of tests', () => {
    expect(judge(red, junit(1, [failure('x'.repeat(500))])).reason.length).toBeLessThan(120)
  })
})

test('a finding that fails nothing says so', () => {
  expect(['error', 'warning', 'note'].map((severity) => toFinding(finding(severity as 'error')).message)).toEqual([
    'eval is evil',
    'warning: eval is evil',
    'note: eval is evil',
  ])
})
