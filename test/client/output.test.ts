import { PassThrough } from 'node:stream'
import { createOutput, wantsColor } from '#client/output'
import { CliError } from '#client/errors'
import { describe, expect, test } from 'vitest'
import { decision, evidence, pullRequest, server, status, switchyard, world } from './fakes.ts'

const EVIL = '\u001b]0;owned\u0007\u001b[31mred\u009b2J\u202e\r\nnext'
// eslint-disable-next-line no-control-regex -- they are what must not be there
const RAW = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/

describe('what comes from outside', () => {
  const evil = () =>
    world({
      pullRequests: [pullRequest({ title: EVIL, author: EVIL, head: { ref: EVIL, sha: 'a'.repeat(40) } })],
      decisions: [decision({ rules: [{ rule: EVIL, outcome: 'fail', reason: EVIL, evidence: 'evidence-1' }] })],
      evidence: [
        evidence({ reason: EVIL, findings: [{ rule: EVIL, message: EVIL, path: EVIL, line: 1, commit: null }] }),
      ],
      logs: { 'log:tests-1': EVIL },
      server: server({
        statuses: [status({ title: EVIL, waiting: { ...status().waiting!, for: EVIL, who: [EVIL] } })],
      }),
    })

  test.each([
    ['pr list'],
    ['pr view 1'],
    ['pr checks 1'],
    ['pr diff 1'],
    ['pr merge 1 --wait'],
    ['pr watch --once'],
    ['why 1'],
    ['logs 1'],
    ['pr view 1 --json'],
    ['logs 1 --json'],
    ['pr diff 1 --json'],
  ])('never reaches the terminal raw: %s', async (line) => {
    const ran = await switchyard(line.split(' '), evil())
    expect([ran.stdout.length > 0, RAW.test(ran.stdout + ran.stderr)]).toEqual([true, false])
  })

  test('is the same in a document, escaped', async () => {
    const ran = await switchyard(['pr', 'view', '1', '--json'], evil())
    expect(ran.json).toMatchObject({ title: EVIL })
  })

  test('is plain in an error, too', async () => {
    const ran = await switchyard(['pr', 'list', '--repo', EVIL], world())
    expect(RAW.test(ran.stderr)).toBe(false)
  })
})

describe('colours', () => {
  test.each([
    ['on a terminal', true, {}, true, true],
    ['not in a pipe', false, {}, true, false],
    ['not with NO_COLOR', true, { NO_COLOR: '1' }, true, false],
    ['not with --no-color', true, {}, false, false],
    ['not on a dumb terminal', true, { TERM: 'dumb' }, true, false],
  ])('%s', (_, isTerminal, env, flag, wanted) => {
    expect(wantsColor({ isTerminal, env }, flag)).toBe(wanted)
  })

  test('are put around plain text', () => {
    const output = createOutput(streams(), { json: false, color: true, isTerminal: true })
    expect(output.render({ text: 'a\u001b[5mb', style: 'red' })).toBe('\u001b[31mab\u001b[39m')
  })
})

test('with --json nothing for people is on stdout', () => {
  const to = streams()
  const output = createOutput(to, { json: true, color: false, isTerminal: true })
  output.line('a line')
  output.table(['a'], [['b']])
  output.document({ a: 1 })
  expect(String(to.stdout.read())).toBe('{\n  "a": 1\n}\n')
})

test('an error of several lines keeps its lines', () => {
  const to = streams()
  createOutput(to, { json: false, color: false, isTerminal: false }).error(
    new CliError(2, 'x', 'one\ntwo', { hint: 'do' }),
  )
  expect(String(to.stderr.read())).toBe('switchyard: one\ntwo\ndo\n')
})

function streams() {
  return { stdout: new PassThrough(), stderr: new PassThrough() }
}

describe('a note', () => {
  const written = (use: (output: ReturnType<typeof createOutput>, above: string[]) => void) => {
    const stderr = new PassThrough()
    const output = createOutput({ stdout: new PassThrough(), stderr }, { json: false, color: false, isTerminal: true })
    const above: string[] = []
    use(output, above)
    return { stderr: String(stderr.read() ?? ''), above }
  }

  test('goes above an area that is redrawn in place, for a line below it would be drawn over', () => {
    const { stderr, above } = written((output, lines) => {
      output.redirectNotes((line) => lines.push(line))
      output.note('a worker died')
    })
    expect({ stderr, above }).toEqual({ stderr: '', above: ['a worker died'] })
  })

  test('goes to stderr when nothing is redrawn any more', () => {
    const { stderr } = written((output, lines) => {
      output.redirectNotes((line) => lines.push(line))
      output.redirectNotes(null)
      output.note('a worker died')
    })
    expect(stderr).toBe('a worker died\n')
  })
})
