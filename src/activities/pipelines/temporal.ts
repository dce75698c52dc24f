import { WorkflowNotFoundError, type Client } from '@temporalio/client'
import { TypedSearchAttributes, type SignalDefinition } from '@temporalio/common'
import { mergeQueueId, pullRequestId, repositoryWatchId } from '#contracts/ids'
import { enqueue, mergeQueueType, type MergeQueueInput } from '#contracts/merge-queue'
import { look, pullRequestType, type PullRequestInput } from '#contracts/pull-request'
import { repositoryWatchType, sweep, type RepositoryWatchInput } from '#contracts/repository-watch'
import { taskQueue, type Role } from '#contracts/roles'
import { searchAttributePairs } from '#contracts/search-attributes'
import type { Timings } from '#contracts/timings'
import { createClarificationPipelines } from './clarifications.ts'
import { failedPullRequests } from './failed.ts'
import type { Pipelines } from './port.ts'

/** A server that does not answer within this is down, for this call. */
const DEADLINE_MS = 10_000

type Start = { id: string; type: string; role: Role; input: unknown; summary: string; attributes: Values }

export function createPipelines(client: Client, timings: Timings): Pipelines {
  const within = <T>(call: () => Promise<T>) => client.connection.withDeadline(Date.now() + DEADLINE_MS, call)
  const signalWithStart = <Args extends unknown[]>(start: Start, signal: SignalDefinition<Args>, signalArgs: Args) =>
    within(() =>
      client.workflow.signalWithStart(start.type, {
        workflowId: start.id,
        taskQueue: taskQueue(start.role),
        args: [start.input],
        signal: signal as SignalDefinition<unknown[]>,
        signalArgs,
        staticSummary: start.summary,
        typedSearchAttributes: attributes({ ...start.attributes, Pipeline: start.type, Role: start.role }),
      }),
    )
  return {
    async lookAtPullRequest(repo, number, hint) {
      const handle = await signalWithStart(pullRequestStart(repo, number, timings), look, [hint])
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

    failedPullRequests: (repo) => within(() => failedPullRequests(client, repo)),

    async enqueue(entry) {
      const handle = await signalWithStart(mergeQueueStart(entry.repo, entry.branch, timings), enqueue, [entry])
      return { workflowId: handle.workflowId }
    },

    async watchRepository(repo) {
      const handle = await signalWithStart(repositoryWatchStart(repo, timings), sweep, [])
      return { workflowId: handle.workflowId }
    },

    ...createClarificationPipelines(client, timings, within),
  }
}

function pullRequestStart(repo: string, number: number, timings: Timings): Start {
  return {
    id: pullRequestId(repo, number),
    type: pullRequestType,
    role: 'pr-review',
    input: { repo, number, timings } satisfies PullRequestInput,
    summary: `Pull request #${number} of ${repo}`,
    attributes: { Repo: repo, Pr: number, Phase: 'checking' },
  }
}

function mergeQueueStart(repo: string, branch: string, timings: Timings): Start {
  return {
    id: mergeQueueId(repo, branch),
    type: mergeQueueType,
    role: 'merge',
    input: { repo, branch, timings } satisfies MergeQueueInput,
    summary: `Merge queue of ${repo}, ${branch}`,
    attributes: { Repo: repo, Branch: branch, Phase: 'waiting' },
  }
}

function repositoryWatchStart(repo: string, timings: Timings): Start {
  return {
    id: repositoryWatchId(repo),
    type: repositoryWatchType,
    role: 'pr-review',
    input: { repo, timings } satisfies RepositoryWatchInput,
    summary: `Watch of ${repo}`,
    attributes: { Repo: repo, Phase: 'waiting' },
  }
}

type Values = Parameters<typeof searchAttributePairs>[0]

function attributes(values: Values): TypedSearchAttributes {
  return new TypedSearchAttributes(searchAttributePairs(values))
}
