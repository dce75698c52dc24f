import { ApplicationFailure, log, setHandler } from '@temporalio/workflow'
import { answer, cancel, clarificationStatus, comment, delegate, reply } from '#contracts/clarification'
import { limits } from '#domain/clarification/question'
import {
  answered,
  delegated,
  refusalOf,
  refusalOfDelegation,
  refusalOfRemark,
  remarked,
  type Channel,
  type Refusal,
  type Reply,
} from '#domain/clarification/state'
import { viewOf, type ClarificationView } from '#domain/clarification/view'
import { maskedText, maskSecrets } from '#domain/mask'
import { isRecord } from '#domain/record'
import { oneLine, plainText } from '#domain/text'
import { now, type ClarificationRun } from './clarification-run.ts'

const MAX_REASON = 300

const malformed: Refusal = { type: 'Invalid', message: 'It is not of the form that is asked for.' }

type Said = Reply & { through: Channel }

/** Anybody can send a workflow anything: no handler trusts the form of what it gets. */
export function handleMessages(run: ClarificationRun): void {
  setHandler(
    reply,
    (payload: unknown) => {
      const said = readReply(run, payload, 'signal')
      const refusal = refusalOfReply(run, said)
      if (refusal !== null) return run.refuse('reply', refusal)
      take(run, said!)
    },
    { description: 'Answer: {"by": "ann", "value": "yes", "comment": "why"}' },
  )
  setHandler(
    answer,
    (payload: unknown) => {
      const said = readReply(run, payload, 'cli')
      orThrow('answer', refusalOfReply(run, said))
      return take(run, said!)
    },
    {
      validator: (payload: unknown) => orThrow('answer', refusalOfReply(run, readReply(run, payload, 'cli'))),
      description: 'Answer, and hear whether it counts',
    },
  )
  setHandler(cancel, (payload: unknown) => run.cancel(reasonOf(payload)), { description: 'Take the question back' })
  setHandler(clarificationStatus, () => run.status(), { description: 'What is asked, and what was said' })
  handleConversation(run)
}

function handleConversation(run: ClarificationRun): void {
  setHandler(
    comment,
    (payload: unknown) => {
      const said = readTexts(payload, ['by', 'text'])
      orThrow('comment', said === null ? malformed : refusalOfRemark(run.state, said))
      run.state = remarked(run.state, { ...said!, text: masked(said!.text), at: now() })
      return viewOf(run.state)
    },
    {
      validator: (payload: unknown) => {
        const said = readTexts(payload, ['by', 'text'])
        orThrow('comment', said === null ? malformed : refusalOfRemark(run.state, said))
      },
      description: 'Say something without answering',
    },
  )
  setHandler(
    delegate,
    (payload: unknown) => {
      const said = readTexts(payload, ['by', 'to'])
      orThrow('delegate', refusalOfDelegate(run, said))
      const before = run.state
      run.state = delegated(run.state, { to: said!.to, by: plainText(said!.by), at: now() })
      if (run.state !== before) run.delegated(said!.to)
      return viewOf(run.state)
    },
    {
      validator: (payload: unknown) => orThrow('delegate', refusalOfDelegate(run, readTexts(payload, ['by', 'to']))),
      description: 'Let another one answer as well',
    },
  )
}

function take(run: ClarificationRun, said: Said): ClarificationView {
  run.state = answered(run.state, { ...said, at: now() })
  return viewOf(run.state)
}

function refusalOfReply(run: ClarificationRun, said: Said | null): Refusal | null {
  return said === null ? malformed : refusalOf(run.state, said)
}

/** Whoever delegates is named in the answer to it: a name of a megabyte is none. */
function refusalOfDelegate(run: ClarificationRun, said: { by: string; to: string } | null): Refusal | null {
  if (said === null) return malformed
  if (said.by.length > limits.text) return { type: 'TooLong', message: 'The name is too long.' }
  return refusalOfDelegation(run.state, said)
}

function readReply({ state }: ClarificationRun, payload: unknown, through: Channel): Said | null {
  const said = readTexts(payload, ['by', 'value'])
  if (said === null) return null
  const { comment: why, through: by } = payload as Record<string, unknown>
  if (why !== undefined && why !== null && typeof why !== 'string') return null
  const free = state.question.options.length === 0
  return {
    by: said.by,
    // Not made plain: with characters that are not shown it is refused.
    value: free && said.value.length <= limits.text ? maskSecrets(said.value) : said.value,
    comment: masked(why ?? ''),
    through: isChannel(by) ? by : through,
  }
}

function readTexts<Name extends string>(payload: unknown, names: Name[]): Record<Name, string> | null {
  if (!isRecord(payload) || names.some((name) => typeof payload[name] !== 'string')) return null
  return Object.fromEntries(names.map((name) => [name, payload[name]])) as Record<Name, string>
}

function reasonOf(payload: unknown): string {
  const reason = readTexts(payload, ['reason'])?.reason ?? ''
  return oneLine(masked(reason.slice(0, limits.text)), MAX_REASON)
}

/** What is too long is refused as it is. */
function masked(text: string): string {
  return text.length > limits.text ? text : maskedText(text, { multiline: true })
}

function isChannel(value: unknown): value is Channel {
  return value === 'cli' || value === 'signal' || value === 'inbox' || value === 'comment'
}

/** Nobody but who sent it hears of an update that is refused before it begins. */
function orThrow(what: string, refusal: Refusal | null): void {
  if (refusal === null) return
  log.warn('a message was refused', { what, type: refusal.type })
  throw ApplicationFailure.nonRetryable(refusal.message, refusal.type)
}
