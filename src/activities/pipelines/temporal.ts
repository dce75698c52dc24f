import { WorkflowNotFoundError, type Client } from '@temporalio/client'
import { TypedSearchAttributes } from '@temporalio/common'
import { mergeQueueId, pullRequestId, repositoryWatchId } from '#contracts/ids'
import { enqueue, mergeQueueType, type MergeQueueInput } from '#contracts/merge-queue'
import { look, pullRequestType, type PullRequestInput } from '#contracts/pull-request'
import { repositoryWatchType, sweep, type RepositoryWatchInput } from '#contracts/repository-watch'
import { taskQueue } from '#contracts/roles'
import { searchAttributePairs } from '#contracts/search-attributes'
import type { Timings } from '#contracts/timings'
import type { Pipelines } from './port.ts'

/** A server that does not answer within this is down, for this call. */
const DEADLINE_MS = 10_000

export function createPipelines(client: Client, timings: Timings): Pipelines {
  const within = <T>(call: () => Promise<T>) => client.connection.withDeadline(Date.now() + DEADLINE_MS, call)
  return {
    async lookAtPullRequest(repo, number, hint) {
      const input: PullRequestInput = { repo, number, timings }
      const handle = await within(() =>
        client.workflow.signalWithStart(pullRequestType, {
          workflowId: pullRequestId(repo, number),
          taskQueue: taskQueue('pr-review'),
          args: [input],
          signal: look,
          signalArgs: [hint],
          staticSummary: `Pull request #${number} of ${repo}`,
          typedSearchAttributes: attributes({
            Pipeline: pullRequestType,
            Repo: repo,
            Pr: number,
            Phase: 'checking',
            Role: 'pr-review',
          }),
        }),
      )
      return { workflowId: handle.workflowId, runId: handle.signaledRunId }
    },

    async remindPullRequest(repo, number, hint) {
      try {
        await within(() => client.workflow.getHandle(pullRequestId(repo, number)).signal(look, hint))
        return true
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return false
        throw error
      }
    },

    async enqueue({ repo, branch, ...entry }) {
      const input: MergeQueueInput = { repo, branch, timings }
      const handle = await within(() =>
        client.workflow.signalWithStart(mergeQueueType, {
          workflowId: mergeQueueId(repo, branch),
          taskQueue: taskQueue('merge'),
          args: [input],
          signal: enqueue,
          signalArgs: [{ repo, branch, ...entry }],
          staticSummary: `Merge queue of ${repo}, ${branch}`,
          typedSearchAttributes: attributes({
            Pipeline: mergeQueueType,
            Repo: repo,
            Branch: branch,
            Phase: 'waiting',
            Role: 'merge',
          }),
        }),
      )
      return { workflowId: handle.workflowId }
    },

    async watchRepository(repo) {
      const input: RepositoryWatchInput = { repo, timings }
      const handle = await within(() =>
        client.workflow.signalWithStart(repositoryWatchType, {
          workflowId: repositoryWatchId(repo),
          taskQueue: taskQueue('pr-review'),
          args: [input],
          signal: sweep,
          signalArgs: [],
          staticSummary: `Watch of ${repo}`,
          typedSearchAttributes: attributes({
            Pipeline: repositoryWatchType,
            Repo: repo,
            Phase: 'waiting',
            Role: 'pr-review',
          }),
        }),
      )
      return { workflowId: handle.workflowId }
    },
  }
}

function attributes(values: Parameters<typeof searchAttributePairs>[0]): TypedSearchAttributes {
  return new TypedSearchAttributes(searchAttributePairs(values))
}
