import { createHash } from 'node:crypto'
import type { ClarificationOutcome } from '#domain/clarification/state'
import type { AuditEntry, RememberedAnswer } from '#ledger/port'
import type { AskRequest } from '../pipelines/port.ts'
import type { ClarificationTools } from './activities.ts'

export type RecordRequest = Pick<AskRequest, 'asker' | 'key' | 'question'> & {
  id: string
  outcome: ClarificationOutcome
}

/** Who answered what, when, through what and with which context; keyed, so that it may be said again. */
export async function recordOutcome({ ledger }: ClarificationTools, request: RecordRequest): Promise<void> {
  const digest = request.question.contextDigest ?? sha256(request.question.context)
  if (request.question.contextDigest === null) await ledger.saveText(digest, request.question.context)
  for (const entry of entriesOf(request, digest)) await ledger.appendAudit(entry)
  const remembered = rememberedOf(request)
  if (remembered !== null) await ledger.rememberAnswer(remembered)
}

/** One for each answer, and one for what nobody did. */
function entriesOf({ id, key, asker, question, outcome }: RecordRequest, context: string): AuditEntry[] {
  const common = { repo: question.repo ?? '', number: question.number, snapshotId: null }
  const about = { id, title: question.title, asker: asker?.workflowId ?? null, key, context }
  const answers = outcome.answers.map(({ by, at, value, comment, through }) => ({
    ...common,
    ...{ key: `clarification.answered:${id}:${by}`, at, actor: by, action: 'clarification.answered' },
    details: { ...about, value, comment, through },
  }))
  if (outcome.state === 'answered') return answers
  const { state, at, value, comment } = outcome
  const end = {
    ...common,
    ...{ key: `clarification.${state}:${id}`, at, actor: 'switchyard', action: `clarification.${state}` },
    details: { ...about, value, comment },
  }
  return [...answers, end]
}

function rememberedOf({ id: clarification, question, outcome }: RecordRequest): RememberedAnswer | null {
  const { remember, title } = question
  const { state, value, by, comment, at } = outcome
  if (remember === null || state !== 'answered' || value === null) return null
  const { scope, context } = remember
  const repo = scope === 'repository' ? question.repo : null
  const id = sha256(JSON.stringify([scope, repo, title, context])).slice(0, 12)
  return { id, clarification, scope, repo, title, context, value, by, comment, at }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
