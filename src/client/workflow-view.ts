import { searchAttributes } from '#contracts/search-attributes'
import type { Connected } from '#installation/installation'
import type { WorkflowExecutionInfo } from '@temporalio/client'
import { pendingActivities, type PendingActivity } from './pending.ts'

/** One pipeline's run, as `runs` and `view` show it. */
export type WorkflowView = {
  workflowId: string
  runId: string
  pipeline: string
  /** `running`, `completed`, `failed`, … */
  status: string
  repo: string | null
  number: number | null
  branch: string | null
  phase: string | null
  waitingOn: string | null
  startedAt: string
  endedAt: string | null
  webUrl: string | null
}

const DEADLINE_MS = 10_000

/** `view --json`. */
export type DescribedWorkflow = WorkflowView & { pending: PendingActivity[] }

export async function describeWorkflow(connected: Connected, workflowId: string): Promise<DescribedWorkflow> {
  const handle = connected.client.workflow.getHandle(workflowId)
  const info = await connected.client.withDeadline(Date.now() + DEADLINE_MS, () => handle.describe())
  const pending = await pendingActivities(connected, info.raw.pendingActivities ?? [])
  return { ...viewWorkflow(connected, info), pending }
}

/** The steps that have begun and not ended; none of a pipeline that never ran. */
export async function readPending(connected: Connected | null, workflowId: string): Promise<PendingActivity[]> {
  if (connected === null) return []
  try {
    return (await describeWorkflow(connected, workflowId)).pending
  } catch (error) {
    if (error instanceof Error && error.name === 'WorkflowNotFoundError') return []
    throw error
  }
}

/** Newest first, at most `limit`. */
export async function listWorkflows(connected: Connected, query: string, limit: number): Promise<WorkflowView[]> {
  return await connected.client.withDeadline(Date.now() + DEADLINE_MS, async () => {
    const views: WorkflowView[] = []
    for await (const info of connected.client.workflow.list({ query, pageSize: Math.min(limit, 1000) })) {
      if (views.length >= limit) break
      views.push(viewWorkflow(connected, info))
    }
    return views
  })
}

type Info = Pick<
  WorkflowExecutionInfo,
  'workflowId' | 'runId' | 'type' | 'status' | 'startTime' | 'typedSearchAttributes'
> & {
  closeTime?: Date | undefined
}

function viewWorkflow(connected: Connected, info: Info): WorkflowView {
  const attributes = info.typedSearchAttributes
  return {
    workflowId: info.workflowId,
    runId: info.runId,
    pipeline: info.type,
    status: info.status.name.toLowerCase().replaceAll('_', '-'),
    repo: attributes.get(searchAttributes.Repo) ?? null,
    number: attributes.get(searchAttributes.Pr) ?? null,
    branch: attributes.get(searchAttributes.Branch) ?? null,
    phase: attributes.get(searchAttributes.Phase) ?? null,
    waitingOn: attributes.get(searchAttributes.WaitingOn) ?? null,
    startedAt: info.startTime.toISOString(),
    endedAt: info.closeTime?.toISOString() ?? null,
    webUrl: connected.webUrl(info.workflowId, info.runId),
  }
}
