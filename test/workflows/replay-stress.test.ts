import { afterAll, beforeAll, expect, it } from 'vitest'
import { mergeQueueId, pullRequestId } from '#contracts/ids'
import { leave } from '#contracts/merge-queue'
import { look, pullRequestStatus, report } from '#contracts/pull-request'
import { seeded } from '../support/seeded.ts'
import { openWorld, type WorkflowWorld } from '../support/workflow-world.ts'
import { passed } from './scripted-check.ts'
import type { Shop } from './shop.ts'
import { until } from './until.ts'

const PULL_REQUESTS = 4
const POKES = 120
const LIMIT_MS = 120_000

const seed = Number(process.env['SWITCHYARD_SEED'] ?? Date.now() % 1_000_000)
const random = seeded(seed)

let world: WorkflowWorld
beforeAll(async () => {
  world = await openWorld(undefined, [], 0)
})
afterAll(() => world.close())

/**
 * Without a cache every workflow task replays all that was before: what hangs on anything but the history fails there
 * and then. Signals, queries and the ends of activities are made to fall into the same tasks in all orders.
 */
it(
  `takes the same steps again in whatever order its messages fall together (seed ${seed})`,
  { timeout: LIMIT_MS },
  async () => {
    const shop = world.newShop('stress', { enqueueAcknowledgement: 200, sweep: 500 })
    shop.tests.hold()
    const numbers: number[] = []
    for (let left = PULL_REQUESTS; left > 0; left -= 1) numbers.push(await shop.open())
    for (let pokes = POKES; pokes > 0; pokes -= 1) await poke(shop, numbers[Math.floor(random() * numbers.length)]!)
    shop.tests.answers(passed)
    for (const number of numbers) {
      await until(`#${number} lands`, () => endRuns(shop, number), LIMIT_MS / 2)
    }
    expect(shop.landed().length).toBe(PULL_REQUESTS)
    expect(await tasksThatDidNotReplay()).toEqual([])
    expect(await world.replayAll()).toBeGreaterThanOrEqual(PULL_REQUESTS + 1)
  },
)

/** One or several things at once, not waited for one after another. */
async function poke(shop: Shop, number: number): Promise<void> {
  const { head } = await shop.pullRequest(number)
  const pipeline = world.client.workflow.getHandle(pullRequestId(shop.repo, number))
  const queue = world.client.workflow.getHandle(mergeQueueId(shop.repo, 'main'))
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
async function tasksThatDidNotReplay(): Promise<string[]> {
  const found: string[] = []
  for await (const { workflowId, runId } of world.client.workflow.list()) {
    const { events } = await world.client.workflow.getHandle(workflowId, runId).fetchHistory()
    for (const { workflowTaskFailedEventAttributes: failed } of events ?? []) {
      const message = failed?.failure?.message ?? ''
      if (message.includes('TMPRL1100')) found.push(`${workflowId}: ${message}`)
    }
  }
  return found
}
