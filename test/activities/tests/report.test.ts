import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CommandRunner } from '#activities/tests/port'
import { createFixture, type Fixture } from './support.ts'

let fixture: Fixture
let commit: string

const red =
  '<testsuite name="cart"><testcase name="adds"/><testcase name="removes"><failure message="no"/></testcase></testsuite>'

beforeAll(async () => {
  fixture = await createFixture()
  commit = await fixture.commit({ 'readme.md': 'hello\n', 'red.xml': red, 'out/stale.xml': red })
})
afterAll(() => fixture.remove())

describe.each(['required', 'none'] as const)('a report with isolation "%s"', (isolation) => {
  let runner: CommandRunner
  beforeAll(() => {
    runner = fixture.runner({ isolation })
  })
  const run = (shell: string, report: string, policy = {}) =>
    fixture.run(runner, commit, { run: shell, report, ...policy })

  test('is read when the command is green and when it is red', async () => {
    const tests = {
      total: 2,
      failed: 1,
      skipped: 0,
      failures: [{ name: 'cart › removes', message: 'no', since: null }],
    }
    const report = { path: 'junit.xml', tests, findings: null, problem: null }
    expect(await run('cp red.xml junit.xml', 'junit.xml')).toMatchObject({ conclusion: 'passed', report })
    expect(await run('cp red.xml junit.xml; exit 1', 'junit.xml')).toMatchObject({ conclusion: 'failed', report })
  })

  test('of several files is one', async () => {
    const outcome = await run('cp red.xml out/1.xml; cp red.xml out/2.xml', 'out/*.xml')
    expect(outcome.report).toMatchObject({ tests: { total: 4, failed: 2 }, problem: null })
  })

  test('that is missing, broken or only committed is a problem of its own, not of the check', async () => {
    const problemOf = async (shell: string, report: string) => {
      const outcome = await run(shell, report)
      return [outcome.conclusion, outcome.report!.tests, outcome.report!.problem]
    }
    expect(await problemOf('true', 'junit.xml')).toEqual(['passed', null, 'report junit.xml is missing'])
    expect(await problemOf('true', 'red.xml')).toEqual(['passed', null, 'report red.xml is missing'])
    expect(await problemOf('head -c 30 red.xml > junit.xml', 'junit.xml')).toEqual([
      'passed',
      null,
      expect.stringContaining('report junit.xml is no valid XML'),
    ])
    expect(await problemOf('ln -s ../../../../../../../../etc/passwd junit.xml', 'junit.xml')).toEqual([
      'passed',
      null,
      'report junit.xml is missing',
    ])
  })

  test('of SARIF has findings', async () => {
    const result = { ruleId: 'no-eval', level: 'error', message: { text: 'evil' } }
    const log = JSON.stringify({ version: '2.1.0', runs: [{ tool: { driver: { name: 'x' } }, results: [result] }] })
    const outcome = await run(`echo '${log}' > r.sarif`, 'r.sarif')
    expect(outcome.report).toMatchObject({ tests: null, findings: [{ rule: 'no-eval', severity: 'error' }] })
  })

  test('holds no secret that the command was given', async () => {
    const given = fixture.runner({ isolation, env: { ...process.env, NPM_TOKEN: 'correct-horse-battery' } })
    const shell = 'sed "s/message=\\"no\\"/message=\\"$NPM_TOKEN\\"/" red.xml > junit.xml'
    const outcome = await fixture.run(given, commit, { run: shell, report: 'junit.xml', env: ['NPM_TOKEN'] })
    expect(outcome.report!.tests!.failures[0]!.message).not.toContain('horse')
    expect(outcome.report!.tests!.failed).toBe(1)
  })

  test('is none of a command whose setup failed, or that declares none', async () => {
    expect((await run('cp red.xml junit.xml', 'junit.xml', { setup: 'exit 1' })).report).toBeNull()
    expect((await fixture.run(runner, commit, { run: 'cp red.xml junit.xml' })).report).toBeNull()
  })
})

describe.each(['required', 'none'] as const)('files for the command with isolation "%s"', (isolation) => {
  const files = [{ variable: 'SWITCHYARD_DIFF', name: 'range.diff', content: '+added\n' }]

  test('are where their variable says, also where setup put a link in their place', async () => {
    const shell = 'cat "$SWITCHYARD_DIFF"'
    const setup = 'ln -s "$PWD" "$HOME/switchyard"'
    const outcome = await fixture.run(fixture.runner({ isolation }), commit, { run: shell, setup }, { files })
    expect(outcome).toMatchObject({ conclusion: 'passed', stdout: '+added\n' })
    const look = await fixture.run(fixture.runner({ isolation }), commit, { run: 'test ! -e range.diff' })
    expect(look.conclusion).toBe('passed')
  })

  test('are not there for setup, which makes what others use', async () => {
    const setup = 'test -z "$SWITCHYARD_DIFF"'
    expect(await fixture.run(fixture.runner({ isolation }), commit, { setup }, { files })).toMatchObject({
      conclusion: 'passed',
    })
  })
})
