import { createHash } from 'node:crypto'
import { ApplicationFailure } from '@temporalio/common'
import { peopleWhoMatter } from '#domain/clarification/people'
import {
  beginningOf,
  completeQuestion,
  limits,
  problemOfQuestion,
  type Asked,
  type Question,
} from '#domain/clarification/question'
import { answersToo, delegationsIn, sameQuestion } from '#domain/clarification/remembered'
import type { ClarificationOutcome } from '#domain/clarification/state'
import { knownPerson } from '#domain/contact'
import { maskedText, maskSecrets } from '#domain/mask'
import type { AskRequest } from '../pipelines/port.ts'
import type { ClarificationTools } from './activities.ts'

/** `context`: the whole, where it is longer than what `question` may carry. */
export type EnsureRequest = Pick<AskRequest, 'asker' | 'key'> & { question: Asked; context?: string }

export type Ensured = { id: string; outcome: ClarificationOutcome | null }

const MAX_KEY = 1_000

export async function ensureAsked(tools: ClarificationTools, request: EnsureRequest): Promise<Ensured> {
  const { asker, key } = request
  if (key === '' || key.length > MAX_KEY) throw invalid(`\`key\` has 1 to ${MAX_KEY} characters`)
  const whole = maskedText(request.context ?? request.question.context ?? '', { multiline: true })
  const question = questionOf(request.question, whole)
  const remembered = await rememberedOutcome(tools, { asker, key, question })
  if (remembered !== null) return useAgain(tools, { asker, key, question }, remembered)
  if (question.contextDigest !== null) await tools.ledger.saveText(question.contextDigest, whole)
  const people = peopleWhoMatter(question, [], tools.people)
  const { workflowId: id, outcome } = await tools.pipelines.ask({ asker, key, question, people })
  await audit(tools, 'clarification.asked', id, { asker, key, question }, { kind: question.kind })
  return { id, outcome }
}

/** Complete, masked, and without what a terminal or a page would take for more than text. */
function questionOf(asked: Asked, whole: string): Question {
  if (Buffer.byteLength(whole) > limits.wholeContext)
    throw invalid(`\`context\` is longer than ${limits.wholeContext} bytes`)
  const complete = completeQuestion(asked)
  const isLong = Buffer.byteLength(whole) > limits.text
  const question = {
    ...complete,
    title: maskedText(complete.title).trim(),
    context: isLong ? beginningOf(whole) : whole,
    contextDigest: isLong ? createHash('sha256').update(whole).digest('hex') : null,
    options: complete.options.map(({ value, label }) => ({ value: maskSecrets(value), label: maskedText(label) })),
  }
  const problem = problemOfQuestion(question)
  if (problem !== null) throw invalid(problem)
  return question
}

/** What came of one's own question counts more than what others were told, and is no memory. */
async function rememberedOutcome(
  { ledger, people, pipelines }: ClarificationTools,
  { asker, key, question }: Pick<AskRequest, 'asker' | 'key' | 'question'>,
): Promise<ClarificationOutcome | null> {
  const same = sameQuestion(question)
  if (same === null) return null
  const own = await pipelines.asked({ asker, key })
  if (own.outcome !== null) return null
  const found = await ledger.rememberedAnswer(same)
  if (found === null || found.clarification === own.workflowId) return null
  // A delegation is on record before the answer that it allowed is remembered.
  const delegations = delegationsIn(await ledger.audit({ action: 'clarification.delegated' }), found.clarification)
  if (!answersToo(question, people.map(knownPerson), found, delegations)) return null
  const { value, by, at, comment, clarification } = found
  return { state: 'answered', value, by, at, comment, answers: [], remembered: clarification }
}

/** Where the same asker has asked it already, before somebody else's answer came, that question is taken back. */
async function useAgain(
  tools: ClarificationTools,
  { asker, key, question }: Pick<AskRequest, 'asker' | 'key' | 'question'>,
  outcome: ClarificationOutcome,
): Promise<Ensured> {
  const reason = `the same question was answered: ${outcome.remembered}`
  const { workflowId: id } = await tools.pipelines.withdraw({ asker, key, reason })
  const details = { value: outcome.value, by: outcome.by.join(', '), remembered: outcome.remembered ?? null }
  await audit(tools, 'clarification.remembered', id, { asker, key, question }, details)
  return { id, outcome }
}

async function audit(
  { ledger }: ClarificationTools,
  action: string,
  id: string,
  { asker, key, question }: Pick<AskRequest, 'asker' | 'key' | 'question'>,
  details: Record<string, string | null>,
): Promise<void> {
  await ledger.appendAudit({
    key: `${action}:${id}`,
    at: new Date().toISOString(),
    ...{ actor: 'switchyard', action, repo: question.repo ?? '', number: question.number, snapshotId: null },
    details: { id, title: question.title, asker: asker?.workflowId ?? null, key, ...details },
  })
}

function invalid(message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, 'Invalid')
}
