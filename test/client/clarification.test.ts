import { PassThrough } from 'node:stream'
import { describe, expect, test, vi } from 'vitest'
import { answered, type ClarificationState } from '#domain/clarification/state'
import { question, type FakeQuestion } from './clarification-fakes.ts'
import { named, NOW, server, switchyard, world, type World } from './fakes.ts'

const ann = { name: 'ann', login: null, email: 'ann@example.org', groups: ['release-managers'] }
const ben = { name: 'ben', login: null, email: 'ben@example.org', groups: ['release-managers'] }

const yesNo = ['yes', 'no'].map((value) => ({ value, label: value }))
const ID = 'ask:3f2a91c04b5d6e7f'

function inbox(...questions: FakeQuestion[]): World {
  for (const one of questions) one.state = { ...one.state, people: [ann, ben] }
  return world({ server: server({ questions }), people: [ann, ben] })
}

const answeredBy = (by: string, value: string, one: FakeQuestion = question({ options: yesNo })): FakeQuestion => ({
  ...one,
  state: answered(one.state, { by, value, comment: '', through: 'cli', at: NOW }),
  status: 'COMPLETED',
})

function parked(one: FakeQuestion): FakeQuestion {
  const outcome: ClarificationState['outcome'] = {
    state: 'parked',
    value: null,
    by: [],
    at: NOW,
    comment: '',
    answers: [],
  }
  return { ...one, state: { ...one.state, outcome } }
}

