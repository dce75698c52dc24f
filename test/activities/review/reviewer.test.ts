import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createReviewer } from '#activities/review/reviewer'
import type { ReviewRun } from '#activities/review/port'
import type { CommandOutcome, CommandRun, CommandRunner } from '#activities/tests/port'
import type { ReviewPolicy } from '#domain/policy'
import type { Sha } from '#domain/pull-request'
import { createHistory, type History } from './history.ts'

const log = { uri: 'log:review', sha256: '0'.repeat(64), bytes: 0, tail: '' }

let history: History
let base: Sha

beforeEach(async () => {
  history = await createHistory()
  base = await history.commit({ 'app.js': 'let a = 1\n', 'infra/prod.tf': 'x\n' })
})

afterEach(() => history.remove())

/** Answers each run from a list, and keeps what it was asked. */
function runnerThat(...outcomes: Partial<CommandOutcome>[]): CommandRunner & { runs: CommandRun[] } {
  const runs: CommandRun[] = []
  return {
    runs,
    async run(run) {
      runs.push(run)
      const ended = outcomes[runs.length - 1] ?? {}
      const passed = { conclusion: 'passed', reason: 'exit code 0', exitCode: 0, stdout: '[]' } as const
      return { ...passed, log, duration: 1, isolated: false, ...ended }
    },
    isolation: () => ({ mode: 'none', network: 'shared', detail: 'a test', gaps: [] }),
    surroundings: async () => 'a test',
    recover: async () => {},
  }
}

function review(
  head: Sha,
  policy: Partial<ReviewPolicy>,
  runner: CommandRunner = runnerThat(),
  run: Partial<ReviewRun> = {},
) {
  return createReviewer({ runner }).review({
    git: history.git,
    repo: 'shop',
    number: 12,
    base,
    mergeBase: base,
    head,
    policy: { maxFileSize: 1024 * 1024, forbiddenPaths: [], reviewers: [], approvals: 0, ...policy },
    logName: 'review-1',
    signal: new AbortController().signal,
    onStage: () => {},
    ...run,
  })
}

const reviewers = [{ name: 'style', run: './tools/review.sh', timeout: 60_000 }]
const failedWith = (stdout: string): Partial<CommandOutcome> => ({
  conclusion: 'failed',
  reason: 'exit code 3',
  exitCode: 3,
  stdout,
})

describe('the built-in criteria', () => {
  test('pass an ordinary change', async () => {
    const head = await history.commit({ 'app.js': 'let a = 2\n' })
    expect(await review(head, {})).toEqual({ conclusion: 'passed', reason: 'no findings', findings: [], log: null })
  })

  test('fail a committed conflict with its place', async () => {
    const head = await history.commit({ 'app.js': 'x\n<<<<<<< HEAD\n1\n=======\n2\n>>>>>>> topic\n' })
    const outcome = await review(head, {})
    expect(outcome.conclusion).toBe('failed')
    expect(outcome.reason).toBe('1 finding: conflict markers in lines 2 to 6 in app.js:2')
  })

  test('fail a file that is too large', async () => {
    const head = await history.commit({ 'big.bin': Buffer.alloc(2048) })
    expect((await review(head, { maxFileSize: 1024 })).findings).toMatchObject([{ rule: 'file-size', path: 'big.bin' }])
  })

  test.each(['infra/', 'infra/**', 'infra/prod.tf', '*.tf', 'infra'])('fail a change below %s', async (pattern) => {
    const head = await history.commit({ 'infra/prod.tf': 'y\n' })
    const { findings } = await review(head, { forbiddenPaths: [pattern] })
    expect(findings).toMatchObject([{ rule: 'forbidden-path', path: 'infra/prod.tf' }])
  })

  test('fail the deletion of a forbidden path', async () => {
    const head = await history.commit({ 'infra/prod.tf': null })
    expect((await review(head, { forbiddenPaths: ['infra/'] })).conclusion).toBe('failed')
  })

  test('leave alone what the PR did not change', async () => {
    const head = await history.commit({ 'app.js': 'let a = 2\n' })
    expect((await review(head, { forbiddenPaths: ['infra/'], maxFileSize: 100 })).conclusion).toBe('passed')
  })
})

