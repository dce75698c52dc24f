import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MockActivityEnvironment } from '@temporalio/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createClarificationActivities, type ClarificationTools } from '#activities/clarification/activities'
import type { EnsureRequest, Ensured } from '#activities/clarification/ensure'
import type { TellRequest } from '#activities/clarification/tell'
import { NotifyError, type Notification, type NotifyTarget } from '#activities/notify/port'
import type { AskRequest } from '#activities/pipelines/port'
import { completeQuestion, type Asked } from '#domain/clarification/question'
import { opened, type ClarificationOutcome } from '#domain/clarification/state'
import type { Contact } from '#domain/contact'
import type { RememberedAnswer } from '#ledger/port'
import { openLedger } from '#ledger/sqlite'

const NOON_OF_A_MONDAY = '2026-03-02T12:00:00.000Z'
const chat: NotifyTarget = { via: 'slack', url: 'https://chat.test/secret-part' }
const contact = { login: null, email: null, groups: ['reviewers'], notify: [chat], hours: null }
const workdays = { days: [1, 2, 3, 4, 5], from: 9 * 60, to: 17 * 60 }

const asked: Asked = {
  ...{ kind: 'question', title: 'Ship it?', who: ['reviewers'], repo: 'shop', number: 12 },
  options: [
    { value: 'yes', label: 'Yes' },
    { value: 'no', label: 'No' },
  ],
}

/** The activities on a ledger of the test's own. `refuse`: what a delivery fails with. */
async function activities({
  people = [{ ...contact, name: 'ann' }],
  refuse = () => null,
  isOpen = true,
  own = null,
}: {
  people?: Contact[]
  refuse?: (notification: Notification) => Error | null
  isOpen?: boolean
  own?: ClarificationOutcome | null
} = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-clarification-'))
  const ledger = await openLedger(join(folder, 'ledger.db'), { synchronous: 'normal' })
  onTestFinished(async () => {
    await ledger.close()
    await rm(folder, { recursive: true, force: true })
  })
  const requests: AskRequest[] = []
  const withdrawn: string[] = []
  const told: Notification[] = []
  const tools: ClarificationTools = {
    ledger,
    people,
    pipelines: {
      async ask(request) {
        requests.push(request)
        return { workflowId: 'ask:2', outcome: own }
      },
      asked: async () => ({ workflowId: 'ask:2', outcome: own }),
      async withdraw({ key }) {
        withdrawn.push(key)
        return { workflowId: 'ask:2' }
      },
      isOpen: async () => isOpen,
    },
    notifier: {
      async send(_, notification) {
        const error = refuse(notification)
        if (error !== null) throw error
        told.push(notification)
      },
    },
    webUrl: () => null,
  }
  return { ...createClarificationActivities(tools), ledger, requests, withdrawn, told }
}

type World = Awaited<ReturnType<typeof activities>>

function ensure({ ensureClarification }: World, question: Asked, context?: string): Promise<Ensured> {
  const asker = { workflowId: 'pr:shop#12' }
  const request: EnsureRequest = { asker, key: 'ship', question, ...(context === undefined ? {} : { context }) }
  return new MockActivityEnvironment().run(ensureClarification, request) as Promise<Ensured>
}

const answered: ClarificationOutcome = {
  ...{ state: 'answered', value: 'yes', by: ['ann'], at: NOON_OF_A_MONDAY, comment: 'go' },
  answers: [{ by: 'ann', value: 'yes', comment: 'go', through: 'inbox', at: NOON_OF_A_MONDAY }],
}

function recordOf({ recordOutcome }: World, question: Asked, outcome = answered, talk = {}, id = 'ask:1') {
  const request = { id, ...talk, key: 'ship', asker: { workflowId: 'pr:shop#12' }, outcome }
  return new MockActivityEnvironment().run(recordOutcome, { ...request, question: completeQuestion(question) })
}

