import type { WorkflowInterceptorsFactory, WorkflowInternalsInterceptor } from '@temporalio/workflow'
import { askAgain } from '#contracts/query'

/** What the SDK calls a query that comes without a workflow task. */
const queryWithoutTask = 'legacy_query'

type Activation = Parameters<NonNullable<WorkflowInternalsInterceptor['activate']>>[0]['activation']
type Seen = { time: string; length: number }

/**
 * Refuses queries of a run that is ahead of its tasks, which also drops it from the cache; the caller asks again.
 *
 * A query that waited for a worker brings a history whose last events no workflow task has handled yet. The SDK applies
 * them all the same, at the time of the task before: a timer ends, the workflow goes on, and what it wants to do then is
 * sent with the next task. But a signal that came between the two was before the timer's end in the history, and every
 * replay hears it first: the run could never be replayed again (TMPRL1100). A task always brings a time of its own, so a
 * longer history at the same time is one without a task.
 */
export function queryGuard(): WorkflowInternalsInterceptor {
  let seen: Seen | null = null
  let isAhead = false
  return {
    activate(input, next) {
      const { activation } = input
      const jobs = activation.jobs ?? []
      const queries = jobs.flatMap(({ queryWorkflow }) => queryWorkflow ?? [])
      if (queries.length < jobs.length) {
        const now = seenIn(activation)
        if (seen === null || now.length > seen.length) isAhead = seen?.time === now.time
        seen = now
      } else if (isAhead && queries.some(({ queryId }) => queryId === queryWithoutTask)) {
        throw new Error(askAgain)
      }
      next(input)
    },
  }
}

function seenIn({ timestamp, historyLength }: Activation): Seen {
  return { time: `${String(timestamp?.seconds)}.${timestamp?.nanos ?? 0}`, length: historyLength ?? 0 }
}

export const interceptors: WorkflowInterceptorsFactory = () => ({ internals: [queryGuard()] })
