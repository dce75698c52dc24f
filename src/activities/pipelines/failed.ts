import type { Client } from '@temporalio/client'
import { pullRequestType } from '#contracts/pull-request'
import { searchAttributes } from '#contracts/search-attributes'
import { maskedText } from '#domain/mask'
import { oneLine } from '#domain/text'
import type { FailedPipeline } from './port.ts'

const DAY_MS = 86_400_000
const MAX_RUNS = 1_000
const MAX_REASON = 300

/** Most times there are none, and one question tells. */
export async function failedPullRequests(client: Client, repo: string): Promise<FailedPipeline[]> {
  const failures = new Map<string, { number: number; runs: number }>()
  let runs = 0
  for await (const run of client.workflow.list({ query: failedSince(repo, Date.now() - DAY_MS) })) {
    const number = run.typedSearchAttributes.get(searchAttributes.Pr)
    if ((runs += 1) > MAX_RUNS) break
    if (number === undefined) continue
    const { runs: before } = failures.get(run.workflowId) ?? { runs: 0 }
    failures.set(run.workflowId, { number, runs: before + 1 })
  }
  const found = await Promise.all(
    [...failures].map(async ([workflowId, { number, runs }]) => {
      const ended = await newestFailure(client, workflowId)
      return ended === null ? [] : [{ number, ...ended, failures: runs }]
    }),
  )
  return found.flat()
}

function failedSince(repo: string, since: number): string {
  const failed = `(ExecutionStatus = 'Failed' OR ExecutionStatus = 'TimedOut')`
  const at = new Date(since).toISOString()
  return `WorkflowType = '${pullRequestType}' AND Repo = '${repo}' AND ${failed} AND CloseTime > '${at}'`
}

/** null where it runs, or ended in another way. */
async function newestFailure(client: Client, workflowId: string): Promise<{ runId: string; reason: string } | null> {
  const handle = client.workflow.getHandle(workflowId)
  const { status, runId } = await handle.describe()
  if (status.name !== 'FAILED' && status.name !== 'TIMED_OUT') return null
  const reason = await handle.result().then(() => '', innermost)
  return { runId, reason: oneLine(maskedText(reason), MAX_REASON) }
}

function innermost(error: unknown): string {
  let inner = error
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause
  return inner instanceof Error ? inner.message : String(inner)
}
