import { setTimeout as sleep } from 'node:timers/promises'
import { mergeQueueId, pullRequestId } from '#contracts/ids'
import { mergeQueueStatus } from '#contracts/merge-queue'
import { pullRequestStatus } from '#contracts/pull-request'
import { patience } from '../support/crash-points.ts'
import type { TestInstallation, TestRepository } from '../support/installation.ts'

/** Without anything new in the histories; and in all, for what goes on for ever does not rest either. */
const STILL_MS = 90_000 * patience
const REST_MS = 400_000 * patience
/** Each look is some queries, which a worker that keeps no workflow answers by a replay. */
const POLL_MS = 250
const PROGRESS_MS = 2_000

/** Until each PR has landed or rests, the queue is empty and idle, and `still` has nothing more to wait for. */
export async function untilAtRest(
  { connected: { client } }: TestInstallation,
  { name }: TestRepository,
  numbers: number[],
  still: () => string | null,
): Promise<void> {
  const waitsFor = async (): Promise<string | null> => {
    const expected = still()
    if (expected !== null) return expected
    for (const number of numbers) {
      const handle = client.workflow.getHandle(pullRequestId(name, number))
      const { status } = await handle.describe()
      if (status.name === 'TERMINATED') return `#${number} to be woken`
      if (status.name !== 'RUNNING') continue
      const { phase, resting } = await handle.query(pullRequestStatus)
      if (!resting) return `#${number} to rest; it is ${phase}`
    }
    const queue = client.workflow.getHandle(mergeQueueId(name, 'main'))
    const { entries } = await queue.query(mergeQueueStatus)
    if (entries.length > 0) return 'the queue to be empty'
    // A PR that sees itself merged takes its entry out while the landing still waits for its next attempt.
    const { raw } = await queue.describe()
    const [pending] = raw.pendingActivities ?? []
    return pending ? `the queue to end ${pending.activityType?.name}` : null
  }
  const ask = () => waitsFor().catch((error: unknown) => String(error))
  const pipelines = [mergeQueueId(name, 'main'), ...numbers.map((number) => pullRequestId(name, number))]
  const events = async () => {
    const described = pipelines.map((id) => client.workflow.getHandle(id).describe())
    const lengths = (await Promise.allSettled(described)).map((one) =>
      one.status === 'fulfilled' ? `${one.value.runId} ${one.value.historyLength}` : '',
    )
    return lengths.join(', ')
  }
  let progress = { events: '', at: Date.now() }
  let looked = 0
  const begun = Date.now()
  for (let waits = await ask(); waits !== null; waits = await ask()) {
    if (Date.now() - looked >= PROGRESS_MS) {
      const now = await events()
      looked = Date.now()
      if (now !== progress.events) progress = { events: now, at: looked }
    }
    const [still, all] = [Date.now() - progress.at, Date.now() - begun]
    if (still > STILL_MS || all > REST_MS)
      throw new Error(`after ${all} ms, ${still} without an event, waits for ${waits}`)
    await sleep(POLL_MS)
  }
}
