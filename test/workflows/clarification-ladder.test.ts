import { expect, it } from 'vitest'
import { delegate } from '#contracts/clarification'
import {
  ask,
  askAlone,
  chatHangs,
  chatIsDown,
  inClarifications,
  long,
  outcomeOf,
  recorded,
  refusedOf,
  say,
  status,
  toldOf,
  yesOrNo,
} from './clarifications.ts'
import { known } from './askers.ts'
import { record } from './record.ts'
import { until } from './until.ts'

inClarifications('the ladder of a question', () => {
  it('reminds again and again, under an id of its own each time, and not whoever answered', async () => {
    const ladder = { ...long, remindAfter: 200, remindEvery: 150 }
    const { question } = await ask({ ...yesOrNo, needed: 2, ladder })
    expect(await say(question, 'ann', 'yes')).toBeNull()
    const reminders = (name: string) => toldOf(question).filter(({ event, to }) => event === 'reminder' && to === name)
    const earlier = reminders('bob').length
    await until('bob was reminded', () => reminders('bob').length >= earlier + 3)
    const ids = toldOf(question).map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    const newest = reminders('bob').at(-1)!.id.split('/')[1]!
    expect(reminders('ann').filter(({ id }) => id.includes(`/${newest}/`))).toEqual([])
    expect(await say(question, 'bob', 'yes')).toBeNull()
    await question.result()
  })

  it('reminds once where it says so', async () => {
    const question = await askAlone({ ...yesOrNo, ladder: { ...long, remindAfter: 100, remindEvery: null } })
    await until('they were reminded', () => toldOf(question).some(({ event }) => event === 'reminder'))
    expect(await status(question)).toMatchObject({ next: { action: 'expire' } })
    await question.terminate()
  })

  it('asks the next group, which may answer only then', async () => {
    const escalateTo = [['managers']]
    const notYet = await askAlone({ ...yesOrNo, ladder: { ...long, escalateTo } })
    expect(await say(notYet, 'dora', 'yes')).toBe('NotAllowed')
    await notYet.terminate()
    const { asker, question } = await ask({ ...yesOrNo, ladder: { ...long, escalateAfter: 200, escalateTo } })
    await until('dora was asked', () =>
      toldOf(question).some(({ to, event }) => to === 'dora' && event === 'escalation'),
    )
    expect(await say(question, 'dora', 'yes')).toBeNull()
    expect(await outcomeOf(asker)).toMatchObject({ value: 'yes', by: ['dora'] })
    await record('clarification', 'escalated', question)
  })

  it('takes the default at expiry', async () => {
    const ladder = { ...long, expiresAfter: 200, atExpiry: 'default' as const }
    const { asker, question } = await ask({ ...yesOrNo, default: 'no', ladder })
    expect(await outcomeOf(asker)).toMatchObject({ state: 'defaulted', value: 'no', by: [] })
    await question.result()
    expect((await recorded(question)).map(({ action }) => action)).toContain('clarification.defaulted')
    await record('clarification', 'defaulted', question)
  })

  it('fails at expiry', async () => {
    const ladder = { ...long, expiresAfter: 200, atExpiry: 'fail' as const }
    const { asker, question } = await ask({ ...yesOrNo, ladder })
    expect(await outcomeOf(asker)).toMatchObject({ state: 'expired', value: null })
    await question.result()
    expect((await recorded(question)).map(({ action }) => action)).toContain('clarification.expired')
  })

  it('is parked at expiry, and gives an answer that comes after all', async () => {
    const ladder = { ...long, expiresAfter: 200, atExpiry: 'park' as const }
    const { asker, question } = await ask({ ...yesOrNo, ladder }, { patient: true })
    await until('the asker knows', async () => {
      const { first } = await asker.query(known)
      return first!.state === 'parked'
    })
    await until('people know', () => toldOf(question).some(({ event }) => event === 'parked'))
    expect(await status(question)).toMatchObject({ state: 'parked' })
    expect(await say(question, 'bob', 'no')).toBeNull()
    expect(await outcomeOf(asker)).toMatchObject({ state: 'answered', value: 'no', by: ['bob'] })
    await question.result()
    const actions = (await recorded(question)).map(({ action }) => action)
    expect(actions).toEqual(expect.arrayContaining(['clarification.parked', 'clarification.answered']))
    await record('clarification', 'parked-then-answered', question)
  })

  it('lets its asker go on when it is parked, and records the answer that nobody waits for', async () => {
    const ladder = { ...long, remindEvery: 200, expiresAfter: 200, atExpiry: 'park' as const }
    const { asker, question } = await ask({ ...yesOrNo, ladder })
    expect(await outcomeOf(asker)).toMatchObject({ state: 'parked', value: null })
    await until('it says that nobody waits', () => {
      const [newest] = toldOf(question).filter(({ event, context }) => event === 'reminder' && /ended/.test(context))
      return newest
    })
    expect(await say(question, 'bob', 'yes')).toBeNull()
    expect(await question.result()).toMatchObject({ state: 'answered', value: 'yes' })
    expect((await recorded(question)).map(({ action }) => action)).toContain('clarification.answered')
  })

  it('waits with its reminders for the hours in which somebody works', async () => {
    const ladder = { ...long, remindAfter: 100, expiresAfter: null }
    const { question } = await ask({ ...yesOrNo, who: ['night'], ladder })
    const { next } = await until('it is put off', async () => {
      const { next: rung, ...rest } = await status(question)
      return rung !== null && Date.parse(rung.at) > Date.now() + 86_400_000 ? { ...rest, next: rung } : null
    })
    expect(next.action).toBe('remind')
    expect(toldOf(question)).toEqual([])
    expect(await say(question, 'eve', 'yes')).toBeNull()
  })

  it('wakes anybody for what is urgent', async () => {
    const question = await askAlone({ ...yesOrNo, who: ['night'], urgent: true })
    await until('eve was told', () => toldOf(question).some(({ to }) => to === 'eve'))
    await question.terminate()
  })

  it('tells those who are at work now, and the others when they are', async () => {
    const ladder = { ...long, remindAfter: null, expiresAfter: null }
    const question = await askAlone({ ...yesOrNo, who: ['bob', 'eve'], ladder })
    await until('bob was told', () => toldOf(question).some(({ to }) => to === 'bob'))
    const { next } = await until('it wakes for eve', async () => {
      const { next: rung } = await status(question)
      return rung === null ? null : { next: rung }
    })
    expect(next.action).toBe('remind')
    expect(Date.parse(next.at)).toBeGreaterThan(Date.now() + 86_400_000)
    expect(toldOf(question).filter(({ to }) => to === 'eve')).toEqual([])
    await question.terminate()
  })

  it('takes an answer and keeps its time while the target of a notification is down', async () => {
    chatIsDown('Is the chat down for long?', 1_000)
    const ladder = { ...long, expiresAfter: 800, atExpiry: 'fail' as const }
    const answered = await askAlone({ ...yesOrNo, title: 'Is the chat down for long?' })
    const expired = await askAlone({ ...yesOrNo, title: 'Is the chat down for long?', ladder })
    await until('it was tried again', () => refusedOf(answered).length >= 6)
    expect(await say(answered, 'ann', 'yes')).toBeNull()
    expect(await answered.result()).toMatchObject({ state: 'answered' })
    expect(await expired.result()).toMatchObject({ state: 'expired' })
  })

  it('lets those answer to whom it was passed on while the target of a notification is down', async () => {
    chatIsDown('Is the chat down for dora?', 1_000)
    const question = await askAlone({ ...yesOrNo, title: 'Is the chat down for dora?' })
    await question.executeUpdate(delegate, { args: [{ by: 'ann', to: 'managers' }] })
    await until('dora may answer', async () => (await say(question, 'dora', 'yes')) === null, 5_000)
    expect(await question.result()).toMatchObject({ by: ['dora'] })
  })

  it('counts nobody to a group who is not known any more', async () => {
    const gone = { name: 'gail', login: null, email: null, groups: ['reviewers'] }
    const question = await askAlone(yesOrNo, undefined, [gone])
    await until('gail is a stranger', async () => (await say(question, 'gail', 'perhaps')) === 'NotAllowed')
    expect(await say(question, 'ann', 'yes')).toBeNull()
    expect(await question.result()).toMatchObject({ by: ['ann'] })
  })

  it('wakes for those who are off, and asks the next group, while a target hangs', async () => {
    const title = 'Does the chat of hank hang?'
    chatHangs('hank', title)
    const ladder = {
      ...long,
      remindAfter: null,
      remindEvery: null,
      expiresAfter: null,
      escalateAfter: 300,
      escalateTo: [['dora']],
    }
    const question = await askAlone({ ...yesOrNo, title, who: ['hank', 'eve'], ladder })
    await until('dora was asked', () => toldOf(question).some(({ to }) => to === 'dora'), 5_000)
    const next = await until('it wakes for eve', async () => (await status(question)).next, 20_000)
    expect(Date.parse(next.at)).toBeGreaterThan(Date.now() + 86_400_000)
    expect(toldOf(question).map(({ to }) => to)).toEqual(['dora'])
    await question.terminate()
  })

  it('tells each person once, of those whose target was up and of those whose was down', async () => {
    chatIsDown('Is the chat down for a while?', 2)
    const question = await askAlone({ ...yesOrNo, title: 'Is the chat down for a while?' })
    await until('all were told', () => toldOf(question).length === 3)
    expect(refusedOf(question)).toHaveLength(6)
    expect(new Set([...toldOf(question), ...refusedOf(question)].map(({ id }) => id)).size).toBe(3)
    await question.terminate()
  })
})
