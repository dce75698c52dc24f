import { describe, expect, test, vi } from 'vitest'
import { readReport } from '#activities/tests/report'
import { judge } from '#domain/check-report'
import { maxReviewerFindings } from '#domain/reviewer-answer'

const many = 20 * maxReviewerFindings
const secret = 'correct-horse-battery'

function fileOf(path: string, levels: string[]) {
  const results = levels.map((level) => ({ ruleId: 'no-eval', level, message: { text: `uses ${secret}` } }))
  return { path, content: Buffer.from(JSON.stringify({ version: '2.1.0', runs: [{ tool: {}, results }] })) }
}

const read = (secrets: string[], ...files: ReturnType<typeof fileOf>[]) =>
  readReport('*.sarif', { files, problem: null }, secrets)

describe('a SARIF report with more findings than are kept', () => {
  const warnings = Array<string>(many).fill('warning')

  test('is masked only as far as it is kept', async () => {
    const secrets = [secret]
    const masked = vi.spyOn(secrets, 'flatMap')
    const { findings } = await read(secrets, fileOf('a.sarif', warnings))
    expect(findings).toHaveLength(maxReviewerFindings)
    expect(JSON.stringify(findings)).not.toContain('horse')
    expect(masked.mock.calls.length).toBeGreaterThan(0)
    expect(masked.mock.calls.length).toBeLessThan(5 * maxReviewerFindings)
  })

  test('keeps an error that comes last, in the last of its files', async () => {
    const { findings } = await read([], fileOf('a.sarif', warnings), fileOf('b.sarif', [...warnings, 'error']))
    expect(findings).toHaveLength(maxReviewerFindings)
    expect(findings![0]!.severity).toBe('error')
  })

  test('says how many there were', async () => {
    const ended = { conclusion: 'passed', reason: 'exit code 0' } as const
    const errors = Array<string>(many).fill('error')
    const red = await read([], fileOf('a.sarif', [...warnings, ...errors]), fileOf('b.sarif', errors))
    expect(judge(ended, red).reason).toMatch(`${2 * many} errors in *.sarif`)
    const green = await read([], fileOf('a.sarif', warnings), fileOf('b.sarif', ['note']))
    expect(judge(ended, green).reason).toBe(`no errors, ${many + 1} warnings in *.sarif`)
  })
})
