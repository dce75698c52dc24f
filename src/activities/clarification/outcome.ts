import { createHash } from 'node:crypto'
import { sameQuestion } from '#domain/clarification/remembered'
import type { ClarificationOutcome, ClarificationState } from '#domain/clarification/state'
import type { AuditEntry, RememberedAnswer } from '#ledger/port'
import type { AskRequest } from '../pipelines/port.ts'
import type { ClarificationTools } from './activities.ts'

export type RecordRequest = Pick<AskRequest, 'asker' | 'key' | 'question'> & {
  id: string
  outcome: ClarificationOutcome
} & Partial<Pick<ClarificationState, 'delegations' | 'remarks'>>

/** Who answered what, when, through what and with which context, and what was said on the way; keyed, so that it may be said again. */
export async function recordOutcome({ ledger }: ClarificationTools, request: RecordRequest): Promise<void> {
  const digest = request.question.contextDigest ?? sha256(request.question.context)
  if (request.question.contextDigest === null) await ledger.saveText(digest, request.question.context)
  for (const entry of entriesOf(request, digest)) await ledger.appendAudit(entry)
  const remembered = rememberedOf(request)
  if (remembered !== null && !(await isForgotten(ledger, remembered))) await ledger.rememberAnswer(remembered)
}

/** It may be said again late: what people have had forgotten meanwhile does not come back. */
async function isForgotten(
  ledger: ClarificationTools['ledger'],
  { id, clarification, at }: RememberedAnswer,
): Promise<boolean> {
  const entries = await ledger.audit({ action: 'clarification.forgotten' })
  return entries.some(({ key, at: forgottenAt, details }) => {
    const isSame = key.startsWith(`clarification.forgotten:${id}:`)
    return details['clarification'] === clarification || (isSame && Date.parse(forgottenAt) >= Date.parse(at))
  })
}

/** One for each delegation, remark and answer, and one for what nobody did. */
function entriesOf(request: RecordRequest, context: string): AuditEntry[] {
  const { id, key, asker, question, outcome, delegations = [], remarks = [] } = request
  const common = { repo: question.repo ?? '', number: question.number, snapshotId: null }
  const about = { id, title: question.title, asker: asker?.workflowId ?? null, key, context }
  const said = (what: string, index: number, actor: string, at: string) => ({
    ...common,
    ...{ key: `clarification.${what}:${id}:${index}`, at, actor, action: `clarification.${what}` },
  })
  const talk = [
    ...delegations.map(({ by, at, to }, index) => ({ ...said('delegated', index, by, at), details: { ...about, to } })),
    ...remarks.map(({ by, at, text }, index) => ({ ...said('commented', index, by, at), details: { ...about, text } })),
  ]
  const answers = outcome.answers.map(({ by, at, value, comment, through }) => ({
    ...common,
    ...{ key: `clarification.answered:${id}:${by}`, at, actor: by, action: 'clarification.answered' },
    details: { ...about, value, comment, through },
  }))
  if (outcome.state === 'answered') return [...talk, ...answers]
  const { state, at, value, comment } = outcome
  const end = {
    ...common,
    ...{ key: `clarification.${state}:${id}`, at, actor: 'switchyard', action: `clarification.${state}` },
    details: { ...about, value, comment },
  }
  return [...talk, ...answers, end]
}

function rememberedOf({ id: clarification, question, outcome }: RecordRequest): RememberedAnswer | null {
  const same = sameQuestion(question)
  const { state, value, by, comment, at } = outcome
  if (same === null || state !== 'answered' || value === null) return null
  const { scope, repo, title, context } = same
  const id = sha256(JSON.stringify([scope, repo, title, context])).slice(0, 12)
  return { id, clarification, ...same, value, by, comment, at }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
