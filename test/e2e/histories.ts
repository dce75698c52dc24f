/** The runs of a namespace: their histories, and what the open ones are at. */
import type { Client, WorkflowExecutionInfo } from '@temporalio/client'
import { historyFromJSON, historyToJSON } from '@temporalio/common/lib/proto-utils.js'
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker'
import { hasBegun } from '../support/has-begun.ts'

Runtime.install({ logger: new DefaultLogger('WARN') })

/** I12: every history of the namespace, replayed on the code of now. Answers also what is in them, as text. */
export async function replayed(client: Client, bundlePath: string): Promise<{ found: string[]; text: string }> {
  const runs = await workflows(client, '')
  const histories = await Promise.all(
    runs.map(async ({ workflowId, runId }) => ({
      workflowId,
      history: historyFromJSON(
        JSON.parse(historyToJSON(await client.workflow.getHandle(workflowId, runId).fetchHistory())),
      ),
    })),
  )
  const found = histories.flatMap(({ workflowId, history }) =>
    (history.events ?? []).flatMap(({ workflowTaskFailedEventAttributes: failed }) =>
      failed?.failure?.message?.includes('TMPRL1100')
        ? [`I12: ${workflowId} did not replay: ${failed.failure.message}`]
        : [],
    ),
  )
  const begun = histories.filter((run) => hasBegun(run.history))
  const replays = Worker.runReplayHistories({ workflowBundle: { codePath: bundlePath } }, begun)
  for await (const { workflowId, error } of replays) {
    if (!error) continue
    const history = histories.find((one) => one.workflowId === workflowId)?.history
    found.push(`I12: ${workflowId} does not replay: ${error.message}\n${JSON.stringify(history?.events)}`)
  }
  if (histories.length === 0) found.push('I12: there is no history')
  return { found, text: histories.map(({ history }) => readable(history)).join('\n') }
}

/** With payloads as the text that they hold. */
function readable(history: unknown): string {
  const seen: string[] = []
  const walk = (value: unknown): void => {
    if (value instanceof Uint8Array) seen.push(Buffer.from(value).toString('latin1'))
    else if (typeof value === 'string') seen.push(value)
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(walk)
  }
  walk(history)
  return seen.join('\n')
}

/** What the open workflows of a repository are at, for the message of a test that waited in vain. */
export async function openWorkflows(client: Client, repo: string): Promise<string[]> {
  const open = await workflows(client, `Repo = "${repo}" AND ExecutionStatus = "Running"`)
  return Promise.all(
    open.map(async ({ workflowId }) => {
      const { raw } = await client.workflow.getHandle(workflowId).describe()
      const activities = (raw.pendingActivities ?? []).map(
        ({ activityType, attempt, lastFailure }) =>
          `${activityType?.name} (attempt ${attempt}${lastFailure ? `: ${lastFailure.message}` : ''})`,
      )
      const task = raw.pendingWorkflowTask ? ` workflow task, attempt ${String(raw.pendingWorkflowTask.attempt)}` : ''
      return `${workflowId} is at ${activities.join(', ')}${task}`
    }),
  )
}

export async function workflows(client: Client, query: string): Promise<WorkflowExecutionInfo[]> {
  const found: WorkflowExecutionInfo[] = []
  for await (const info of client.workflow.list({ query })) found.push(info)
  return found
}

/** Each run of a repository as one line of its events, for the message of a test that failed. */
export async function outlines(client: Client, repo: string): Promise<string[]> {
  const runs = await workflows(client, `Repo = "${repo}"`)
  return Promise.all(
    runs.map(async ({ workflowId, runId }) => {
      const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory()
      const steps = (events ?? []).map((event) => {
        const [kind = '', attributes] = Object.entries(event).find(([name]) => name.endsWith('EventAttributes')) ?? []
        const { activityType, signalName, scheduledEventId } = attributes as {
          activityType?: { name: string }
          signalName?: string
          scheduledEventId?: unknown
        }
        const about = [activityType?.name, signalName, scheduledEventId && `of ${String(scheduledEventId)}`]
        return [String(event.eventId), kind.replace('EventAttributes', ''), ...about].filter(Boolean).join(' ')
      })
      return `${workflowId} ${runId}: ${steps.filter((step) => !step.includes('workflowTask')).join(', ')}`
    }),
  )
}
