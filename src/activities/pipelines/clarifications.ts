import { createHash } from 'node:crypto'
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  WorkflowNotFoundError,
  type Client,
  type WorkflowExecutionDescription,
} from '@temporalio/client'
import { TypedSearchAttributes } from '@temporalio/common'
import {
  askerMemo,
  cancel,
  clarificationType,
  contextMemo,
  outcomeMemo,
  viewMemo,
  type ClarificationInput,
} from '#contracts/clarification'
import { clarificationId } from '#contracts/ids'
import { taskQueue } from '#contracts/roles'
import { searchAttributePairs } from '#contracts/search-attributes'
import type { Timings } from '#contracts/timings'
import { opened, type ClarificationOutcome } from '#domain/clarification/state'
import { viewOf } from '#domain/clarification/view'
import { escapeMarkdown } from '#domain/text'
import type { AskRequest, Pipelines } from './port.ts'

export type ClarificationPipelines = Pick<Pipelines, 'ask' | 'asked' | 'withdraw' | 'isOpen'>

type Within = <T>(call: () => Promise<T>) => Promise<T>

export function createClarificationPipelines(client: Client, timings: Timings, within: Within): ClarificationPipelines {
  return {
    async ask(request) {
      const workflowId = idOf(request)
      const started = await within(() => start(client, workflowId, { ...request, timings }))
      return { workflowId, outcome: started ? null : await within(() => outcomeOf(client, workflowId)) }
    },

    async asked(request) {
      const workflowId = idOf(request)
      return { workflowId, outcome: await orNothing(() => within(() => outcomeOf(client, workflowId))) }
    },

    async withdraw({ asker, key, reason }) {
      const workflowId = idOf({ asker, key })
      await orNothing(() => within(() => client.workflow.getHandle(workflowId).signal(cancel, { reason })))
      return { workflowId }
    },

    async isOpen(workflowId) {
      const described = await orNothing(() => within(() => client.workflow.getHandle(workflowId).describe()))
      return described !== null && isRunning(described)
    },
  }
}

function idOf({ asker, key }: Pick<AskRequest, 'asker' | 'key'>): string {
  return clarificationId(
    createHash('sha256')
      .update(`${asker?.workflowId ?? ''}\0${key}`)
      .digest('hex'),
  )
}

/** Whether it was this call that asked. */
async function start(client: Client, workflowId: string, input: ClarificationInput): Promise<boolean> {
  const { question, asker, people } = input
  const view = viewOf(opened(question, people, new Date().toISOString()))
  try {
    await client.workflow.start(clarificationType, {
      ...{ workflowId, taskQueue: taskQueue('decision'), args: [input] },
      ...{ workflowIdReusePolicy: 'REJECT_DUPLICATE', workflowIdConflictPolicy: 'FAIL' },
      staticSummary: escapeMarkdown(question.title),
      memo: { [viewMemo]: view, [contextMemo]: question.context, [askerMemo]: asker?.workflowId ?? null },
      typedSearchAttributes: new TypedSearchAttributes(
        searchAttributePairs({
          ...{ Pipeline: clarificationType, Role: 'decision', Phase: 'open', WaitingOn: question.title },
          ...(question.repo === null ? {} : { Repo: question.repo }),
          ...(question.number === null ? {} : { Pr: question.number }),
        }),
      ),
    })
    return true
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false
    throw error
  }
}

async function outcomeOf(client: Client, workflowId: string): Promise<ClarificationOutcome | null> {
  const handle = client.workflow.getHandle(workflowId)
  const described = await handle.describe()
  if (!isRunning(described)) {
    return handle.result().catch((error: unknown) => endedByForce(error, described)) as Promise<ClarificationOutcome>
  }
  return (described.memo?.[outcomeMemo] as ClarificationOutcome | undefined) ?? null
}

function endedByForce(error: unknown, { status, closeTime }: WorkflowExecutionDescription): ClarificationOutcome {
  if (!(error instanceof WorkflowFailedError)) throw error
  const at = (closeTime ?? new Date()).toISOString()
  return { state: 'cancelled', value: null, by: [], at, comment: `its workflow ${status.name}`, answers: [] }
}

function isRunning({ status }: WorkflowExecutionDescription): boolean {
  return status.name === 'RUNNING' || status.name === 'PAUSED'
}

async function orNothing<T>(call: () => Promise<T>): Promise<T | null> {
  try {
    return await call()
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null
    throw error
  }
}
