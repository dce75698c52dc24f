import { randomUUID } from 'node:crypto'
import type { AskRequest } from '#activities/pipelines/port'
import { peopleWhoMatter } from '#domain/clarification/people'
import { answersToo, delegationsIn, sameQuestion } from '#domain/clarification/remembered'
import type { Question } from '#domain/clarification/question'
import type { ClarificationOutcome } from '#domain/clarification/state'
import { knownPerson } from '#domain/contact'
import { isKnownName } from '#domain/people'
import type { Instant } from '#domain/pull-request'
import type { Connected, Installation } from '#installation/installation'
import { prepareQuestion, type Prepared, type QuestionFlags } from '../clarification-question.ts'
import { waitForOutcome } from '../clarification-wait.ts'
import { describeClarification, shortIds } from '../clarifications.ts'
import type { CommandContext, ExitCode } from '../context.ts'
import { CliError, usageError } from '../errors.ts'
import { bodyText } from '../pull-request-body.ts'
import { selectActor, selectRepository } from '../select.ts'
import { requireWorkers, withInstallation, withServer } from '../session.ts'
import { waitLimit } from '../wait.ts'

export type Asking = QuestionFlags & {
  context?: string
  contextFile?: string
  key?: string
  as?: string
  wait?: string | true
}

/** `ask --json`. */
export type AskedView = {
  id: string
  state: ClarificationOutcome['state'] | 'open'
  value: string | null
  by: string[]
  at: Instant | null
}

const LONGEST_KEY = 1_000

/** Asks a person, for a script; the same key again is the same question. */
export async function run(context: CommandContext, input: Asking): Promise<ExitCode> {
  const limit = waitLimit(input.wait)
  if (input.key === '' || (input.key?.length ?? 0) > LONGEST_KEY)
    throw usageError(`--key has 1 to ${LONGEST_KEY} characters.`)
  const text = await contextText(context, input)
  return await withInstallation(context, async (installation) => {
    const named = context.flags.repo !== undefined || input.remember === 'repository'
    const repo = named ? await selectRepository(context, installation) : null
    const prepared = prepareQuestion(input, { repo, context: text })
    const by = await selectActor(context, input.as)
    const known = await rememberedOutcome(installation, prepared.question)
    if (known !== null) return await useRemembered(context, installation, { prepared, by, known })
    noteStrangers(context, installation, prepared.question)
    return await withServer(context, installation, async (connected) => {
      if (limit !== undefined) await requireWorkers(connected, ['decision'])
      const key = input.key ?? `cli:${randomUUID()}`
      const request = {
        asker: null,
        key,
        question: prepared.question,
        people: peopleWhoMatter(prepared.question, [], installation.config.people),
      }
      const { id, outcome } = await ask(context, { installation, connected, request, prepared, by })
      if (input.key !== undefined) await noteOtherWords(context, connected, id, prepared.question)
      if (outcome !== null || limit === undefined) return show(context, id, outcome, outcome === null ? 0 : undefined)
      context.output.note({ text: `Asked ${id}; waits for the answer. Ctrl-C detaches.`, style: 'dim' })
      return show(context, id, await waitForOutcome(connected, { id, request, limit }, context.signal))
    })
  })
}

async function contextText(context: CommandContext, { context: text, contextFile }: Asking): Promise<string> {
  if (text !== undefined && contextFile !== undefined) {
    throw usageError('The context is given twice.', 'Give --context or --context-file.')
  }
  return text ?? (contextFile === undefined ? '' : ((await bodyText(context, { bodyFile: contextFile })) ?? ''))
}

type Act = { installation: Installation; connected: Connected; request: AskRequest; prepared: Prepared; by: string }

async function ask(context: CommandContext, { installation, connected, request, prepared, by }: Act) {
  const { question, whole } = prepared
  const { ledger } = installation
  if (whole !== null) await ledger.saveText(whole.digest, whole.text)
  const { workflowId: id, outcome } = await connected.pipelines.ask(request)
  const { kind, title, repo } = question
  const entry = {
    ...{ key: `clarification.asked:${id}`, at: context.now().toISOString(), actor: by, action: 'clarification.asked' },
    ...{ repo: repo ?? '', number: null, snapshotId: null },
    details: { id, title, asker: null, key: request.key, kind },
  }
  await ledger.appendAudit(entry).catch((cause: unknown) => {
    throw new CliError(1, 'not-recorded', `${id} was asked, and could not be put on record: ${String(cause)}`, {
      ...{ details: { id, key: request.key }, cause },
      hint: `Run it again with --key ${request.key}: it is the same question.`,
    })
  })
  if (outcome === null && !(await connected.hasWorker('decision'))) {
    const text = 'No worker polls the role decision now: nobody is told before `switchyard up`.'
    context.output.note({ text, style: 'yellow' })
  }
  return { id, outcome }
}

