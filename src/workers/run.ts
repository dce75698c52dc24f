import { hostname } from 'node:os'
import { NativeConnection, Worker, type NativeConnectionOptions } from '@temporalio/worker'
import type { Pipelines } from '#activities/pipelines/port'
import { useHelper } from '#activities/process/helper'
import { taskQueue, type Role } from '#contracts/roles'
import { webUrlOf } from '#installation/connect'
import type { Installation } from '#installation/installation'
import type { ServerAddress } from '#server/port'
import { activitiesOf, openTools, type Activities, type Tools } from './activities.ts'
import { bundleWorkflows } from './bundle.ts'
import { startHintPump } from './hints.ts'
import { roleDefinitions } from './roles.ts'

export type WorkerOptions = {
  roles: Role[]
  installation: Installation
  server: ServerAddress
  pipelines: Pipelines
  env: NodeJS.ProcessEnv
  /** A ready bundle of the workflows; made when left out. */
  bundle?: { code: string } | { codePath: string }
  onError: (error: unknown) => void
  /**
   * Tests wrap tools and activities to kill the process around an effect, keep no workflow to force replays, and run
   * workflows without threads of their own, each of which costs a start as much as half of all else.
   */
  decorate?: {
    tools?: (tools: Tools) => Tools
    activities?: (activities: Activities) => Activities
    cachedWorkflows?: number
    withoutThreads?: boolean
  }
}

export type RunningWorkers = { drain(): Promise<void>; ended: Promise<void> }

const DRAIN_GRACE_MS = 5_000
const DRAIN_FORCE_MS = 15_000
/** Sticky tasks of a worker that died wait this long before another takes them. */
const STICKY_MS = 1_000

/** A cancellation reaches a running check with its next heartbeat that is not held back. */
const HEARTBEAT_THROTTLE_MS = 500

/** Polls the task queues of the given roles until drained. */
export async function runWorkers(options: WorkerOptions): Promise<RunningWorkers> {
  const { roles, installation, server, pipelines, decorate } = options
  const opened = openTools(installation, pipelines, options.env)
  const tools = decorate?.tools?.(opened) ?? opened
  await tools.runner.recover()
  const connection = await NativeConnection.connect(server.connection as NativeConnectionOptions)
  const bundle = roles.some((role) => roleDefinitions[role].workflows)
    ? (options.bundle ?? (await bundleWorkflows()))
    : undefined
  const workers = await Promise.all(
    roles.map((role) => {
      const definition = roleDefinitions[role]
      const activities = activitiesOf(definition, tools, installation, (workflowId) => webUrlOf(server, workflowId))
      return Worker.create({
        connection,
        namespace: server.namespace,
        taskQueue: taskQueue(role),
        identity: `${role}@${hostname()}:${process.pid}`,
        activities: decorate?.activities?.(activities) ?? activities,
        maxConcurrentActivityTaskExecutions: definition.slots,
        ...(definition.workflows && bundle
          ? { workflowBundle: bundle, maxCachedWorkflows: decorate?.cachedWorkflows ?? definition.cachedWorkflows }
          : {}),
        debugMode: decorate?.withoutThreads ?? false,
        stickyQueueScheduleToStartTimeout: STICKY_MS,
        maxHeartbeatThrottleInterval: HEARTBEAT_THROTTLE_MS,
        shutdownGraceTime: DRAIN_GRACE_MS,
        shutdownForceTime: DRAIN_FORCE_MS,
      })
    }),
  )
  const pump = roles.includes('pr-review')
    ? startHintPump({
        repositories: installation.config.repositories.map(({ name }) => name),
        forge: tools.forge,
        pipelines,
        onError: options.onError,
      })
    : null
  const helper = useHelper()
  const ended = Promise.all(workers.map((worker) => worker.run())).then(async () => {
    await pump?.stop()
    await connection.close()
    helper.stop()
  })
  return {
    async drain() {
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown()
      await ended
    },
    ended,
  }
}