describe('inbox', () => {
  test('--json has the promised shape', async () => {
    const asked = question({
      options: yesNo,
      default: 'no',
      who: ['ann'],
      context: '**Read** it',
      repo: 'shop',
      number: 1,
    })
    const { json } = await switchyard(['inbox', '--json'], inbox(asked))
    expect(json).toEqual([
      {
        id: ID,
        kind: 'question',
        from: { workflowId: 'pr:shop#1', webUrl: 'http://127.0.0.1:8233/pr%3Ashop%231' },
        title: 'Land it today?',
        context: '**Read** it',
        contextDigest: null,
        options: yesNo,
        default: 'no',
        who: ['ann'],
        needed: 1,
        answered: [],
        askedAt: NOW,
        expiresAt: '2026-01-02T03:34:05.000Z',
        next: { at: '2026-01-02T03:14:05.000Z', action: 'remind' },
        state: 'open',
        urgent: false,
        repo: 'shop',
        number: 1,
      },
    ])
  })

  test('is a table of short ids, for whom, how long ago and what comes next', async () => {
    const { stdout } = await switchyard(['inbox'], inbox(question({ who: ['ann'], repo: 'shop', number: 1 })))
    expect(stdout).toMatch(/^3f2a91 +question +shop#1: Land it today\? +ann +0\.0 s ago +reminder in 10 m$/m)
  })

  test('asks no worker', async () => {
    const in_ = world({ server: server({ questions: [question()], workers: [] }) })
    expect((await switchyard(['inbox'], in_)).code).toBe(0)
  })

  test('says that it is empty', async () => {
    const ran = await switchyard(['inbox'], inbox())
    expect([ran.code, ran.stdout]).toEqual([0, 'The inbox is empty: nothing waits for a person.\n'])
  })

  test('shows urgent ones first and what is parked, and what has ended only with --all', async () => {
    const all = inbox(
      answeredBy('ann', 'yes', question({}, { id: 'ask:1111111111111111' })),
      parked(question({}, { id: 'ask:2222222222222222' })),
      question({ urgent: true }, { id: 'ask:3333333333333333' }),
    )
    const states = async (...flags: string[]) => {
      const rows = (await switchyard(['inbox', '--json', ...flags], all)).json as { id: string; state: string }[]
      return rows.map(({ id, state }) => [id.slice(4, 6), state])
    }
    const waiting = [
      ['33', 'open'],
      ['22', 'parked'],
    ]
    expect([await states(), await states('--all')]).toEqual([waiting, [...waiting, ['11', 'answered']]])
  })

  test.each<[string, FakeQuestion, number]>([
    ['for anybody', question(), 1],
    ['for a group of theirs', question({ who: ['release-managers'] }), 1],
    ['for somebody else', question({ who: ['ann'] }), 0],
    ['about what is theirs', question({ not: ['ben'] }), 0],
    [
      'that they answered under another name',
      { ...answeredBy('ben', 'yes', question({ needed: 2, options: yesNo })), status: 'RUNNING' },
      0,
    ],
  ])('--mine of one %s', async (_, asked, count) => {
    expect((await switchyard(['inbox', '--mine', '--json'], inbox(asked))).json).toHaveLength(count)
  })

  test('shows ids that are long enough to differ', async () => {
    const two = inbox(question({}, { id: 'ask:3f2a91c0aaaaaaaa' }), question({}, { id: 'ask:3f2a91c1aaaaaaaa' }))
    expect((await switchyard(['inbox'], two)).stdout).toMatch(/^3f2a91c0 .*\n3f2a91c1 /m)
  })

  test('leaves out the repositories that --repo does not name', async () => {
    const two = inbox(question({ repo: 'shop' }), question({ repo: 'web' }, { id: 'ask:2222222222222222' }))
    expect((await switchyard(['inbox', '--repo', 'shop', '--json'], two)).json).toHaveLength(1)
  })

  test('shows nothing of a terminal sequence in a title', async () => {
    const { stdout } = await switchyard(['inbox'], inbox(question({ title: 'Land\u001b[2J it\u202e?' })))
    expect(stdout).toContain('Land it?')
  })

  test('--watch redraws a table that fits the terminal', async () => {
    const interrupted = new AbortController()
    const stdout = Object.assign(new PassThrough(), { rows: 5, columns: 80 })
    let text = ''
    stdout.on('data', (chunk) => (text += String(chunk)))
    const ids = ['1', '2', '3', '4'].map((digit) => `ask:${digit.repeat(16)}`)
    const in_ = inbox(...ids.map((id) => question({ title: 'x'.repeat(100) }, { id })))
    const args = ['inbox', '--watch', '--no-color']
    const running = switchyard(args, in_, { stdout, isTerminal: true, signal: interrupted.signal })
    await vi.waitFor(() => expect(text).toContain('… and 2 more'), { timeout: 10_000 })
    interrupted.abort()
    expect((await running).code).toBe(130)
    const widest = Math.max(...text.split('\n').map((line) => line.replaceAll(/.\[\?\d+[hl]/g, '').length))
    expect(widest).toBeLessThanOrEqual(80)
  })

  test('--watch prints a document a line at each change, until Ctrl-C', async () => {
    const interrupted = new AbortController()
    const stdout = new PassThrough()
    let text = ''
    stdout.on('data', (chunk) => (text += String(chunk)))
    const in_ = inbox()
    const running = switchyard(['inbox', '--watch', '--json'], in_, { stdout, signal: interrupted.signal })
    const lines = (count: number) =>
      vi.waitFor(() => expect(text.split('\n')).toHaveLength(count + 1), { timeout: 10_000 })
    await lines(1)
    in_.server!.questions.push(question())
    await lines(2)
    interrupted.abort()
    const { code } = await running
    expect([
      code,
      text
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as unknown[]).length),
    ]).toEqual([130, [0, 1]])
  })
})

