import { pullRequestId } from '#contracts/ids'
import type { Connected } from '#installation/installation'
import { sleep } from '../sleep.ts'
import type { Supervisor } from '../supervisor/supervisor.ts'

const POLL_MS = 100
const PATIENCE_MS = 60_000
/** temporal.api.enums.v1.PendingActivityState */
const STARTED = 2

/** Kills the testing worker with SIGKILL while it is seen running the PR's tests. Answers its process id. */
export async function killWhileTesting(
  connected: Connected,
  workers: Supervisor,
  pullRequest: { repo: string; number: number },
  signal: AbortSignal,
): Promise<number> {
  const handle = connected.client.workflow.getHandle(pullRequestId(pullRequest.repo, pullRequest.number))
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline;) {
    const { raw } = await handle.describe()
    const running = raw.pendingActivities?.some(
      (activity) =>
        activity.activityType?.name === 'runTests' &&
        activity.state === STARTED &&
        inCommand(activity.heartbeatDetails),
    )
    if (running) return workers.kill('testing', 'SIGKILL')
    await sleep(POLL_MS, signal)
  }
  throw new Error(`the tests of #${pullRequest.number} were not seen running within a minute`)
}

type Payloads = { payloads?: { data?: Uint8Array | null }[] | null } | null | undefined

function inCommand(details: Payloads): boolean {
  const data = details?.payloads?.[0]?.data
  return data ? Buffer.from(data).toString('utf8').includes('"running"') : false
}