describe('what is asked', () => {
  it('is complete, and names the people who matter without how to reach them', async () => {
    const people = [
      { ...contact, name: 'ann' },
      { ...contact, name: 'zoe', groups: ['others'] },
    ]
    const world = await activities({ people })
    expect(await ensure(world, asked)).toEqual({ id: 'ask:2', outcome: null })
    expect(world.requests).toHaveLength(1)
    const [request] = world.requests
    expect(request!.question).toMatchObject({
      needed: 1,
      context: '',
      contextDigest: null,
      ladder: { atExpiry: 'park' },
    })
    expect(request!.people).toEqual([{ name: 'ann', login: null, email: null, groups: ['reviewers'] }])
  })

  it('shows no secret and no escape sequence', async () => {
    const world = await activities()
    const secret = `ghp_${'a1B2'.repeat(9)}`
    await ensure(world, { ...asked, title: `\u001b[31mUse ${secret}?`, context: `with ${secret}\u0007` })
    const text = JSON.stringify(world.requests)
    expect(text).not.toContain(secret)
    expect(text).not.toContain('\\u001b')
    expect(world.requests[0]!.question.title).toMatch(/^Use .*\*\*\*\*\?$/)
  })

  it('shows no secret that is parted by what is not seen', async () => {
    const world = await activities()
    const parts = ['ghp_a1B2', 'a1B2'.repeat(8)]
    const parted = parts.join('\u200b')
    await ensure(world, { ...asked, title: `Use ${parted}?`, context: `with ${parted}` })
    expect(JSON.stringify(world.requests)).not.toContain(parts[1])
  })

  it('carries the beginning of a long context, whose whole the ledger keeps', async () => {
    const world = await activities()
    const whole = `é${'0123456789abcdé'.repeat(1_000)}`
    await ensure(world, asked, whole)
    const { context, contextDigest } = world.requests[0]!.question
    expect(contextDigest).toBe(createHash('sha256').update(whole).digest('hex'))
    expect(context.endsWith('\n…')).toBe(true)
    expect(whole.startsWith(context.slice(0, -2))).toBe(true)
    expect(Buffer.byteLength(context)).toBeGreaterThan(4_090)
    expect(Buffer.byteLength(context)).toBeLessThanOrEqual(4_096)
    expect(await world.ledger.text(contextDigest!)).toBe(whole)
  })

  it.each([
    ['an empty title', { ...asked, title: ' ' }, undefined],
    ['a default that is no option', { ...asked, default: 'perhaps' }, undefined],
    ['a context of more than a megabyte', asked, 'x'.repeat(1_048_577)],
  ])('is refused for good with %s', async (_, question, context) => {
    const world = await activities()
    await expect(ensure(world, question, context)).rejects.toMatchObject({ type: 'Invalid', nonRetryable: true })
    expect(world.requests).toEqual([])
  })

  it('is on record once, however often it is read again', async () => {
    const world = await activities()
    await ensure(world, asked)
    await ensure(world, asked)
    expect(await world.ledger.audit({ action: 'clarification.asked' })).toHaveLength(1)
  })
})

describe('an answer that is remembered', () => {
  const remember = { scope: 'repository' as const, context: 'node 24' }

  it('is used for the same question and context, and says so', async () => {
    const world = await activities()
    await recordOf(world, { ...asked, remember })
    const { outcome } = await ensure(world, { ...asked, remember })
    expect(outcome).toMatchObject({ state: 'answered', value: 'yes', by: ['ann'], remembered: 'ask:1' })
    expect(world.requests).toEqual([])
    expect(world.withdrawn).toEqual(['ship'])
    expect(await world.ledger.audit({ action: 'clarification.remembered' })).toHaveLength(1)
  })

  it.each([
    ['another context', { ...asked, remember: { ...remember, context: 'node 26' } }],
    ['another repository', { ...asked, repo: 'bank', remember }],
    ['another title', { ...asked, title: 'Ship that?', remember }],
    ['options without it', { ...asked, options: [{ value: 'no', label: 'No' }], remember }],
    ['nothing to remember', asked],
  ])('is not used for %s', async (_, question) => {
    const world = await activities()
    await recordOf(world, { ...asked, remember })
    expect(await ensure(world, question)).toEqual({ id: 'ask:2', outcome: null })
  })

  it('is not used where people answered this very question', async () => {
    const no = { ...answered, value: 'no' }
    const world = await activities({ own: no })
    await recordOf(world, { ...asked, remember })
    expect(await ensure(world, { ...asked, remember })).toEqual({ id: 'ask:2', outcome: no })
    expect(world.withdrawn).toEqual([])
  })

  it('is never that of the question itself', async () => {
    const world = await activities()
    await recordOf(world, { ...asked, remember }, answered, {}, 'ask:2')
    expect(await ensure(world, { ...asked, remember })).toEqual({ id: 'ask:2', outcome: null })
  })

  it('is not used where it was given by one who may not answer this question', async () => {
    const world = await activities()
    await recordOf(world, { ...asked, remember }, { ...answered, by: ['mallory'] })
    expect(await ensure(world, { ...asked, remember })).toEqual({ id: 'ask:2', outcome: null })
  })

  it('is used where one who may answer this question had let somebody else give it', async () => {
    const world = await activities()
    const question = { ...asked, who: ['ann'], remember }
    const at = '2026-03-02T11:00:00.000Z'
    const other = { ...question, remember: { ...remember, context: 'node 22' } }
    await recordOf(world, other, answered, { delegations: [{ by: 'ann', to: 'mallory', at }] }, 'ask:7')
    await recordOf(world, question, { ...answered, by: ['eve'] }, { delegations: [{ by: 'ann', to: 'eve', at }] })
    expect((await ensure(world, question)).outcome).toMatchObject({ by: ['eve'], remembered: 'ask:1' })
    await recordOf(world, question, { ...answered, by: ['mallory'], at: '2026-03-02T14:00:00.000Z' }, {}, 'ask:8')
    expect((await ensure(world, question)).outcome).toBeNull()
  })

  it('stays forgotten, however late its question says again that it is to be remembered', async () => {
    const world = await activities()
    const question = { ...asked, remember }
    const later = { ...answered, at: '2026-03-02T13:00:00.000Z' }
    await recordOf(world, question)
    await recordOf(world, question, later, {}, 'ask:3')
    const [{ id, clarification, scope, title, value }] = (await world.ledger.rememberedAnswers({})) as [
      RememberedAnswer,
    ]
    await world.ledger.forgetAnswer(id)
    const at = '2026-03-02T14:00:00.000Z'
    await world.ledger.appendAudit({
      ...{ key: `clarification.forgotten:${id}:${at}`, at, actor: 'ann', action: 'clarification.forgotten' },
      ...{ repo: 'shop', number: null, snapshotId: null, details: { clarification, title, value, scope } },
    })
    await recordOf(world, question)
    await recordOf(world, question, later, {}, 'ask:3')
    expect(await world.ledger.rememberedAnswers({})).toEqual([])
    await recordOf(world, question, { ...answered, at: '2026-03-02T15:00:00.000Z' }, {}, 'ask:4')
    expect(await world.ledger.rememberedAnswers({})).toMatchObject([{ clarification: 'ask:4' }])
  })

  it('is kept of what people said, and of nothing else', async () => {
    const world = await activities()
    await recordOf(world, { ...asked, remember }, { ...answered, state: 'defaulted', by: [], answers: [] })
    expect(await world.ledger.rememberedAnswers({})).toEqual([])
  })
})