describe('answer', () => {
  test.each(['3f2a', '3f2a91', '3F2A91C', 'ask:3f2a91', ID])('takes the id %s', async (id) => {
    const in_ = inbox(question({ options: yesNo }))
    const ran = await switchyard(['answer', id, 'yes', '--comment', 'it is fine'], in_)
    expect([ran.code, ran.stdout, in_.acts]).toEqual([
      0,
      `✓ ben@example.org answered yes to ${ID}  Land it today?\nThat settles it.\n`,
      [`answer ${ID} [{"by":"ben@example.org","value":"yes","comment":"it is fine","through":"cli"}]`],
    ])
  })

  test('--json says what became of the question', async () => {
    const { json } = await switchyard(['answer', '3f2a91', 'yes', '--json'], inbox(question({ options: yesNo })))
    const by = 'ben@example.org'
    expect(json).toEqual({
      ...{ id: ID, state: 'answered', value: 'yes', by: [by], at: NOW, needed: 1, missing: 0 },
      answered: [{ by, value: 'yes', at: NOW }],
    })
  })

  test('says how many are missing where more than one must say the same', async () => {
    const in_ = inbox(question({ options: yesNo, needed: 3 }))
    const ran = await switchyard(['answer', '3f2a91', 'yes'], in_)
    expect(ran.stdout).toContain('3 people must say the same: 2 more must answer yes.')
    const { json } = await switchyard(['answer', '3f2a91', 'yes', '--as', 'ann', '--json'], in_)
    expect(json).toMatchObject({ state: 'open', value: null, missing: 1 })
  })

  test('prefers an open one to one that has ended', async () => {
    const in_ = inbox(
      answeredBy('ann', 'no', question({}, { id: 'ask:3f2a910000000000' })),
      question({ options: yesNo }),
    )
    expect((await switchyard(['answer', '3f2a91', 'yes'], in_)).code).toBe(0)
  })

  test.each<[string, number, string, FakeQuestion, string[]]>([
    ['an option that does not exist', 2, 'unknown-option', question({ options: yesNo }), ['yse']],
    ['somebody who is not asked', 1, 'not-allowed', question({ who: ['ann'] }), ['yes']],
    [
      'another answer than before',
      1,
      'already-answered',
      { ...answeredBy('ben', 'no', question({ needed: 2, options: yesNo })), status: 'RUNNING' },
      ['yes'],
    ],
    ['no reason where one is wanted', 2, 'no-reason', question({ reason: true }), ['yes']],
    ['1 MB', 2, 'usage', question(), ['x'.repeat(1_000_000)]],
    ['an escape sequence', 2, 'invalid', question(), ['\u001b[31mred']],
    ['no answer, without a terminal', 2, 'usage', question({ options: yesNo }), []],
    ['an answer and a remark', 2, 'usage', question(), ['yes', '--remark', 'but why?']],
  ])('refuses %s', async (_, code, shown, asked, args) => {
    const ran = await switchyard(['answer', '3f2a91', ...args, '--json'], inbox(asked))
    expect([ran.code, ran.error.code]).toEqual([code, shown])
  })

  test('names the options where it is none of them', async () => {
    const { stderr } = await switchyard(['answer', '3f2a91', 'yse'], inbox(question({ options: yesNo })))
    expect(stderr).toContain('Did you mean yes? Give one of yes, no.')
  })

  test('the same answer again is none, and no error', async () => {
    const in_ = inbox(question({ options: yesNo, needed: 2 }))
    await switchyard(['answer', '3f2a91', 'yes'], in_)
    const again = await switchyard(['answer', '3f2a91', 'yes', '--as', 'ben', '--json'], in_)
    expect([again.code, again.json]).toEqual([0, expect.objectContaining({ missing: 1 })])
  })

  test.each([
    ['the same by the same person', ['yes', '--as', 'ann@example.org'], 0],
    ['the same by another one', ['yes'], 1],
    ['another one', ['no', '--as', 'ann'], 1],
    ['none', [], 1],
  ])('of one that has ended: %s', async (_, args, code) => {
    expect((await switchyard(['answer', '3f2a91', ...args], inbox(answeredBy('ann', 'yes')))).code).toBe(code)
  })

  test('says who answered what and when, where it comes too late', async () => {
    const { stderr } = await switchyard(['answer', '3f2a91', 'no'], inbox(answeredBy('ann', 'yes')))
    expect(stderr).toContain(`ann answered "yes" at ${NOW}`)
  })

  test('says so, too, where it ended at that moment', async () => {
    const asked = question({ options: yesNo })
    const in_ = inbox(asked)
    Object.defineProperty(asked, 'error', {
      get: () => {
        Object.assign(asked, { state: answeredBy('ann', 'yes').state, status: 'COMPLETED' })
        return named('WorkflowNotFoundError', 'it has ended')
      },
    })
    const { code, stderr } = await switchyard(['answer', '3f2a91', 'no'], in_)
    expect([code, stderr]).toEqual([1, expect.stringContaining('ann answered "yes"')])
  })

  test('of an unknown id: the nearest open ones', async () => {
    const ran = await switchyard(['answer', '3f2b11', 'yes', '--json'], inbox(question({ title: 'Round it?' })))
    expect([ran.code, ran.error]).toMatchObject([
      2,
      { code: 'unknown-question', details: { nearest: [{ id: '3f2a91', title: 'Round it?' }] } },
    ])
  })

  test.each(['', '3', '3f2', '3f2a92', 'pr:shop#1', "x' OR '1'='1", '\u001b[31m'])(
    'of what is no id (%j): exit code 2',
    async (id) => {
      const ran = await switchyard(['answer', id, 'yes', '--json'], inbox(question()))
      expect([ran.code, ran.error.code]).toEqual([2, 'unknown-question'])
    },
  )

  test('of too short a beginning: how much of it is wanted', async () => {
    const { stderr } = await switchyard(['answer', '3f2', 'yes'], inbox(question()))
    expect(stderr).toContain('There is no question "3f2". The beginning of an id has at least 4 characters.')
  })

  test('of a beginning of two: both', async () => {
    const two = inbox(question(), question({}, { id: 'ask:3f2a91d04b5d6e7f' }))
    const ran = await switchyard(['answer', '3f2a91', 'yes', '--json'], two)
    expect([ran.code, ran.error]).toMatchObject([
      2,
      { code: 'ambiguous', details: { ids: [ID, 'ask:3f2a91d04b5d6e7f'] } },
    ])
  })

  test('without a worker: exit code 3 and what to do', async () => {
    const in_ = world({ server: server({ questions: [question()], workers: ['merge'] }) })
    const ran = await switchyard(['answer', '3f2a91', 'yes', '--json'], in_)
    expect([ran.code, ran.error.details]).toEqual([3, { roles: ['decision'] }])
  })

  test('that nobody acknowledged is an error', async () => {
    const error = named('WorkflowUpdateRPCTimeoutOrCancelledError', 'deadline')
    const ran = await switchyard(['answer', '3f2a91', 'yes', '--json'], inbox(question({}, { error })))
    expect([ran.code, ran.error.code]).toEqual([3, 'not-acknowledged'])
  })

  test('--delegate lets another one answer, and --remark says something', async () => {
    const in_ = inbox(question({ who: ['ben'], options: yesNo }))
    expect((await switchyard(['answer', '3f2a91', '--remark', 'Why today?'], in_)).code).toBe(0)
    expect((await switchyard(['answer', '3f2a91', '--delegate', 'ann'], in_)).stdout).toBe(
      'ann may answer it now, too.\n',
    )
    expect((await switchyard(['answer', '3f2a91', 'yes', '--as', 'ann'], in_)).code).toBe(0)
    expect(in_.server!.questions[0]!.state.remarks).toMatchObject([{ by: 'ben@example.org', text: 'Why today?' }])
  })
})

