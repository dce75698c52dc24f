import { askerMemo, clarificationType, contextMemo, viewMemo } from '#contracts/clarification'
import type { ClarificationOutcome } from '#domain/clarification/state'
import type { ClarificationView } from '#domain/clarification/view'
import { identityOf, isAnyOf, type KnownPerson } from '#domain/people'
import { oneLine } from '#domain/text'
import type { Connected } from '#installation/installation'
import type { WorkflowExecutionInfo } from '@temporalio/client'
import { distance } from 'fastest-levenshtein'
import { CliError } from './errors.ts'

/** A row of `inbox --json`. */
export type InboxRow = Omit<ClarificationView, 'not'> & {
  id: string
  /** Both are null where a script asks for itself. */
  from: { workflowId: string | null; webUrl: string | null }
  context: string
}

/** `ended`: how and when its run did; null while it waits. */
export type Clarification = { row: InboxRow; not: string[]; ended: { status: string; at: string } | null }

const PREFIX = 'ask:'
const ID_DIGITS = 16
/** Of the ids that are shown. */
const SHORTEST = 6
/** Fewer would be taken for one when they were meant for a pull request, and an answer is not taken back. */
const FEWEST = 4
/** Memos are read page by page: a page of 500 is 3 MB at most. */
const PAGE = 500
const DEADLINE_MS = 10_000
/** For all pages, of which ten thousand questions have many. */
const LIST_DEADLINE_MS = 60_000
/** Of those that have ended, so many are shown. */
const MOST_ENDED = 1000
const NEAREST = 3

export type Listed = { ended?: boolean; repo?: string | null }

/** Those that wait for a person, from what visibility keeps: urgent ones first, then the oldest. No worker is asked. */
export async function listClarifications(
  connected: Connected,
  { ended = false, repo = null }: Listed = {},
): Promise<Clarification[]> {
  const clauses = [
    `Pipeline = '${clarificationType}'`,
    ...(repo === null ? [] : [`Repo = '${repo.replaceAll("'", "''")}'`]),
  ]
  const open = await query(connected, [...clauses, "ExecutionStatus = 'Running'"], Infinity)
  if (!ended) return open.toSorted(byUrgency)
  const closed = await query(
    connected,
    [...clauses, "ExecutionStatus NOT IN ('Running', 'ContinuedAsNew')"],
    MOST_ENDED,
  )
  return [...open.toSorted(byUrgency), ...closed.filter(({ row }) => !open.some((one) => one.row.id === row.id))]
}

/** How many are open, and how many of them are parked. */
export async function countClarifications(connected: Connected): Promise<{ open: number; parked: number }> {
  const count = async (clause: string) =>
    (
      await connected.client.workflow.count(
        `Pipeline = '${clarificationType}' AND ExecutionStatus = 'Running'${clause}`,
      )
    ).count
  return await connected.client.withDeadline(Date.now() + DEADLINE_MS, async () => {
    const [all, parked] = await Promise.all([count(''), count(" AND Phase = 'parked'")])
    return { open: all - parked, parked }
  })
}

/** The one that an id or its beginning names, with or without `ask:`; an open one before those that have ended. */
export async function findClarification(connected: Connected, text: string): Promise<Clarification> {
  const digits = digitsOf(text)
  if (digits !== null && digits.length === ID_DIGITS) {
    const whole = await describeClarification(connected, `${PREFIX}${digits}`)
    if (whole !== null) return whole
  } else if (digits !== null) {
    const clauses = [`Pipeline = '${clarificationType}'`, `WorkflowId STARTS_WITH '${PREFIX}${digits}'`]
    const named = await query(connected, [...clauses, "ExecutionStatus != 'ContinuedAsNew'"], PAGE)
    const open = named.filter(({ ended }) => ended === null)
    const candidates = open.length > 0 ? open : named
    if (candidates.length > 1) throw ambiguous(text, candidates)
    if (candidates[0]) return candidates[0]
  }
  throw unknown(text, await listClarifications(connected))
}

/** null where there is none, or its run was deleted. */
export async function describeClarification(connected: Connected, id: string): Promise<Clarification | null> {
  try {
    const handle = connected.client.workflow.getHandle(id)
    const info = await connected.client.withDeadline(Date.now() + DEADLINE_MS, () => handle.describe())
    return clarificationOf(connected, info)
  } catch (error) {
    if (error instanceof Error && error.name === 'WorkflowNotFoundError') return null
    throw error
  }
}

/** What became of one that has ended. A run that a person ended from outside is as good as taken back. */
export async function readOutcome(connected: Connected, { row, ended }: Clarification): Promise<ClarificationOutcome> {
  if (ended !== null && ended.status !== 'completed') {
    const comment = `its run was ${ended.status}`
    return { state: 'cancelled', value: null, by: [], at: ended.at, comment, answers: [] }
  }
  const handle = connected.client.workflow.getHandle(row.id)
  return (await connected.client.withDeadline(Date.now() + DEADLINE_MS, () => handle.result())) as ClarificationOutcome
}

