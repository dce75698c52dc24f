import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client, Connection, type WorkflowHandle } from '@temporalio/client'
import { bundleWorkflowCode, NativeConnection, Worker } from '@temporalio/worker'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { askAgain } from '#contracts/query'
import { prepareNamespace } from '#server/namespace'
import { bundled } from '#workers/bundle'
import { testServer } from '../support/server.ts'
import { hear, isListening, type listener } from './listeners.ts'
import { until } from './until.ts'

/** So many that some query comes to a new worker before the task of its run. */
const LISTENERS = 40
const QUERY_MS = 20_000

let folder = ''
let codePath = ''
let connection: Connection
let native: NativeConnection
let client: Client

beforeAll(async () => {
  const { address } = testServer()
  const namespace = `query-guard-${process.pid}-${Date.now()}`
  connection = await Connection.connect({ address })
  native = await NativeConnection.connect({ address })
  await prepareNamespace(connection, { address, namespace, enforceRetention: false })
  client = new Client({ connection, namespace })
  folder = await mkdtemp(join(tmpdir(), 'switchyard-query-guard-'))
  codePath = join(folder, 'workflows.js')
  const workflowsPath = fileURLToPath(new URL('./listeners.ts', import.meta.url))
  await writeFile(codePath, (await bundleWorkflowCode({ ...bundled, workflowsPath })).code)
})
afterAll(async () => {
  await native.close()
  await connection.close()
  await rm(folder, { recursive: true, force: true })
})

async function startWorker(): Promise<() => Promise<void>> {
  const worker = await Worker.create({
    ...{ connection: native, namespace: client.options.namespace, taskQueue: 'listeners' },
    ...{ workflowBundle: { codePath }, stickyQueueScheduleToStartTimeout: 100 },
  })
  const ended = worker.run()
  return () => {
    worker.shutdown()
    return ended
  }
}

async function eventsOf(handle: WorkflowHandle): Promise<string[]> {
  const { events } = await handle.fetchHistory()
  return (events ?? []).map((event) => Object.keys(event).find((key) => key.endsWith('EventAttributes')) ?? '')
}

async function untilAll(handles: WorkflowHandle[], event: string): Promise<void> {
  await until(`all have ${event}`, async () => {
    const events = await Promise.all(handles.map(eventsOf))
    return events.every((each) => each.includes(`${event}EventAttributes`))
  })
}

test('a query that waited for a worker makes no run go on before its task, which no replay could follow', async () => {
  const stop = await startWorker()
  const handles = await Promise.all(
    Array.from({ length: LISTENERS }, (_, index) =>
      client.workflow.start<typeof listener>('listener', { workflowId: `listener-${index}`, taskQueue: 'listeners' }),
    ),
  )
  await untilAll(handles, 'timerStarted')
  await stop()
  const answers = handles.map((handle) =>
    client
      .withDeadline(Date.now() + QUERY_MS, () => handle.query(isListening))
      .then(
        () => 'answered',
        (error: unknown) => (error as Error).message,
      ),
  )
  await untilAll(handles, 'timerFired')
  const stopAgain = await startWorker()
  await Promise.any(answers)
  await Promise.all(handles.map((handle) => handle.signal(hear)))
  expect(await Promise.all(answers)).toContainEqual(expect.stringContaining(askAgain))
  await Promise.all(handles.map((handle) => handle.result()))
  await stopAgain()
  const failed: string[] = []
  for await (const { workflowId, error } of Worker.runReplayHistories(
    { workflowBundle: { codePath } },
    client.workflow.list().intoHistories(),
  )) {
    if (error) failed.push(`${workflowId}: ${error.message}`)
  }
  expect(failed).toEqual([])
}, 60_000)