describe("the policy's reviewer", () => {
  let head: Sha

  beforeEach(async () => {
    head = await history.commit({ 'app.js': 'let a = 2\n' })
  })

  test('may answer SARIF: an error fails, the rest is shown', async () => {
    const result = (level: string) => ({ ruleId: `r-${level}`, level, message: { text: `an ${level}` } })
    const answer = (...levels: string[]) =>
      JSON.stringify({ version: '2.1.0', runs: [{ tool: { driver: { name: 'x' } }, results: levels.map(result) }] })
    const reviewed = (stdout: string) => review(head, { reviewers }, runnerThat({ stdout }))
    expect(await reviewed(answer('note', 'error'))).toMatchObject({
      conclusion: 'failed',
      findings: [
        { rule: 'style/r-note', message: 'note: an note' },
        { rule: 'style/r-error', message: 'an error' },
      ],
    })
    expect(await reviewed(answer('note', 'warning'))).toMatchObject({ conclusion: 'passed', findings: [{}, {}] })
    expect(await reviewed('{"version":"2.1.0","runs":[{"results":7}]}')).toMatchObject({
      conclusion: 'failed',
      reason: 'reviewer style answered wrong SARIF (SARIF run 1 has no list of results)',
    })
  })

  test('runs in a checkout of the base, with the diff on standard input', async () => {
    const runner = runnerThat()
    await review(head, { reviewers }, runner)
    expect(runner.runs).toMatchObject([
      {
        commit: base,
        trusted: base,
        policy: { run: './tools/review.sh', setup: null, timeout: 60_000, network: false },
        stdin: expect.stringContaining('+let a = 2'),
        env: { SWITCHYARD_BASE_SHA: base, SWITCHYARD_HEAD_SHA: head, SWITCHYARD_PR: '12', SWITCHYARD_REPO: 'shop' },
      },
    ])
  })

  test('fails the review with an error', async () => {
    const stdout = '{"findings":[{"rule":"no-var","message":"no var","path":"app.js","line":1}]}'
    expect(await review(head, { reviewers }, runnerThat({ stdout }))).toEqual({
      conclusion: 'failed',
      reason: '1 finding: no var in app.js:1',
      findings: [{ rule: 'style/no-var', message: 'no var', path: 'app.js', line: 1, commit: null }],
      log,
    })
  })

  test('passes the review with a warning, which is shown', async () => {
    const stdout = '[{"rule":"r","message":"long line","severity":"warning"}]'
    const outcome = await review(head, { reviewers }, runnerThat({ stdout }))
    expect(outcome).toMatchObject({ conclusion: 'passed', findings: [{ message: 'warning: long line' }] })
  })

  test('counts by its findings, whatever its exit code', async () => {
    const outcome = await review(head, { reviewers }, runnerThat(failedWith('[{"rule":"r","message":"bad"}]')))
    expect(outcome).toMatchObject({ conclusion: 'failed', reason: '1 finding: bad' })
  })

  test.each(['', '[]'])('that exits with another code than 0 and answers %j fails the review', async (stdout) => {
    const outcome = await review(head, { reviewers }, runnerThat(failedWith(stdout)))
    expect(outcome).toMatchObject({ conclusion: 'failed', reason: 'reviewer style: exit code 3', findings: [] })
  })

  test('that answers no JSON fails the review', async () => {
    const outcome = await review(head, { reviewers }, runnerThat({ stdout: 'looks good' }))
    expect(outcome).toMatchObject({
      conclusion: 'failed',
      reason: 'reviewer style answered no valid JSON (line 1)',
    })
  })

  test.each(['timed-out', 'infrastructure'] as const)('that ends as %s ends the review so', async (conclusion) => {
    const outcome = await review(head, { reviewers }, runnerThat({ conclusion, reason: 'why', stdout: '' }))
    expect(outcome).toMatchObject({ conclusion, reason: 'reviewer style: why' })
  })

  test('names the first three of its findings', async () => {
    const of = async (count: number) => {
      const found = Array.from({ length: count }, (_, at) => ({
        rule: 'r',
        message: `bad ${at + 1}`,
        path: 'a.js',
        line: 2,
      }))
      return (await review(head, { reviewers }, runnerThat({ stdout: JSON.stringify({ findings: found }) }))).reason
    }
    expect(await of(2)).toBe('2 findings: bad 1 in a.js:2, bad 2 in a.js:2')
    expect(await of(4)).toBe('4 findings: bad 1 in a.js:2, bad 2 in a.js:2, bad 3 in a.js:2, …')
  })

  test("leaves no secret and no escape sequence in a finding's texts", async () => {
    const token = ['ghp', '_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8'].join('')
    const stdout = JSON.stringify([
      { rule: 'r', message: `\u001b[31mfound ${token.slice(0, 9)}\u001b[0m${token.slice(9)}`, path: 'a\u0007.js' },
    ])
    const { findings } = await review(head, { reviewers }, runnerThat({ stdout }))
    expect(findings[0]?.message).toContain('found ghp_****')
    // eslint-disable-next-line no-control-regex
    expect(JSON.stringify(findings)).not.toMatch(/\\u001b|\\u0007|[\u0000-\u001f]/)
  })

  test('is asked after another one failed, and a failure outweighs a fault', async () => {
    const runner = runnerThat(
      { conclusion: 'infrastructure', reason: 'no disk' },
      { stdout: '[{"rule":"r","message":"bad"}]' },
    )
    const second = { name: 'second', run: './second.sh', timeout: 1000 }
    const outcome = await review(head, { reviewers: [...reviewers, second] }, runner)
    expect(outcome).toMatchObject({ conclusion: 'failed', reason: '1 finding: bad; reviewer style: no disk' })
  })

  test('has a log of its own for each run', async () => {
    const runner = runnerThat()
    await review(head, { reviewers: [...reviewers, ...reviewers] }, runner)
    expect(runner.runs.map(({ logName }) => logName)).toEqual(['review-1-1', 'review-1-2'])
  })
})

test('an aborted review asks no reviewer', async () => {
  const head = await history.commit({ 'app.js': 'let a = 2\n' })
  const runner = runnerThat()
  const signal = AbortSignal.abort(new Error('cancelled'))
  await expect(review(head, { reviewers }, runner, { signal })).rejects.toThrow('cancelled')
  expect(runner.runs).toEqual([])
})