describe('an outcome', () => {
  it('is on record once, with who, when, through what and the context', async () => {
    const world = await activities()
    await recordOf(world, { ...asked, context: 'It is late.' })
    await recordOf(world, { ...asked, context: 'It is late.' })
    const entries = await world.ledger.audit({ repo: 'shop' })
    expect(entries).toMatchObject([
      {
        ...{ action: 'clarification.answered', actor: 'ann', at: NOON_OF_A_MONDAY, number: 12 },
        details: { value: 'yes', comment: 'go', through: 'inbox', id: 'ask:1', asker: 'pr:shop#12', key: 'ship' },
      },
    ])
    expect(await world.ledger.text(String(entries[0]!.details['context']))).toBe('It is late.')
  })

  it('comes with who passed the question on and what was said of it, once', async () => {
    const world = await activities()
    const delegations = [{ by: 'ann', to: 'bob', at: NOON_OF_A_MONDAY }]
    const remarks = ['why?', 'because'].map((text) => ({ by: 'bob', text, at: NOON_OF_A_MONDAY }))
    await recordOf(world, asked, answered, { delegations, remarks })
    await recordOf(world, asked, answered, { delegations, remarks })
    const common = { actor: 'bob', at: NOON_OF_A_MONDAY, repo: 'shop', number: 12 }
    expect(await world.ledger.audit({ action: 'clarification.delegated' })).toMatchObject([
      { ...common, actor: 'ann', details: { id: 'ask:1', to: 'bob' } },
    ])
    const said = await world.ledger.audit({ action: 'clarification.commented' })
    expect(said.map(({ details }) => details['text']).sort()).toEqual(['because', 'why?'])
    expect(said).toMatchObject([common, common])
  })

  it.each(['defaulted', 'expired', 'parked', 'cancelled'] as const)('that nobody gave is %s', async (state) => {
    const world = await activities()
    await recordOf(world, asked, { ...answered, state, by: [], answers: [] })
    expect(await world.ledger.audit({})).toMatchObject([{ action: `clarification.${state}`, actor: 'switchyard' }])
  })
})

