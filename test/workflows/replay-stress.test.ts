import type { Client } from '@temporalio/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mergeQueueId, pullRequestId } from '#contracts/ids'
import { leave } from '#contracts/merge-queue'
import { look, pullRequestStatus, report } from '#contracts/pull-request'
import { patience } from '../support/crash-points.ts'
import { seeded } from '../support/seeded.ts'
import { openWorld, type WorkflowWorld } from '../support/workflow-world.ts'
import { passed } from './scripted-check.ts'
import type { Shop } from './shop.ts'
import { until } from './until.ts'

const PULL_REQUESTS = 4
const POKES = 120
const LIMIT_MS = 120_000 * patience

const seed = Number(process.env['SWITCHYARD_SEED'] ?? Date.now() % 1_000_000)

/**
 * Signals, queries and the ends of activities are made to fall into the same workflow tasks in all orders. Without a
 * cache every task replays all that was before, and what hangs on anything but the history fails there and then. With
 * one, what a query left behind takes part in the next task, and the replay of the whole history shows it.
 */
describe.each([
  { name: 'without a cache', cachedWorkflows: 0 },
  { name: 'with a cache', cachedWorkflows: 100 },
])('a pipeline that is poked from all sides, $name', ({ cachedWorkflows }) => {
  const random = seeded(seed)
  let world: WorkflowWorld
  beforeAll(async () => {
    world = await openWorld(undefined, [], cachedWorkflows)
  })
  afterAll(() => world.close())

  it(
    `takes the same steps again in whatever order its messages fall together (seed ${seed})`,
    async () => {
      const { client } = world
      const shop = world.newShop('stress', { enqueueAcknowledgement: 200, sweep: 500 })
      shop.tests.hold()
      const numbers: number[] = []
      for (let left = PULL_REQUESTS; left > 0; left -= 1) numbers.push(await shop.open())
      const poked = () => numbers[Math.floor(random() * numbers.length)]!
      for (let pokes = POKES; pokes > 0; pokes -= 1) await poke(client, shop, poked(), random)
      shop.tests.answers(passed)
      for (const number of numbers) await until(`#${number} lands`, () => endRuns(shop, number), LIMIT_MS / 2)
      expect(shop.landed().length).toBe(PULL_REQUESTS)
      expect(await tasksThatDidNotReplay(client)).toEqual([])
      expect(await world.replayAll()).toBeGreaterThanOrEqual(PULL_REQUESTS + 1)
    },
    LIMIT_MS,
  )
})

/** One or several things at once, not waited for one after another. */
async function poke(client: Client, shop: Shop, number: number, random: () => number): Promise<void> {
  const { head } = await shop.pullRequest(number)
  const pipeline = client.workflow.getHandle(pullRequestId(shop.repo, number))
  const queue = client.workflow.getHandle(mergeQueueId(shop.repo, 'main'))
  const word = { head: head.sha, outcome: 'queued' as const, position: 1 + Math.floor(random() * 3) }
  const acts = [
    () => pipeline.signal(look, { id: `poke-${random()}`, kind: 'sweep' }),
    () => pipeline.signal(report, word),
    () => pipeline.signal(report, { head: head.sha, outcome: 'testing' as const, candidate: head.sha }),
    () => queue.signal(leave, { number, head: head.sha, reason: 'a poke' }),
    () => pipeline.query(pullRequestStatus),
    () => shop.submitReview(number, 'bob', 'commented'),
    async () => shop.tests.runs.findLast((run) => run.state === 'running')?.finish(passed),
  ]
  const chosen = acts.filter(() => random() < 0.4)
  // A pipeline that has ended, or a queue that nobody has asked yet, takes no message.
  await Promise.allSettled(chosen.map((act) => act()))
}

async function endRuns(shop: Shop, number: number): Promise<boolean> {
  for (const run of shop.tests.runs) if (run.state === 'running') run.finish(passed)
  return (await shop.pullRequest(number)).state === 'merged'
}

/** A task that fails because a message came while it was under way is none of them. */
async function tasksThatDidNotReplay(client: Client): Promise<string[]> {
  const found: string[] = []
  for await (const { workflowId, runId } of client.workflow.list()) {
    const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory()
    for (const { workflowTaskFailedEventAttributes: failed } of events ?? []) {
      const message = failed?.failure?.message ?? ''
      if (message.includes('TMPRL1100')) found.push(`${workflowId}: ${message}`)
    }
  }
  return found
}
