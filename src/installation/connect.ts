import { Client, Connection } from '@temporalio/client'
import { createPipelines } from '#activities/pipelines/temporal'
import { roles, taskQueue, type Role } from '#contracts/roles'
import { findServer } from '#server/find'
import type { ServerAddress } from '#server/port'
import { NoServerError } from './errors.ts'
import type { Connected, Installation } from './installation.ts'
import { queryAgain } from './query-again.ts'

const CONNECT_MS = 5_000
const DESCRIBE_MS = 5_000
/** temporal.api.enums.v1.TaskQueueType */
const WORKFLOW_QUEUE = 1
const ACTIVITY_QUEUE = 2

/** Set by the demo, tests and benchmarks: `embedded` ignores TEMPORAL_* and profiles. */
export const serverVariable = 'SWITCHYARD_SERVER'

export async function locateServer(home: string, env: NodeJS.ProcessEnv): Promise<ServerAddress> {
  const address = await findServer({ home, env, ignoreEnvironment: env[serverVariable] === 'embedded' })
  if (address === null)
    throw new NoServerError('no Temporal server is running for this installation', 'start it: switchyard up')
  return address
}

/** @throws NoServerError when there is no server, or it does not answer */
export async function connect(
  installation: Pick<Installation, 'config' | 'paths'>,
  options: { env?: NodeJS.ProcessEnv } = {},
): Promise<Connected> {
  const server = await locateServer(installation.paths.home, options.env ?? process.env)
  const connection = await reach(server)
  const client = new Client({ connection, namespace: server.namespace, interceptors: { workflow: [queryAgain] } })
  return {
    client,
    pipelines: createPipelines(client, installation.config.timings),
    namespace: server.namespace,
    address: server.address,
    webUrl: (workflowId, runId) => webUrlOf(server, workflowId, runId),
    async hasWorker(role) {
      if (!roles.includes(role as Role)) return false
      const type = role === 'pr-review' || role === 'merge' ? WORKFLOW_QUEUE : ACTIVITY_QUEUE
      const described = await connection.withDeadline(Date.now() + DESCRIBE_MS, () =>
        connection.workflowService.describeTaskQueue({
          namespace: server.namespace,
          taskQueue: { name: taskQueue(role as Role) },
          taskQueueType: type,
        }),
      )
      return described.pollers.some((poller) => isFresh(poller.lastAccessTime))
    },
    close: () => connection.close(),
  }
}

/** The address of a workflow's page in the Web UI; null where no UI is known. */
export function webUrlOf({ webUi, namespace }: ServerAddress, workflowId: string, runId?: string): string | null {
  if (webUi === null) return null
  const page = `${webUi}/namespaces/${namespace}/workflows/${encodeURIComponent(workflowId)}`
  return runId === undefined ? page : `${page}/${runId}/history`
}

/** The server remembers pollers for minutes after they died; a living one polls again within 60 s. */
const POLL_MS = 70_000

function isFresh(time: { seconds?: unknown } | null | undefined): boolean {
  return Date.now() - Number(time?.seconds ?? 0) * 1000 < POLL_MS
}

async function reach(server: ServerAddress): Promise<Connection> {
  try {
    return await Connection.connect({ ...server.connection, connectTimeout: CONNECT_MS })
  } catch (error) {
    const hint = server.kind === 'embedded' ? 'start it: switchyard up' : 'check TEMPORAL_ADDRESS and TEMPORAL_PROFILE'
    throw new NoServerError(`the Temporal server at ${server.address} does not answer`, hint, error)
  }
}
