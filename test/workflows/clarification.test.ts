import { expect, it } from 'vitest'
import { searchAttributes } from '#contracts/search-attributes'
import { ask, inClarifications, outcomeOf, recorded, say, signal, status, toldOf, yesOrNo } from './clarifications.ts'
import { record } from './record.ts'
import { until } from './until.ts'

inClarifications('a question to people', () => {
  it('tells those who may answer, and gives the answer by an update to whoever asked', async () => {
    const { asker, question } = await ask({ ...yesOrNo, context: 'It is **late**.' })
    await until('they were told', () => toldOf(question).length === 3)
    expect(
      toldOf(question)
        .map(({ to, event }) => `${event} ${to}`)
        .sort(),
    ).toEqual(['asked ann', 'asked bob', 'asked cem'])
    expect(toldOf(question)[0]).toMatchObject({
      title: 'Shall it go on?',
      context: 'It is **late**.',
      command: `switchyard answer ${question.workflowId}`,
      webUrl: `http://ui.test/${question.workflowId}`,
    })
    expect(await say(question, 'ann', 'yes', 'it is not late')).toBeNull()
    const outcome = await outcomeOf(asker)
    expect(outcome).toMatchObject({ state: 'answered', value: 'yes', by: ['ann'], comment: 'it is not late' })
    expect(await question.result()).toEqual(outcome)
    await record('clarification', 'answered', question)
  })

  it('takes an answer by a signal', async () => {
    const { asker, question } = await ask(yesOrNo)
    await signal(question, 'bob', 'no')
    expect(await outcomeOf(asker)).toMatchObject({ value: 'no', answers: [{ by: 'bob', through: 'signal' }] })
  })

  it('puts on record who answered what, when, through what and with which context', async () => {
    const { asker, question } = await ask({ ...yesOrNo, context: 'It is late.', repo: 'shop', number: 12 })
    await say(question, 'ann', 'yes', 'go')
    await question.result()
    const [asked, answered, ...more] = await recorded(question)
    expect(more).toEqual([])
    expect(asked).toMatchObject({ action: 'clarification.asked', repo: 'shop', number: 12 })
    const { at, details } = answered!
    expect(answered).toMatchObject({ action: 'clarification.answered', actor: 'ann', repo: 'shop', number: 12 })
    expect(details).toMatchObject({ value: 'yes', comment: 'go', through: 'cli', asker: asker.workflowId })
    expect(((await question.result()) as { at: string }).at).toBe(at)
  })

  it('shows in lists what it waits for, and then that it waits no more', async () => {
    const { question } = await ask({ ...yesOrNo, repo: 'shop', number: 12 })
    const shown = async () => {
      const { memo, searchAttributes } = await question.describe()
      return { memo: memo?.['clarification'] as { state: string }, ...searchAttributes }
    }
    await until('it is shown', async () => 'Deadline' in (await shown()))
    expect(await shown()).toMatchObject({
      ...{ memo: { state: 'open', title: 'Shall it go on?', who: ['reviewers'], repo: 'shop', number: 12 } },
      ...{ Pipeline: ['clarification'], Repo: ['shop'], Pr: [12], Phase: ['open'], Role: ['decision'] },
      WaitingOn: ['Shall it go on?'],
    })
    await say(question, 'ann', 'yes')
    await question.result()
    expect(await shown()).toMatchObject({ memo: { state: 'answered' }, Phase: ['answered'] })
    const { typedSearchAttributes } = await question.describe()
    expect(typedSearchAttributes.get(searchAttributes.WaitingOn)).toBeUndefined()
    expect(typedSearchAttributes.get(searchAttributes.Deadline)).toBeUndefined()
  })

  it('waits for no more than it must: nothing is told after the answer, and no worker keeps it in memory', async () => {
    const { question } = await ask(yesOrNo)
    expect(await status(question)).toMatchObject({ state: 'open', answered: [], outcome: null })
    await say(question, 'ann', 'yes')
    await question.result()
    expect(toldOf(question).every(({ event }) => event === 'asked')).toBe(true)
  })
})
