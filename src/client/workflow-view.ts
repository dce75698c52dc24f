import { searchAttributes } from '#contracts/search-attributes'
import type { Connected } from '#installation/installation'
import type { WorkflowExecutionInfo } from '@temporalio/client'

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

export async function describeWorkflow(connected: Connected, workflowId: string): Promise<WorkflowView> {
  const handle = connected.client.workflow.getHandle(workflowId)
  const info = await connected.client.withDeadline(Date.now() + DEADLINE_MS, () => handle.describe())
  return viewWorkflow(connected, info)
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
