import { createHash } from 'node:crypto'
import { TypedSearchAttributes } from '@temporalio/common'
import type { AskRequest } from '#activities/pipelines/port'
import { askerMemo, clarificationType, contextMemo, viewMemo } from '#contracts/clarification'
import { clarificationId } from '#contracts/ids'
import { completeQuestion, type Asked } from '#domain/clarification/question'
import {
  answered,
  delegated,
  isSettled,
  opened,
  refusalOf,
  refusalOfDelegation,
  refusalOfRemark,
  remarked,
  type Channel,
  type ClarificationState,
} from '#domain/clarification/state'
import { viewOf } from '#domain/clarification/view'
import type { KnownPerson } from '#domain/people'
import { NOW } from './samples.ts'

/** A question as the server has it. `status`: of its run. */
export type FakeQuestion = {
  id: string
  asker: string | null
  state: ClarificationState
  status: string
  /** Thrown by the next update. */
  error?: Error
}

export function question(
  asked: Partial<Asked> = {},
  changes: Partial<Omit<FakeQuestion, 'state'>> & { people?: KnownPerson[] } = {},
): FakeQuestion {
  const { people = [], ...others } = changes
  const complete = completeQuestion({ kind: 'question', title: 'Land it today?', ...asked })
  return {
    ...{ id: 'ask:3f2a91c04b5d6e7f', asker: 'pr:shop#1', status: 'RUNNING' },
    state: opened(complete, people, NOW),
    ...others,
  }
}

/** What visibility keeps of a question. */
export function infoOf({ id, asker, state, status }: FakeQuestion) {
  return {
    ...{ workflowId: id, runId: 'run', type: clarificationType, status: { name: status }, startTime: new Date(NOW) },
    ...(status === 'RUNNING' ? {} : { closeTime: new Date(NOW) }),
    memo: { [viewMemo]: viewOf(state), [contextMemo]: state.question.context, [askerMemo]: asker },
    typedSearchAttributes: new TypedSearchAttributes(),
    raw: { pendingActivities: [] },
  }
}

/** Those that a query of the command line is about. */
export function listed(questions: FakeQuestion[], query: string): FakeQuestion[] {
  const beginning = /STARTS_WITH '([^']+)'/.exec(query)?.[1] ?? ''
  const repo = /Repo = '([^']+)'/.exec(query)?.[1]
  return questions
    .filter(({ id }) => id.startsWith(beginning))
    .filter(({ state }) => repo === undefined || state.question.repo === repo)
    .filter(({ state }) => !query.includes("Phase = 'parked'") || state.outcome?.state === 'parked')
    .filter(({ status }) => !query.includes("ExecutionStatus = 'Running'") || status === 'RUNNING')
    .filter(({ status }) => !query.includes("NOT IN ('Running'") || status !== 'RUNNING')
}

type Words = { by: string; value: string; comment: string; through: Channel; text: string; to: string }

/** What its workflow does with an update. */
export function updated(one: FakeQuestion, name: string, words: Words) {
  if (one.error) throw one.error
  const { by, value = '', comment = '', text, to } = words
  const at = NOW
  switch (name) {
    case 'answer':
      refuse(refusalOf(one.state, { by, value, comment }))
      one.state = answered(one.state, { by, value, comment, through: words.through, at })
      break
    case 'comment':
      refuse(refusalOfRemark(one.state, { by, text }))
      one.state = remarked(one.state, { by, text, at })
      break
    case 'delegate':
      refuse(refusalOfDelegation(one.state, { by, to }))
      one.state = delegated(one.state, { by, to, at })
  }
  if (isSettled(one.state)) one.status = 'COMPLETED'
  return viewOf(one.state)
}

export function asked(questions: FakeQuestion[], { asker, key, question: complete, people }: AskRequest) {
  const digest = createHash('sha256').update(`${asker?.workflowId ?? ''}\0${key}`)
  const workflowId = clarificationId(digest.digest('hex'))
  const known = questions.find(({ id }) => id === workflowId)
  if (known) return { workflowId, outcome: known.state.outcome }
  const state = opened(complete, people, NOW)
  questions.push({ id: workflowId, asker: asker?.workflowId ?? null, state, status: 'RUNNING' })
  return { workflowId, outcome: null }
}

function refuse(refusal: ReturnType<typeof refusalOf>): void {
  if (refusal === null) return
  const cause = Object.assign(new Error(refusal.message), { type: refusal.type })
  throw Object.assign(new Error('refused', { cause }), { name: 'WorkflowUpdateFailedError' })
}
