import { answer, comment, delegate } from '#contracts/clarification'
import { limits } from '#domain/clarification/question'
import { identityOf, type KnownPerson } from '#domain/people'
import type { Connected } from '#installation/installation'
import type { Ledger } from '#ledger/port'
import { canPrompt, promptAnswer, promptLine } from '../clarification-prompt.ts'
import { said, tooLate, type Said } from '../clarification-said.ts'
import { wholeClarification } from '../clarification-whole.ts'
import { findClarification, readOutcome, type Clarification, type InboxRow } from '../clarifications.ts'
import { tellClarification } from '../clarification-update.ts'
import type { CommandContext, ExitCode } from '../context.ts'
import { CliError, usageError } from '../errors.ts'
import { nearest, selectActor } from '../select.ts'
import { requireWorkers, withInstallation, withServer } from '../session.ts'

export type Answering = {
  id: string
  value?: string
  comment?: string
  as?: string
  delegate?: string
  remark?: string
}

/** Answers a question, says something about it, or lets another one answer. */
export async function run(context: CommandContext, input: Answering): Promise<ExitCode> {
  requireOneAct(input)
  return await withInstallation(context, async (installation) => {
    const { people } = installation.config
    const by = await selectActor(context, input.as)
    return await withServer(context, installation, async (connected) => {
      const found = await findClarification(connected, input.id)
      if (found.ended !== null) return await sayEnded(context, connected, found, { by, ...input }, people)
      if (input.value !== undefined) requireOption(found.row, input.value)
      else if (isAnswer(input) && !canPrompt(context)) throw whichAnswer(found.row)
      await requireWorkers(connected, ['decision'])
      try {
        return await act(context, { connected, ledger: installation.ledger }, found.row, { by, ...input })
      } catch (error) {
        if (!(error instanceof CliError) || error.code !== 'ended') throw error
        const now = await findClarification(connected, found.row.id)
        return await sayEnded(context, connected, now, { by, ...input }, people)
      }
    })
  })
}

type Act = Answering & { by: string }

const isAnswer = ({ delegate: to, remark }: Answering) => to === undefined && remark === undefined

async function act(
  context: CommandContext,
  { connected, ledger }: { connected: Connected; ledger: Ledger },
  row: InboxRow,
  input: Act,
): Promise<ExitCode> {
  const { by, delegate: to, remark } = input
  const { output } = context
  if (to !== undefined) {
    const view = await tellClarification(connected, row.id, delegate, { by, to })
    output.line(`${to} may answer it now, too.`)
    output.document(said({ ...row, ...view }))
    return 0
  }
  if (remark !== undefined) {
    const view = await tellClarification(connected, row.id, comment, { by, text: remark })
    output.line('Noted. It still waits for an answer.')
    output.document(said({ ...row, ...view }))
    return 0
  }
  const value = input.value ?? (await promptAnswer(context, await wholeClarification(connected, ledger, row)))
  const view = await giveAnswer(context, connected, row, { by, value, comment: input.comment ?? '' })
  print(context, row, said({ ...row, ...view }, value), { value, by })
  return 0
}

/** A question that wants a reason says so when it gets none: then a person is asked for it. */
async function giveAnswer(
  context: CommandContext,
  connected: Connected,
  { id }: InboxRow,
  given: { by: string; value: string; comment: string },
) {
  const send = (reason: string) =>
    tellClarification(connected, id, answer, { ...given, comment: reason, through: 'cli' as const })
  try {
    return await send(given.comment)
  } catch (error) {
    if (!(error instanceof CliError) || error.code !== 'no-reason' || !canPrompt(context)) throw error
    return await send(await promptLine(context, 'It wants a reason. Why? '))
  }
}

function print(
  { output }: CommandContext,
  { id, title }: InboxRow,
  document: Said,
  { value, by }: { value: string; by: string },
): void {
  output.line({ text: '✓ ', style: 'green' }, `${by} answered ${value} to ${id}  ${title}`)
  if (document.state === 'answered') output.line('That settles it.')
  else if (document.missing > 0) {
    output.line(`${document.needed} people must say the same: ${document.missing} more must answer ${value}.`)
  }
  output.document(document)
}

/** Who answered what and when; no error for who gave the same answer. */
async function sayEnded(
  { output }: CommandContext,
  connected: Connected,
  found: Clarification,
  { by, value }: Act,
  people: KnownPerson[],
): Promise<ExitCode> {
  const outcome = await readOutcome(connected, found)
  const identity = identityOf(by, people)
  const own = outcome.answers.find((one) => identityOf(one.by, people) === identity)
  if (value === undefined || own?.value !== value) throw tooLate(found.row, outcome)
  output.line(`${by} answered ${value} at ${own.at} already; it ended with ${outcome.value ?? outcome.state}.`)
  output.document({
    ...said(found.row, value),
    state: outcome.state,
    value: outcome.value,
    by: outcome.by,
    at: outcome.at,
  })
  return 0
}

function requireOneAct({ value, comment: reason, delegate: to, remark }: Answering): void {
  const acts = [value, to, remark].filter((one) => one !== undefined)
  if (acts.length > 1) {
    throw usageError(
      'That is more than one thing at once.',
      'Give a value, --delegate or --remark; --comment goes with a value.',
    )
  }
  if (reason !== undefined && acts.length > 0 && value === undefined) {
    throw usageError('--comment goes with an answer.', 'Say what you have to say with --remark alone.')
  }
  for (const text of [...acts, reason ?? '']) {
    if (Buffer.byteLength(text) > limits.text) {
      throw usageError(
        `That is longer than ${limits.text} bytes.`,
        'Put the long text somewhere and answer with its address.',
      )
    }
  }
}

function requireOption(row: InboxRow, value: string): void {
  const values = row.options.map((option) => option.value)
  if (values.length === 0 || values.includes(value)) return
  const list = `Give one of ${values.join(', ')}.`
  const near = nearest(value, values)
  throw new CliError(2, 'unknown-option', `${JSON.stringify(value.slice(0, limits.value))} is not among the options.`, {
    details: { id: row.id, options: row.options },
    hint: near === null ? list : `${near} ${list}`,
  })
}

function whichAnswer({ id, title, options }: InboxRow): CliError {
  const values = options.map(({ value }) => value)
  return usageError(
    `Which answer? ${title}`,
    values.length === 0 ? 'Give any text behind the id.' : `Give one of ${values.join(', ')} behind the id.`,
    { id, options },
  )
}