describe('who is told', () => {
  const request: TellRequest = {
    ...{ id: 'ask:1', asker: { workflowId: 'pr:shop#12' }, event: 'asked', to: null, now: NOON_OF_A_MONDAY },
    state: opened(completeQuestion(asked), [], NOON_OF_A_MONDAY),
  }
  const attempt = (number: number, heartbeatDetails?: unknown) =>
    new MockActivityEnvironment({
      ...{ attempt: number, heartbeatDetails, heartbeatTimeoutMs: 10_000 },
      retryPolicy: { maximumAttempts: 3 },
    })

  it('is each who may answer, through each target, and nobody who has answered or may not', async () => {
    const people = [
      { ...contact, name: 'ann', notify: [chat, { via: 'terminal' as const }] },
      { ...contact, name: 'bob' },
      { ...contact, name: 'cem' },
      { ...contact, name: 'dan', notify: [] },
      { ...contact, name: 'zoe', groups: [] },
    ]
    const world = await activities({ people })
    const question = completeQuestion({ ...asked, not: ['cem'], needed: 2 })
    const state = { ...request.state, question, answers: [{ ...answered.answers[0]!, by: 'bob' }] }
    const result = await attempt(1).run(world.tellPeople, { ...request, state })
    expect(world.told.map(({ to }) => to)).toEqual(['ann', 'ann'])
    expect(new Set(world.told.map(({ id }) => id)).size).toBe(2)
    expect(result).toMatchObject({ delivered: 2, failed: 0, again: null })
    expect(JSON.stringify(result)).not.toContain('secret-part')
  })

  it('is nobody who is no longer in the configuration', async () => {
    const world = await activities()
    const gone = { name: 'gail', login: null, email: null, groups: ['reviewers'] }
    const told = await attempt(1).run(world.tellPeople, { ...request, state: { ...request.state, people: [gone] } })
    expect(told).toMatchObject({ people: [{ name: 'ann' }], delivered: 1 })
    expect(world.told.map(({ to }) => to)).toEqual(['ann'])
  })

  it('is told the same under the same id by every attempt', async () => {
    const world = await activities()
    await attempt(1).run(world.tellPeople, request)
    await attempt(2).run(world.tellPeople, request)
    expect(new Set(world.told.map(({ id }) => id)).size).toBe(1)
  })

  it('is left in peace by a later attempt, once reached', async () => {
    const people = [
      { ...contact, name: 'ann' },
      { ...contact, name: 'bob' },
    ]
    const world = await activities({ people, refuse: ({ to }) => (to === 'bob' ? new Error('down') : null) })
    const first = attempt(1)
    let details: unknown
    first.on('heartbeat', (given: unknown) => (details = given))
    await expect(first.run(world.tellPeople, request)).rejects.toMatchObject({ type: 'NotTold' })
    await expect(attempt(2, details).run(world.tellPeople, request)).rejects.toMatchObject({ type: 'NotTold' })
    expect(world.told.map(({ to }) => to)).toEqual(['ann'])
    expect(await attempt(3, details).run(world.tellPeople, request)).toMatchObject({ delivered: 1, failed: 1 })
  })

  it('is told once where others are not to wait, which says what is left to try', async () => {
    const people = ['ann', 'bob', 'cem'].map((name) => ({ ...contact, name }))
    const down: Record<string, Error> = { bob: new Error('down'), cem: new NotifyError('no such channel', false) }
    const world = await activities({ people, refuse: ({ to }) => down[to] ?? null })
    const told = await attempt(1).run(world.tellPeople, { ...request, once: true as const })
    expect(told).toMatchObject({ delivered: 1, failed: 2, left: [expect.stringContaining('/bob/')] })
    delete down['bob']
    await attempt(1).run(world.tellPeople, { ...request, only: (told as { left: string[] }).left })
    expect(world.told.map(({ to }) => to)).toEqual(['ann', 'bob'])
  })

  it('is not tried again where the target refuses for good', async () => {
    const world = await activities({ refuse: () => new NotifyError('no such channel', false) })
    expect(await attempt(1).run(world.tellPeople, request)).toMatchObject({ delivered: 0, failed: 1 })
  })

  it('is put off until they are at work, but for what is urgent', async () => {
    const people = [
      { ...contact, name: 'ann', hours: { ...workdays, zone: 'Pacific/Auckland' } },
      { ...contact, name: 'bob', hours: { ...workdays, zone: 'America/New_York' } },
      { ...contact, name: 'cem', hours: { ...workdays, zone: 'Europe/Berlin' } },
    ]
    const world = await activities({ people })
    const result = await attempt(1).run(world.tellPeople, request)
    expect(world.told.map(({ to }) => to)).toEqual(['cem'])
    expect(result).toMatchObject({ again: '2026-03-02T14:00:00.000Z', delivered: 1 })
    const state = { ...request.state, question: { ...request.state.question, urgent: true } }
    expect(await attempt(1).run(world.tellPeople, { ...request, state })).toMatchObject({ again: null, delivered: 3 })
  })

  it('hears in a reminder that nobody waits for the answer any more', async () => {
    const world = await activities({ isOpen: false })
    const reminder: TellRequest = { ...request, event: 'reminder' }
    await attempt(1).run(world.tellPeople, reminder)
    expect(world.told[0]!.context).toMatch(/has ended meanwhile/)
  })
})
