import type { WorkflowHandle } from '@temporalio/client'
import { expect, it } from 'vitest'
import { repositoryWatchStatus } from '#contracts/repository-watch'
import { record } from './record.ts'
import { passed, red } from './scripted-check.ts'
import { until } from './until.ts'
import { inWorld, newShop, world } from './world.ts'

const SUGGESTED_AFTER = 40

async function runOf(handle: WorkflowHandle): Promise<string> {
  return (await handle.describe()).runId
}

/** Does something again and again, each time settled, until the pipeline has gone over into another run. */
async function untilNextRun(handle: WorkflowHandle, act: () => Promise<unknown>): Promise<void> {
  const first = await runOf(handle)
  await until('it continued as new', async () => {
    await act()
    return (await runOf(handle)) !== first
  })
}

inWorld(
  'continue-as-new',
  () => {
    it('loses no entry of the queue and lands none twice', async () => {
      const shop = newShop()
      const numbers: number[] = []
      for (let count = 0; count < 8; count += 1) numbers.push(await shop.open({}, { hint: 'lost' }))
      shop.tests.answers('hold', passed)
      for (const [place, number] of numbers.entries()) {
        const { id } = await world().forgeActivities.takeSnapshot({ repo: shop.repo, number })
        await shop.pipelines.enqueue(await shop.approvedEntry(number, id))
        if (place === 0) await shop.tests.started(1)
      }
      const first = await runOf(shop.queue())
      shop.tests.runs[0]!.finish(passed)
      await until('all landed', () => shop.landed().length >= numbers.length)
      expect(shop.landed()).toEqual(numbers)
      expect(await runOf(shop.queue())).not.toBe(first)
      await record('mergeQueue', 'continued-as-new', world().client.workflow.getHandle(shop.queue().workflowId, first))
    })

    it('loses nothing of what a pull request knows', async () => {
      const shop = newShop()
      const number = await shop.open({ draft: true })
      await shop.rest(number)
      const { runId } = await shop.pipeline(number).describe()
      await untilNextRun(shop.pipeline(number), () => shop.look(number))
      expect(await shop.rest(number)).toMatchObject({ phase: 'waiting', decision: { outcome: 'wait' } })
      await record(
        'pullRequest',
        'continued-as-new',
        world().client.workflow.getHandle(`pr:${shop.repo}#${number}`, runId),
      )
      await shop.update(number, { draft: false })
      expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
      await record('pullRequest', 'continued-then-landed', shop.pipeline(number))
      expect(shop.tests.runs).toHaveLength(1)
      expect(shop.effects('commented', number)).toHaveLength(1)
    })

    it('keeps the place of a pull request in the queue', async () => {
      const shop = newShop()
      shop.setPolicy('merge: { auto: false }')
      const number = await shop.open()
      await shop.rest(number)
      shop.pushBase({ 'base.txt': 'moved\n' })
      shop.tests.hold()
      await shop.merge(number)
      const run = await shop.tests.started(2)
      await untilNextRun(shop.pipeline(number), () => shop.look(number))
      expect(run.state).toBe('running')
      run.finish(passed)
      expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
      expect(shop.landed()).toEqual([number])
      expect(shop.tests.runs).toHaveLength(2)
    })

    it('takes a pull request out of the queue that changed meanwhile', async () => {
      const shop = newShop()
      shop.setPolicy('merge: { auto: false }')
      const number = await shop.open()
      await shop.rest(number)
      shop.pushBase({ 'base.txt': 'moved\n' })
      shop.tests.hold()
      await shop.merge(number)
      const run = await shop.tests.started(2)
      await untilNextRun(shop.pipeline(number), () => shop.look(number))
      shop.tests.answers(passed)
      await shop.submitReview(number, 'bob', 'changes-requested')
      await shop.phase(number, 'rejected')
      await until('its test was stopped', () => run.state === 'aborted')
      expect(shop.landed()).toEqual([])
    })

    it('forgets no `pr review`', async () => {
      const shop = newShop()
      shop.tests.answers(red)
      const number = await shop.open()
      await shop.phase(number, 'rejected')
      const first = await runOf(shop.pipeline(number))
      for (let count = 2; count <= 8; count += 1) {
        expect(await shop.rerun(number)).toBeNull()
        await shop.tests.started(count)
      }
      expect(await runOf(shop.pipeline(number))).not.toBe(first)
    })

    it('comes between two looks that void the checks, and only the last head is decided', async () => {
      const shop = newShop({ sweep: 50 })
      shop.tests.hold()
      const number = await shop.open()
      const first = await runOf(shop.pipeline(number))
      for (let count = 1; count <= 6; count += 1) {
        await shop.tests.started(count)
        if (count === 6) shop.tests.answers(passed)
        await shop.push(number, { 'more.txt': `${count}\n` })
      }
      expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
      expect(await runOf(shop.pipeline(number))).not.toBe(first)
      expect(await shop.ledger.decisions(shop.repo, number)).toHaveLength(1)
    })

    it('does not make the watch forget what it saw', async () => {
      const shop = newShop({ sweep: 20 })
      shop.tests.answers(red)
      const number = await shop.open()
      await shop.rest(number)
      let looks = 0
      const { pipelines } = shop
      shop.pipelines = {
        ...pipelines,
        lookAtPullRequest: (...args) => {
          looks += 1
          return pipelines.lookAtPullRequest(...args)
        },
      }
      await shop.pipelines.watchRepository(shop.repo)
      const first = await runOf(shop.watch())
      await until('it continued as new', async () => (await runOf(shop.watch())) !== first)
      await until('it swept', async () => (await shop.watch().query(repositoryWatchStatus)).lastSweepAt !== null)
      await record(
        'repositoryWatch',
        'continued-as-new',
        world().client.workflow.getHandle(shop.watch().workflowId, first),
      )
      await shop.watch().terminate()
      expect(looks).toBe(1)
    })
  },
  [`limit.historyCount.suggestContinueAsNew=${SUGGESTED_AFTER}`],
)
