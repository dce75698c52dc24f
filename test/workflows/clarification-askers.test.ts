import type { WorkflowHandle } from '@temporalio/client'
import { expect, it } from 'vitest'
import { answered, comment } from '#contracts/clarification'
import { completeQuestion } from '#domain/clarification/question'
import { forget, handOver, known, takeBack } from './askers.ts'
import {
  ask,
  askAlone,
  inClarifications,
  long,
  outcomeOf,
  recorded,
  say,
  startAsker,
  status,
  toldOf,
  world,
  yesOrNo,
} from './clarifications.ts'
import { record } from './record.ts'
import { until } from './until.ts'

/** Lets a workflow begin again behind its first task, as an operator would; what was signalled since is sent again. */
async function reset({ workflowId }: WorkflowHandle): Promise<void> {
  const { client, namespace } = world()
  const handle = client.workflow.getHandle(workflowId)
  const { events } = await handle.fetchHistory()
  const first = events!.find(({ workflowTaskCompletedEventAttributes }) => workflowTaskCompletedEventAttributes)!
  await client.workflowService.resetWorkflowExecution({
    namespace,
    workflowExecution: { workflowId, runId: (await handle.describe()).runId },
    requestId: `reset ${workflowId} ${Date.now()}`,
    reason: 'a test',
    workflowTaskFinishEventId: first.eventId!,
  })
}

async function runOf(handle: WorkflowHandle): Promise<string> {
  return (await world().client.workflow.getHandle(handle.workflowId).describe()).runId
}

function askAgain(key: string) {
  return world().pipelines.ask({ asker: null, key, question: completeQuestion(yesOrNo), people: [] })
}

const newest = ({ workflowId }: WorkflowHandle) => world().client.workflow.getHandle(workflowId)

