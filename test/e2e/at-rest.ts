import { mergeQueueId, pullRequestId } from '#contracts/ids'
import { mergeQueueStatus } from '#contracts/merge-queue'
import { pullRequestStatus } from '#contracts/pull-request'
import { eventually, patience } from '../support/crash-points.ts'
import type { TestInstallation, TestRepository } from '../support/installation.ts'

const REST_MS = 90_000 * patience

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
  await eventually(
    async () => (await ask()) === null,
    REST_MS,
    async () => `waits for ${await ask()}`,
  )
}
