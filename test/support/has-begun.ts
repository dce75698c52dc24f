import type { WorkflowHandle } from '@temporalio/client'

export type History = Awaited<ReturnType<WorkflowHandle['fetchHistory']>>

/**
 * Whether a run has anything to replay. The server makes one that continued as new too soon wait before its first task, and
 * the SDK would wait for that task for ever.
 */
export function hasBegun({ events }: History): boolean {
  return (events ?? []).some(({ workflowTaskCompletedEventAttributes }) => workflowTaskCompletedEventAttributes)
}