inClarifications('whoever asks', () => {
  it('asks several at once, and gets what each of them brought', async () => {
    const { asker, id } = await ask({ one: yesOrNo, two: { ...yesOrNo, title: 'And this?' } })
    expect(id('one').workflowId).not.toBe(id('two').workflowId)
    expect(await say(id('two'), 'bob', 'no')).toBeNull()
    expect(await say(id('one'), 'ann', 'yes')).toBeNull()
    expect(await asker.result()).toMatchObject({ one: { value: 'yes' }, two: { value: 'no' } })
  })

  it('asks once under one key, while it is open and after it ended', async () => {
    const question = await askAlone(yesOrNo, 'the key of two')
    const again = await askAlone({ ...yesOrNo, title: 'Something else?' }, 'the key of two')
    expect(again.workflowId).toBe(question.workflowId)
    expect(await status(question)).toMatchObject({ title: 'Shall it go on?' })
    expect(await say(question, 'ann', 'yes')).toBeNull()
    await question.result()
    expect(await askAgain('the key of two')).toMatchObject({
      workflowId: question.workflowId,
      outcome: { state: 'answered', value: 'yes' },
    })
  })

  it('hears of one that was parked when it asks again', async () => {
    const ladder = { ...long, expiresAfter: 100, atExpiry: 'park' as const }
    const question = await askAlone({ ...yesOrNo, ladder }, 'a parked key')
    const { outcome } = await until('it knows', async () => {
      const again = await askAgain('a parked key')
      return again.outcome === null ? null : again
    })
    expect(outcome).toMatchObject({ state: 'parked' })
    await question.terminate()
  })

  it('gets the answer to what it asked before it continued as new', async () => {
    const { asker, question } = await ask(yesOrNo)
    const before = await runOf(asker)
    await until('ann was told', () => toldOf(question).some(({ to }) => to === 'ann'))
    await asker.signal(handOver)
    await until('it continued as new', async () => (await runOf(asker)) !== before)
    expect(await say(question, 'ann', 'yes')).toBeNull()
    expect(await outcomeOf(newest(asker))).toMatchObject({ value: 'yes' })
    expect(toldOf(question).filter(({ to }) => to === 'ann')).toHaveLength(1)
  })

  it('gets the answer to what it asked before it was reset', async () => {
    const { asker, question } = await ask(yesOrNo)
    await reset(asker)
    expect(await say(question, 'ann', 'yes')).toBeNull()
    expect(await outcomeOf(newest(asker))).toMatchObject({ value: 'yes' })
    const asks = (await recorded(question)).filter(({ action }) => action === 'clarification.asked')
    expect(asks).toHaveLength(1)
  })

  it('gets the answer again when it is reset after it came', async () => {
    const { asker, question } = await ask({ first: yesOrNo, second: yesOrNo })
    expect(await say(question, 'ann', 'yes')).toBeNull()
    await question.result()
    await reset(asker)
    await until('it knows again', async () => {
      const of = await newest(asker).query(known)
      return of['first']!.state === 'answered' && of['second']!.id !== null ? of : null
    })
    const { second } = await newest(asker).query(known)
    expect(await say(world().client.workflow.getHandle(second!.id!), 'bob', 'no')).toBeNull()
    expect(await newest(asker).result()).toMatchObject({ first: { value: 'yes' }, second: { value: 'no' } })
  })

  it('gets an answer that counted before the question heard that it was taken back, also in its next run', async () => {
    const { asker, question } = await ask({ first: yesOrNo, second: yesOrNo })
    const state = async () => (await newest(asker).query(known))['first']!.state
    const { runId } = await asker.describe()
    await asker.signal(takeBack, 'first')
    await until('it is taken back', async () => (await state()) === 'cancelled')
    await asker.signal(handOver)
    await until('it continued as new', async () => (await runOf(asker)) !== runId)
    const said = { value: 'no', by: ['ann'], at: '', comment: '', answers: [] }
    const tell = (id: string, how: 'answered' | 'defaulted') =>
      newest(asker).signal(answered, { id, key: 'first', outcome: { state: how, ...said } })
    await tell('ask:0000000000000000', 'answered')
    await tell(question.workflowId, 'defaulted')
    expect(await state()).toBe('cancelled')
    await tell(question.workflowId, 'answered')
    await until('it knows the answer', async () => (await state()) === 'answered')
    await newest(asker).cancel()
  })

  it('forgets a question without taking it back, and gets its outcome where it asks again', async () => {
    const { asker, question } = await ask({ first: { ...yesOrNo, needed: 2 }, second: yesOrNo })
    const first = async () => (await newest(asker).query(known))['first']!
    expect(await say(question, 'ann', 'yes')).toBeNull()
    await until('it heard the answer', async () => (await first()).answers.length === 1)
    await asker.signal(forget, 'first')
    const nothing = { id: null, state: null, answers: [], remarks: [] }
    await until('it is forgotten', async () => (await first()).id === null)
    expect(await first()).toEqual(nothing)
    expect(await say(question, 'bob', 'yes')).toBeNull()
    await question.result()
    expect(await first()).toEqual(nothing)
    const { runId } = await asker.describe()
    await asker.signal(handOver)
    await until('it continued as new', async () => (await runOf(asker)) !== runId)
    await until('it asked again', async () => (await first()).state === 'answered')
    expect(await first()).toMatchObject({ id: question.workflowId })
    await newest(asker).cancel()
  })

  it('hears each answer while others lack, and each comment, also in its next run', async () => {
    const { asker, question } = await ask({ ...yesOrNo, needed: 2 })
    const said = async () => {
      const { answers, remarks } = (await newest(asker).query(known))['first']!
      return `${answers.map(({ by, value }) => `${by} ${value}`).join()}; ${remarks.map(({ text }) => text).join()}`
    }
    expect(await say(question, 'ann', 'yes', 'go')).toBeNull()
    await until('it heard the answer', async () => (await said()) === 'ann yes; ')
    expect(await say(question, 'ann', 'yes', 'go')).toBeNull()
    await question.executeUpdate(comment, { args: [{ by: 'bob', text: 'which region?' }] })
    await until('it heard the comment', async () => (await said()) === 'ann yes; which region?')
    const { runId } = await asker.describe()
    await asker.signal(handOver)
    await until('it continued as new', async () => (await runOf(asker)) !== runId)
    expect(await said()).toBe('ann yes; which region?')
    const { events } = await question.fetchHistory()
    expect(events!.filter((event) => event.signalExternalWorkflowExecutionInitiatedEventAttributes)).toHaveLength(2)
    await record('clarification', 'answered-in-part', question)
    expect(await say(question, 'bob', 'yes')).toBeNull()
    expect(await outcomeOf(newest(asker))).toMatchObject({ value: 'yes', by: ['ann', 'bob'] })
  })

  it('carries nothing of a word that is too long', async () => {
    const { asker, question } = await ask(yesOrNo)
    const said = { value: 'yes', by: ['ann'], at: '', comment: 'x'.repeat(1_000_000), answers: [] }
    await asker.signal(answered, { id: question.workflowId, key: 'first', outcome: { state: 'answered', ...said } })
    expect(await say(question, 'ann', 'no')).toBeNull()
    expect(await outcomeOf(asker)).toMatchObject({ value: 'no' })
  })

  it('takes back what it asked when it is aborted', async () => {
    const { asker, question } = await ask(yesOrNo)
    await asker.cancel()
    expect(await question.result()).toMatchObject({ state: 'cancelled', comment: 'its asker was aborted' })
    await expect(asker.result()).rejects.toThrow()
  })

  it('may have ended: the answer counts all the same, and is put on record', async () => {
    const { asker, question } = await ask(yesOrNo)
    await asker.terminate()
    expect(await say(question, 'ann', 'yes')).toBeNull()
    expect(await question.result()).toMatchObject({ state: 'answered', value: 'yes' })
    expect((await recorded(question)).map(({ action }) => action)).toContain('clarification.answered')
    await record('clarification', 'asker-ended', question)
  })

  it('learns by itself what no signal told it', async () => {
    const { asker, question } = await ask(yesOrNo, { timings: { sweep: 50 } })
    await question.terminate()
    expect(await outcomeOf(asker)).toMatchObject({ state: 'cancelled', comment: 'its workflow TERMINATED' })
  })

  it('drops what is no answer to what it asked', async () => {
    const { asker, question } = await ask(yesOrNo)
    const outcome = { state: 'answered', value: 'no', by: ['eve'], at: '', comment: '', answers: [] } as const
    const words = [
      null,
      7,
      {},
      { id: question.workflowId, key: 'first' },
      { id: question.workflowId, key: 'x', outcome },
    ]
    const forged = [
      { id: 'ask:0000000000000000', key: 'first', outcome },
      { id: 1, key: 2, outcome: 3 },
    ]
    for (const word of [...words, ...forged]) await asker.signal(answered, word as never)
    expect(await say(question, 'ann', 'yes')).toBeNull()
    expect(await outcomeOf(asker)).toMatchObject({ value: 'yes' })
  })

  it('gets an answer that was remembered, and says from which question', async () => {
    const remember = { scope: 'repository' as const, context: 'node 24' }
    const asked = { ...yesOrNo, title: 'Remember me?', repo: 'shop', remember }
    const first = await ask(asked)
    const meanwhile = await ask(asked, { timings: { sweep: 50 } })
    expect(await say(first.question, 'ann', 'yes', 'always')).toBeNull()
    await first.question.result()
    const remembered = { value: 'yes', by: ['ann'], comment: 'always', remembered: first.question.workflowId }
    expect(await outcomeOf(meanwhile.asker)).toMatchObject(remembered)
    expect(await meanwhile.question.result()).toMatchObject({ state: 'cancelled' })
    expect(await outcomeOf(await startAsker({ asked: { first: asked } }))).toMatchObject(remembered)
    const other = await askAlone({ ...asked, repo: 'another' })
    expect(await status(other)).toMatchObject({ state: 'open' })
    await other.terminate()
  })

  it('is refused what can not be asked', async () => {
    const asker = await startAsker({ asked: { first: { ...yesOrNo, title: ' ' } } })
    await expect(asker.result()).rejects.toMatchObject({ cause: { cause: { type: 'Invalid' } } })
  })
})
