import { createHash } from 'node:crypto'
import { PassThrough } from 'node:stream'
import { describe, expect, test, vi } from 'vitest'
import { answered, isSettled } from '#domain/clarification/state'
import { climbed } from '#domain/clarification/ladder'
import type { RememberedAnswer } from '#ledger/port'
import { NOW, server, switchyard, world, type World } from './fakes.ts'

const SECRET = `ghp_${'a1B2'.repeat(9)}`
const later = '2026-01-02T04:00:00.000Z'

const served = (changes: Partial<World> = {}) => world({ server: server(), ...changes })
const asked = (in_: World) => in_.server!.questions.map(({ state }) => state.question)

/** What its workflow would do next. */
function settle(in_: World, how: 'answer' | 'expire') {
  const one = in_.server!.questions[0]!
  const by = { by: 'ann', value: 'yes', comment: '', through: 'cli' as const, at: later }
  one.state = how === 'answer' ? answered(one.state, by) : climbed(one.state, { at: later, action: 'expire' }, later)
  if (isSettled(one.state)) one.status = 'COMPLETED'
}

const remembered: RememberedAnswer = {
  ...{ id: '0a1b2c3d4e5f', clarification: 'ask:1111111111111111', scope: 'installation', repo: null },
  ...{ title: 'Which region?', context: '', value: 'eu', by: ['ann'], comment: '', at: NOW },
}