describe('answer on a terminal', () => {
  /** Types each line as soon as the prompt for it is there. */
  async function typed(in_: World, ...lines: string[]) {
    const stdin = Object.assign(new PassThrough(), { isTTY: true })
    const stdout = new PassThrough()
    let text = ''
    stdout.on('data', (chunk) => {
      text += String(chunk)
      if (/(: |\? )(?:.\[\d+G)?$/.test(String(chunk)) && lines.length > 0) stdin.write(lines.shift())
    })
    const ran = await switchyard(['answer', '3f2a91', '--no-color'], in_, { stdin, stdout, isTerminal: true })
    return { code: ran.code, stderr: ran.stderr, text }
  }

  test('shows what is asked, and takes an option by its number', async () => {
    const in_ = inbox(question({ options: yesNo, context: 'It has **no** tests.' }))
    const { code, text } = await typed(in_, '1\r')
    expect([code, text]).toEqual([0, expect.stringContaining('It has **no** tests.')])
    expect(in_.server!.questions[0]!.state.outcome?.value).toBe('yes')
  })

  test('asks again for what is no option', async () => {
    const in_ = inbox(question({ options: yesNo }))
    await typed(in_, 'perhaps\r', 'NO\r')
    expect(in_.server!.questions[0]!.state.outcome?.value).toBe('no')
  })

  test('asks for the reason where one is wanted', async () => {
    const in_ = inbox(question({ reason: true }))
    await typed(in_, 'now\r', 'it is late\r')
    expect(in_.server!.questions[0]!.state.answers).toMatchObject([{ value: 'now', comment: 'it is late' }])
  })

  test.each([
    ['Ctrl-C', '\u0003'],
    ['Ctrl-D', '\u0004'],
  ])('%s ends it, and nothing is answered', async (_, key) => {
    const in_ = inbox(question({ options: yesNo }))
    expect((await typed(in_, key)).code).toBe(130)
    expect(in_.server!.questions[0]!.state.answers).toEqual([])
  })
})

describe('of a question', () => {
  test('why says what it waits for, until when, who can act and with which command', async () => {
    const { json } = await switchyard(['why', 'ask:3f2a91', '--json'], inbox(question({ who: ['ann'] })))
    expect(json).toEqual({
      ...{ workflowId: ID, phase: 'open', decision: null, pending: [] },
      waiting: {
        ...{ for: 'Land it today?', since: NOW, until: '2026-01-02T03:34:05.000Z', who: ['ann'] },
        command: 'switchyard answer 3f2a91',
      },
    })
  })

  test('why says that anybody can act, where nobody is named', async () => {
    const in_ = inbox(question())
    expect((await switchyard(['why', ID], in_)).stdout).toContain('  who can act anybody\n')
    expect((await switchyard(['why', ID, '--json'], in_)).json).toMatchObject({ waiting: { who: [] } })
  })

  test('view says which repository or pull request it is about', async () => {
    const about = async (asked: Parameters<typeof question>[0]) =>
      /^about +(.*)$/m.exec((await switchyard(['view', ID], inbox(question(asked)))).stdout)?.[1]
    expect(await about({ repo: 'shop' })).toBe('shop')
    expect(await about({ repo: 'shop', number: 1 })).toBe('shop#1')
  })

  test('why says that it has ended', async () => {
    const { stdout } = await switchyard(['why', ID], inbox(answeredBy('ann', 'yes')))
    expect(stdout).toBe(`${ID}  answered\nIt has ended: it waits for nothing and nobody.\n`)
  })

  test('view shows what is asked, what may be answered and what was', async () => {
    const in_ = inbox(answeredBy('ann', 'yes', question({ options: yesNo, context: 'It is late.', default: 'no' })))
    const { stdout } = await switchyard(['view', ID], in_)
    for (const part of ['Land it today?', 'It is late.', '2  no  (default)', 'ann  answered yes']) {
      expect(stdout).toContain(part)
    }
    expect((await switchyard(['view', ID, '--json'], in_)).json).toMatchObject({ clarification: { state: 'answered' } })
  })

  test('status counts those that wait', async () => {
    const in_ = inbox(question(), parked(question({}, { id: 'ask:2222222222222222' })))
    expect((await switchyard(['status', '--json'], in_)).json).toMatchObject({ inbox: { open: 1, parked: 1 } })
    expect((await switchyard(['status'], in_)).stdout).toContain('1 open, 1 parked: switchyard inbox')
  })
})