type Remembered = { id: string; outcome: AskedView }

/** The same question was answered, and the answer holds for its repository or the whole installation. */
async function rememberedOutcome({ ledger, config }: Installation, question: Question): Promise<Remembered | null> {
  const same = sameQuestion(question)
  const found = same && (await ledger.rememberedAnswer(same))
  if (found === null) return null
  const delegations = delegationsIn(await ledger.audit({ action: 'clarification.delegated' }), found.clarification)
  if (!answersToo(question, config.people.map(knownPerson), found, delegations)) return null
  const { id, clarification, value, by, at } = found
  return { id, outcome: { id: clarification, state: 'answered', value, by, at } }
}

async function useRemembered(
  { output, now }: CommandContext,
  { ledger }: Installation,
  { prepared, by: actor, known }: Pick<Act, 'prepared' | 'by'> & { known: Remembered },
): Promise<ExitCode> {
  const { id, outcome } = known
  const { value, by, at } = outcome
  const { title, repo } = prepared.question
  const used = now().toISOString()
  await ledger.appendAudit({
    ...{ key: `clarification.remembered:${id}:${actor}:${used}`, at: used, actor, action: 'clarification.remembered' },
    ...{ repo: repo ?? '', number: null, snapshotId: null },
    details: { id: outcome.id, title, asker: null, value, by: by.join(', ') },
  })
  output.line({ text: '✓ ', style: 'green' }, `${value}, as ${by.join(', ')} answered the same at ${at}`)
  output.note({ text: `Not asked again. To be asked again: switchyard answers forget ${id}`, style: 'dim' })
  output.document(outcome)
  return 0
}

/** The same key is the same question, as it was asked first. */
async function noteOtherWords(
  { output }: CommandContext,
  connected: Connected,
  id: string,
  { title, options }: Question,
): Promise<void> {
  const there = (await describeClarification(connected, id))?.row
  if (there === undefined || (there.title === title && valuesOf(there) === valuesOf({ options }))) return
  const values = there.options.length === 0 ? 'any text' : valuesOf(there)
  const text = `The key was used before, and that question has other words: "${there.title}" (${values}). It stays as it was asked; give another --key to ask anew.`
  output.note({ text, style: 'yellow' })
}

function valuesOf({ options }: Pick<Question, 'options'>): string {
  return options.map(({ value }) => value).join(', ')
}

/** They may answer under the name they were asked by, but nobody can tell them. */
function noteStrangers({ output }: CommandContext, { config }: Installation, { who, ladder }: Question): void {
  for (const name of [...who, ...ladder.escalateTo.flat()].filter((one) => !isKnownName(one, config.people))) {
    const text = `${name} is nobody among \`people\` of switchyard.yaml: only who acts under that name may answer.`
    output.note({ text, style: 'yellow' })
  }
}

/** `code`: where the state alone does not tell it. */
function show({ output }: CommandContext, id: string, outcome: ClarificationOutcome | null, code?: ExitCode): ExitCode {
  const { state, value, by, at } = outcome ?? { state: 'open' as const, value: null, by: [], at: null }
  const how = by.length === 0 ? '' : ` by ${by.join(', ')}`
  output.line({ text: `${id}  `, style: 'bold' }, state, value === null ? '' : `: ${value}${how}`)
  if (state === 'open' || state === 'parked') {
    output.line({ text: '  with ', style: 'dim' }, `switchyard answer ${shortIds([id])(id)}`)
  }
  output.document({ id, state, value, by, at } satisfies AskedView)
  return code ?? EXIT_CODES[state]
}

const EXIT_CODES: Record<AskedView['state'], ExitCode> = {
  ...{ answered: 0, defaulted: 0, expired: 1, cancelled: 1, parked: 4, open: 4 },
}
