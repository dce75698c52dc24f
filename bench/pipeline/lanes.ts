import { pullRequestId } from '#contracts/ids'
import { taskQueue } from '#contracts/roles'
import type { Bench } from '../installation.ts'

export type Lane = 'ours' | 'plain'

/** How long one PR took from the start of its workflow to its end, and how many activities were called for it. */
export type Landing = { ms: number; activities: number }

const LIMIT = '60s'

/** Takes an open PR to landed in one of the two ways. */
export async function landOne(bench: Bench, lane: Lane, repo: string, number: number): Promise<Landing> {
  const { client, pipelines } = bench.connected
  const start = performance.now()
  const workflowId = lane === 'ours' ? pullRequestId(repo, number) : `plain:${repo}#${number}`
  if (lane === 'ours') await pipelines.lookAtPullRequest(repo, number, { id: 'bench', kind: 'bench' })
  else await startPlain(bench, repo, number, workflowId)
  const handle = client.workflow.getHandle(workflowId)
  await client.connection.withDeadline(Date.now() + 60_000, () => handle.result())
  const ms = performance.now() - start
  const found = await bench.installation.forge.getPullRequest(repo, number)
  if (found?.state !== 'merged') throw new Error(`#${number} did not land: ${found?.state}`)
  return { ms, activities: await activitiesOf(bench, workflowId) }
}

async function startPlain({ connected, installation }: Bench, repo: string, number: number, workflowId: string) {
  const { timings } = installation.config
  await connected.client.workflow.start('plainPullRequest', {
    workflowId,
    taskQueue: taskQueue('pr-review'),
    args: [{ repo, number, timings, workflowId: pullRequestId(repo, number) }],
    workflowExecutionTimeout: LIMIT,
  })
}

async function activitiesOf({ connected }: Bench, workflowId: string): Promise<number> {
  const { events } = await connected.client.workflow.getHandle(workflowId).fetchHistory()
  return (events ?? []).filter((event) => event.activityTaskScheduledEventAttributes).length
}
