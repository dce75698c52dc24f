import { expect, it } from 'vitest'
import { inWorld, newShop, world } from './world.ts'

/** Seconds after which a worker that died in the middle of a task is given up. */
async function taskTimeoutOf(workflowId: string): Promise<number> {
  const { raw } = await world().client.workflow.getHandle(workflowId).describe()
  const { seconds, nanos } = raw.executionConfig!.defaultWorkflowTaskTimeout!
  return Number(seconds) + (nanos ?? 0) / 1e9
}

inWorld('a workflow task whose worker died', () => {
  it('is tried again within three seconds, of a pull request, its question, its queue and its watch', async () => {
    const shop = newShop()
    await shop.ended(await shop.open())
    shop.setPolicy('checks: { tests: { run: ./test.sh }, review: { approvals: { ask: true } } }')
    const number = await shop.open()
    const { waiting } = await shop.rest(number)
    await shop.pipelines.watchRepository(shop.repo)
    const question = waiting!.command!.split(' ')[2]!
    for (const id of [shop.pipeline(number).workflowId, question, shop.queue().workflowId, `watch:${shop.repo}`]) {
      expect(await taskTimeoutOf(id), id).toBeLessThanOrEqual(3)
    }
  })
})
