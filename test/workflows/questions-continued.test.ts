import { expect, it } from 'vitest'
import { question, questionsOf, say } from './clarify.ts'
import { record } from './record.ts'
import type { Shop } from './shop.ts'
import { until } from './until.ts'
import { inWorld, newShop, world } from './world.ts'

const SUGGESTED_AFTER = 40

/** Looks again and again, each time settled, until the pipeline has gone over into another run. Answers the first. */
async function untilNextRun(shop: Shop, number: number): Promise<string> {
  const { runId } = await shop.pipeline(number).describe()
  await until('it continued as new', async () => {
    await shop.look(number)
    await shop.rest(number)
    return (await shop.pipeline(number).describe()).runId !== runId
  })
  return runId
}

inWorld(
  'a question of a pull request that continues as new',
  () => {
    it('stays the same, and its answer is used by the next run', async () => {
      const shop = newShop()
      shop.setPolicy('checks: { tests: { run: ./test.sh }, review: { approvals: { ask: true } } }')
      const number = await shop.open()
      const before = await shop.rest(number)
      const runId = await untilNextRun(shop, number)
      const after = await shop.rest(number)
      expect(after.waiting!.command).toBe(before.waiting!.command)
      const id = after.waiting!.command!.split(' ')[2]!
      expect(await question(id)).toMatchObject({ state: 'open' })
      expect(await say(id, 'rita', 'approve')).toBeNull()
      expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
      expect(await questionsOf(shop, number)).toHaveLength(1)
      expect((await shop.pullRequest(number)).reviews).toHaveLength(1)
      const first = world().client.workflow.getHandle(shop.pipeline(number).workflowId, runId)
      await record('pullRequest', 'asked-and-continued-as-new', first)
    })

    it('is overridden for good', async () => {
      const shop = newShop()
      const rule = `rules: [{ name: small, require: { paths: { only: ['*.txt'] } } }]`
      shop.setPolicy(`merge: { auto: false }\n${rule}\noverrides: { rules: [small], by: [otto] }`)
      const number = await shop.open({ files: { 'a.js': 'x\n' } })
      const { waiting } = await shop.rest(number)
      const id = /asked as (ask:\w+)/.exec(waiting!.for)![1]!
      expect(await say(id, 'otto', 'override', 'the fair')).toBeNull()
      await shop.when(number, 'is approved', ({ decision }) => decision?.outcome === 'approve')
      await untilNextRun(shop, number)
      expect(await shop.merge(number)).toBeNull()
      expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    })
  },
  [`limit.historyCount.suggestContinueAsNew=${SUGGESTED_AFTER}`],
)