/** Whether this actor may answer, and has not done so. */
export function isTurnOf({ row, not }: Clarification, actor: string, people: KnownPerson[]): boolean {
  if (not.length > 0 && isAnyOf(not, actor, people)) return false
  if (row.who.length > 0 && !isAnyOf(row.who, actor, people)) return false
  const identity = identityOf(actor, people)
  return !row.answered.some(({ by }) => identityOf(by, people) === identity)
}

/** So many more must give this answer. */
export function missingFor({ needed, answered }: Pick<InboxRow, 'needed' | 'answered'>, value: string): number {
  return Math.max(0, needed - answered.filter((answer) => answer.value === value).length)
}

/** As short as these ids can be and still differ. */
export function shortIds(ids: string[]): (id: string) => string {
  const digits = ids.map((id) => id.slice(PREFIX.length))
  let length = SHORTEST
  while (length < ID_DIGITS && new Set(digits.map((id) => id.slice(0, length))).size < new Set(digits).size) length += 1
  return (id) => id.slice(PREFIX.length, PREFIX.length + length)
}

function digitsOf(text: string): string | null {
  const digits = /^(?:ask:)?([0-9a-f]{1,16})$/i.exec(text.trim())?.[1]?.toLowerCase()
  return digits !== undefined && digits.length >= FEWEST ? digits : null
}

async function query(connected: Connected, clauses: string[], limit: number): Promise<Clarification[]> {
  const found = new Map<string, Clarification>()
  return await connected.client.withDeadline(Date.now() + LIST_DEADLINE_MS, async () => {
    for await (const info of connected.client.workflow.list({ query: clauses.join(' AND '), pageSize: PAGE })) {
      const clarification = clarificationOf(connected, info)
      // Between a run and its successor both may be listed, the newest first.
      if (clarification !== null && !found.has(info.workflowId)) found.set(info.workflowId, clarification)
      if (found.size >= limit) break
    }
    return [...found.values()]
  })
}

type Info = Pick<WorkflowExecutionInfo, 'workflowId' | 'type' | 'status' | 'memo'> & { closeTime?: Date | undefined }

/** null for what only calls itself so. */
function clarificationOf(connected: Connected, info: Info): Clarification | null {
  const view = info.memo?.[viewMemo] as ClarificationView | undefined
  if (info.type !== clarificationType || view === undefined) return null
  const asker = (info.memo?.[askerMemo] as string | null | undefined) ?? null
  const ended =
    info.status.name === 'RUNNING' || info.status.name === 'PAUSED'
      ? null
      : { status: info.status.name.toLowerCase(), at: (info.closeTime ?? new Date(view.askedAt)).toISOString() }
  const { not, ...shown } = view
  const row: InboxRow = {
    id: info.workflowId,
    ...shown,
    from: { workflowId: asker, webUrl: asker === null ? null : connected.webUrl(asker) },
    context: (info.memo?.[contextMemo] as string | undefined) ?? '',
  }
  if (ended !== null && ended.status !== 'completed')
    return { row: { ...row, state: 'cancelled', next: null }, not, ended }
  return { row, not, ended }
}

function byUrgency(one: Clarification, other: Clarification): number {
  if (one.row.urgent !== other.row.urgent) return one.row.urgent ? -1 : 1
  return Date.parse(one.row.askedAt) - Date.parse(other.row.askedAt)
}

function unknown(text: string, open: Clarification[]): CliError {
  const short = shortIds(open.map(({ row }) => row.id))
  const wanted = text.trim().toLowerCase().slice(0, 100).replace(PREFIX, '')
  const nearest = open
    .map(({ row }) => ({ id: short(row.id), title: row.title }))
    .map((one) => ({ ...one, steps: distance(wanted, one.id) }))
    .toSorted((one, other) => one.steps - other.steps)
    .slice(0, NEAREST)
  const hint =
    nearest.length === 0
      ? 'No question is open now. See `switchyard inbox --all`.'
      : ['The nearest open ones:', ...nearest.map(({ id, title }) => `  ${id}  ${oneLine(title, 60)}`)].join('\n')
  const isShort = wanted.length < FEWEST && /^[0-9a-f]+$/.test(wanted)
  const why = isShort ? ` The beginning of an id has at least ${FEWEST} characters.` : ''
  return new CliError(2, 'unknown-question', `There is no question ${JSON.stringify(oneLine(text, 60))}.${why}`, {
    details: { id: text.slice(0, 100), nearest: nearest.map(({ id, title }) => ({ id, title })) },
    hint,
  })
}

function ambiguous(text: string, candidates: Clarification[]): CliError {
  const ids = candidates.map(({ row }) => row.id)
  const short = shortIds(ids)
  const listed = candidates.slice(0, 10).map(({ row }) => `  ${short(row.id)}  ${oneLine(row.title, 60)}`)
  return new CliError(2, 'ambiguous', `${JSON.stringify(oneLine(text, 60))} is the beginning of ${ids.length} ids.`, {
    details: { id: text, ids },
    hint: ['Give more of it:', ...listed].join('\n'),
  })
}