describe('ask', () => {
  test('asks, says how to answer, and goes on', async () => {
    const in_ = served()
    const ran = await switchyard(['ask', 'Which region?', '--options', 'eu,us', '--json', '--key', 'region'], in_)
    const id = `ask:${createHash('sha256').update('\0region').digest('hex').slice(0, 16)}`
    expect([ran.code, ran.json]).toEqual([0, { id, state: 'open', value: null, by: [], at: null }])
    const shown = await switchyard(['ask', 'Which region?', '--key', 'region'], in_)
    expect(shown.stdout).toContain(`switchyard answer ${id.slice(4, 10)}`)
  })

  test('is the same question with the same key, and another one without', async () => {
    const in_ = served()
    for (const key of [['--key', 'a'], ['--key', 'a'], [], []]) await switchyard(['ask', 'Now?', ...key], in_)
    expect(asked(in_)).toHaveLength(3)
    expect(new Set(in_.audit.map(({ key }) => key)).size).toBe(3)
  })

  test('takes all that a question has', async () => {
    const in_ = served()
    const flags = ['--kind', 'approval', '--option', 'go=Go on', '--option', 'stop', '--who', 'ann,release-managers']
    const times = ['--needed', '2', '--default', 'stop', '--expires', '2h', '--urgent', '--repo', 'shop']
    await switchyard(['ask', 'Deploy?', ...flags, ...times, '--context', 'See **this**'], in_)
    expect(asked(in_)).toMatchObject([
      {
        ...{ kind: 'approval', title: 'Deploy?', context: 'See **this**', default: 'stop', urgent: true, repo: 'shop' },
        ...{ who: ['ann', 'release-managers'], needed: 2 },
        options: [
          { value: 'go', label: 'Go on' },
          { value: 'stop', label: 'stop' },
        ],
        ladder: { expiresAfter: 7_200_000, atExpiry: 'default' },
      },
    ])
  })

  test('takes the steps of its ladder', async () => {
    const in_ = served()
    const flags = ['--remind-after', '5m', '--escalate-after', '20m', '--escalate-to', 'leads,owners']
    const { stderr } = await switchyard(['ask', 'Deploy?', ...flags], in_)
    const steps = { remindAfter: 300_000, escalateAfter: 1_200_000, escalateTo: [['leads'], ['owners']] }
    expect(asked(in_)).toMatchObject([{ ladder: { ...steps, expiresAfter: 1_800_000, atExpiry: 'park' } }])
    expect(stderr).toContain('leads is nobody')
  })

  test('warns where the key is that of a question with other words, which stays as it was', async () => {
    const in_ = served()
    const ask = (...args: string[]) => switchyard(['ask', ...args, '--key', 'h1', '--json'], in_)
    const first = await ask('Deploy?', '--options', 'yes,no')
    expect((await ask('Deploy?', '--options', 'yes,no')).stderr).not.toContain('other words')
    for (const words of [['Roll back?', '--options', 'yes,no'], ['Deploy?']]) {
      const { json, stderr } = await ask(...words)
      expect([json, stderr]).toEqual([first.json, expect.stringContaining('other words: "Deploy?" (yes, no).')])
    }
  })

  test.each<[string, string[], string]>([
    ['a default that is no option', ['--options', 'a,b', '--default', 'c'], '--default'],
    ['an expiry to a default without one', ['--at-expiry', 'default'], '--at-expiry'],
    ['the same option twice', ['--options', 'a,a'], '--options'],
    ['half a person', ['--needed', '1.5'], '--needed'],
    ['several people without options', ['--needed', '2'], '--needed'],
    ['no duration', ['--expires', 'soon'], '--expires'],
    ['no duration to remind', ['--remind-after', 'soon'], '--remind-after'],
    ['a reminder in years', ['--remind-after', '800d'], '--remind-after'],
    ['no duration to escalate', ['--escalate-after', 'soon', '--escalate-to', 'leads'], '--escalate-after'],
    ['a step to nobody', ['--escalate-after', '5m'], '--escalate-to'],
    ['too many steps', ['--escalate-to', 'a,b,c,d,e,f,g,h,i,j,k'], '--escalate-to'],
    ['no duration to wait', ['--wait=soon'], '--wait'],
    ['two contexts', ['--context', 'a', '--context-file', 'b'], '--context-file'],
    ['a file that is not there', ['--context-file', '/nowhere/b'], '/nowhere/b'],
    ['an empty key', ['--key', ''], '--key'],
    ['another kind', ['--kind', 'hold'], '--kind'],
  ])('refuses %s, naming the flag, and asks nothing', async (_, flags, named) => {
    const in_ = served()
    const ran = await switchyard(['ask', 'Now?', ...flags], in_)
    expect([ran.code, ran.stderr, asked(in_)]).toEqual([2, expect.stringContaining(named), []])
  })

  test('refuses an empty title', async () => {
    expect((await switchyard(['ask', ' '], served())).stderr).toContain('The title is empty')
  })

  test('sends no secret and no escape sequence', async () => {
    const in_ = served()
    await switchyard(['ask', `Is \u001b[2J${SECRET} right?`, '--context', `token ${SECRET}`], in_)
    expect(asked(in_)).toMatchObject([{ title: 'Is ghp_**** right?', context: 'token ghp_****' }])
  })

  test('takes a long context from standard input, and keeps the whole in the ledger', async () => {
    const in_ = served()
    const whole = 'ü'.repeat(5_000)
    const stdin = new PassThrough()
    stdin.end(whole)
    await switchyard(['ask', 'Right?', '--context-file', '-'], in_, { stdin })
    const { context, contextDigest } = asked(in_)[0]!
    expect([in_.texts.get(contextDigest!), Buffer.byteLength(context) <= 4_096]).toEqual([whole, true])
    expect(context).toMatch(/^ü+\n…$/)
  })

  test('notes who is nobody, and that nobody is told without a worker', async () => {
    const in_ = world({ server: server({ workers: [] }) })
    const ran = await switchyard(['ask', 'Now?', '--who', 'qa'], in_)
    expect([ran.code, ran.stderr]).toEqual([0, expect.stringMatching(/qa is nobody[^]*No worker polls/)])
  })

  test('needs a server', async () => {
    expect((await switchyard(['ask', 'Now?'], world())).code).toBe(3)
  })
})

describe('ask --wait', () => {
  const flags = ['ask', 'Now?', '--options', 'yes,no', '--wait', '--json']

  /** Starts a command line, and does the rest once it has asked. */
  async function whileAsking(args: string[], then: (in_: World) => void, signal?: AbortSignal) {
    const in_ = served()
    const running = switchyard(args, in_, signal ? { signal } : {})
    await vi.waitFor(() => expect(asked(in_)).toHaveLength(1), { timeout: 10_000 })
    then(in_)
    return await running
  }

  test('ends with the answer', async () => {
    const ran = await whileAsking(flags, (in_) => settle(in_, 'answer'))
    expect([ran.code, ran.json]).toMatchObject([0, { state: 'answered', value: 'yes', by: ['ann'], at: later }])
  })

  test.each([
    ['default', ['--default', 'no'], 0, { state: 'defaulted', value: 'no' }],
    ['fail', ['--at-expiry', 'fail'], 1, { state: 'expired', value: null }],
    ['park', [], 4, { state: 'parked', value: null }],
  ])('at expiry: %s', async (_, more, code, document) => {
    const ran = await whileAsking([...flags, ...more], (in_) => settle(in_, 'expire'))
    expect([ran.code, ran.json]).toMatchObject([code, document])
  })

  test('where its run was terminated it is cancelled', async () => {
    const ran = await whileAsking(flags, (in_) => {
      const one = in_.server!.questions[0]!
      one.status = 'TERMINATED'
      const outcome = { state: 'cancelled' as const, value: null, by: [], at: later, comment: '', answers: [] }
      one.state = { ...one.state, outcome }
    })
    expect([ran.code, ran.json]).toMatchObject([1, { state: 'cancelled' }])
  })

  test('for a while: the question stays open', async () => {
    const ran = await switchyard(['ask', 'Now?', '--wait=1ms', '--json'], served())
    expect([ran.code, ran.json]).toMatchObject([4, { state: 'open' }])
  })

  test('Ctrl-C detaches', async () => {
    const interrupted = new AbortController()
    expect((await whileAsking(flags, () => interrupted.abort(), interrupted.signal)).code).toBe(130)
  })

  test('without a worker it would wait for nothing', async () => {
    const in_ = world({ server: server({ workers: ['merge'] }) })
    const ran = await switchyard(flags, in_)
    expect([ran.code, ran.error.details, asked(in_)]).toEqual([3, { roles: ['decision'] }, []])
  })
})

