import { expect, it } from 'vitest'
import { comment } from '#contracts/clarification'
import {
  ask,
  askAlone,
  chatIsDown,
  inClarifications,
  long,
  outcomeOf,
  recorded,
  say,
  status,
  toldOf,
  world,
  yesOrNo,
} from './clarifications.ts'
import { record } from './record.ts'
import { until } from './until.ts'

const SUGGESTED_AFTER = 40

inClarifications(
  'a question that continues as new',
  () => {
    it('forgets no answer, no comment and no rung, and tells nobody anew', async () => {
      const ladder = { ...long, expiresAfter: 30_000, escalateAfter: 200, escalateTo: [['managers']] }
      const { asker, question } = await ask({ ...yesOrNo, needed: 2, ladder })
      const { runId } = await question.describe()
      await until('dora was asked', () => toldOf(question).some(({ to }) => to === 'dora'))
      expect(await say(question, 'ann', 'yes')).toBeNull()
      const before = await status(question)
      let comments = 0
      await until('it continued as new', async () => {
        await question.executeUpdate(comment, { args: [{ by: 'bob', text: `thought ${(comments += 1)}` }] })
        return (await question.describe()).runId !== runId
      })
      await record('clarification', 'continued-as-new', world().client.workflow.getHandle(question.workflowId, runId))
      const after = await status(question)
      expect(after).toMatchObject({ askedAt: before.askedAt, expiresAt: before.expiresAt, answers: [{ by: 'ann' }] })
      expect(after.remarks).toHaveLength(comments)
      expect((await question.describe()).memo).toMatchObject({ clarification: { title: 'Shall it go on?' } })
      expect(await say(question, 'dora', 'yes')).toBeNull()
      expect(await outcomeOf(asker)).toMatchObject({ value: 'yes', by: ['ann', 'dora'] })
      await question.result()
      expect(toldOf(question).filter(({ to, event }) => to === 'bob' && event === 'asked')).toHaveLength(1)
      expect((await recorded(question)).filter(({ actor }) => actor === 'dora')).toHaveLength(1)
    })

    it('does so where each reminder takes longer than the time to the next', async () => {
      chatIsDown('Is the chat slow?', 5)
      const ladder = { ...long, remindAfter: 200, remindEvery: 150 }
      const question = await askAlone({ ...yesOrNo, title: 'Is the chat slow?', ladder })
      const { runId } = await question.describe()
      const newest = world().client.workflow.getHandle(question.workflowId)
      await until('it continued as new', async () => (await newest.describe()).runId !== runId)
      expect(await say(newest, 'ann', 'yes')).toBeNull()
    })

    it('does so at once under a storm of signals, of which none is lost', async () => {
      const { asker, question } = await ask({ ...yesOrNo, needed: 50, who: [] })
      const answers = Array.from({ length: 200 }, (_, index) =>
        question.signal('reply', { by: `person-${index}`, value: index % 2 === 0 ? 'yes' : 'no' }),
      )
      await Promise.allSettled(answers)
      const { answers: given } = await outcomeOf(asker)
      expect(given.length).toBeGreaterThanOrEqual(50)
      expect(new Set(given.map(({ by }) => by)).size).toBe(given.length)
    })
  },
  [`limit.historyCount.suggestContinueAsNew=${SUGGESTED_AFTER}`],
)