describe('answers', () => {
  test('an answer that holds is used again, and it says so', async () => {
    const in_ = served({ remembered: [remembered] })
    const ran = await switchyard(['ask', 'Which region?', '--remember', 'installation', '--json'], in_)
    expect([ran.code, ran.json, ran.stderr, asked(in_)]).toEqual([
      0,
      { id: 'ask:1111111111111111', state: 'answered', value: 'eu', by: ['ann'], at: NOW },
      expect.stringContaining('switchyard answers forget 0a1b2c3d4e5f'),
      [],
    ])
    expect(in_.audit).toMatchObject([{ action: 'clarification.remembered', actor: 'ben@example.org' }])
  })

  test('one of a delegate holds where who delegated it may answer, and nowhere else', async () => {
    const entry = { key: '', at: NOW, action: 'clarification.delegated', repo: '', number: null, snapshotId: null }
    const delegation = { ...entry, actor: 'ann', details: { id: remembered.clarification, to: 'bob' } }
    const in_ = served({ remembered: [{ ...remembered, by: ['bob'] }], audit: [delegation] })
    const ask = (who: string) =>
      switchyard(['ask', 'Which region?', '--remember', 'installation', '--who', who, '--json'], in_)
    expect((await ask('ann')).json).toMatchObject({ state: 'answered', value: 'eu', by: ['bob'] })
    expect((await ask('cem')).json).toMatchObject({ state: 'open' })
  })

  test.each([
    ['another context', ['--context', 'for backups']],
    ['options without it', ['--options', 'us,asia']],
  ])('is asked again with %s', async (_, flags) => {
    const in_ = served({ remembered: [remembered] })
    await switchyard(['ask', 'Which region?', '--remember', 'installation', ...flags], in_)
    expect(asked(in_)).toHaveLength(1)
  })

  test('list shows them', async () => {
    const in_ = served({ remembered: [remembered] })
    expect((await switchyard(['answers', 'list', '--json'], in_)).json).toEqual([remembered])
    expect((await switchyard(['answers', 'list'], in_)).stdout).toMatch(/0a1b2c3d4e5f +Which region\? +eu +ann/)
    expect((await switchyard(['answers', 'list'], served())).stdout).toBe('No answers are remembered.\n')
  })

  test('forget takes one away, and records who did', async () => {
    const in_ = served({ remembered: [remembered] })
    const ran = await switchyard(['answers', 'forget', '0a1b2c', '--as', 'ann'], in_)
    expect([ran.code, in_.remembered]).toEqual([0, []])
    expect(in_.audit).toMatchObject([{ actor: 'ann', action: 'clarification.forgotten' }])
  })

  test.each([
    ['none', '0a1c2c3d4e5f', 'unknown-answer'],
    ['two', '0a1b2c', 'ambiguous'],
    ['a slip', '0a1b2', 'unknown-answer'],
    ['nothing', '', 'unknown-answer'],
  ])('forget of an id that is %s of them: exit code 2', async (_, id, code) => {
    const in_ = served({ remembered: [remembered, { ...remembered, id: '0a1b2caaaaaa' }] })
    const ran = await switchyard(['answers', 'forget', id, '--json'], in_)
    expect([ran.code, ran.error.code, in_.remembered.length]).toEqual([2, code, 2])
  })
})
