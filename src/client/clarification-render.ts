import type { Waiting } from '#domain/pull-request'
import { oneLine } from '#domain/text'
import type { WholeClarification } from './clarification-whole.ts'
import { shortIds, type InboxRow } from './clarifications.ts'
import { relative, type Output, type Text } from './output.ts'

const TITLE = 60
const NAMES = 40
/** Columns that the others of the table take, with what is between them. */
const OTHERS = 54

/** `width`: of the terminal, in columns. */
export function printInbox(output: Output, rows: InboxRow[], now: Date, width = Infinity): void {
  if (rows.length === 0) return output.line('The inbox is empty: nothing waits for a person.')
  const short = shortIds(rows.map(({ id }) => id))
  const names = Math.min(NAMES, Math.max(12, Math.floor(width / 5)))
  const title = Math.min(TITLE, Math.max(16, width - names - OTHERS))
  output.table(
    ['id', 'kind', 'what', 'for', 'asked', 'next'],
    rows.map((row) => [
      { text: short(row.id), style: 'bold' },
      row.urgent ? { text: `${row.kind}!`, style: 'red' } : row.kind,
      oneLine(`${aboutOf(row)}${row.title}`, title),
      oneLine(whoOf(row), names),
      relative(row.askedAt, now),
      nextOf(row, now),
    ]),
  )
}

/** All of one: what is asked, by and of whom, what may be answered and what was. */
export function printClarification(output: Output, row: WholeClarification, now: Date): void {
  output.line({ text: `${row.id}  `, style: 'bold' }, row.title)
  const field = (name: string, ...value: Text[]) => output.line({ text: name.padEnd(10), style: 'dim' }, ...value)
  field('kind', row.urgent ? `${row.kind}, urgent` : row.kind)
  field('from', row.from.workflowId ?? 'a script', row.from.webUrl === null ? '' : `  ${row.from.webUrl}`)
  if (row.repo !== null) field('about', placeOf(row))
  field('for', whoOf(row))
  field('asked', `${row.askedAt} (${relative(row.askedAt, now)})`)
  field('next', nextOf(row, now))
  if (row.context !== '') output.block(`\n${row.context}\n`)
  printOptions(output, row)
  for (const { by, value, at } of row.answered) {
    output.line({ text: `${by}  `, style: 'bold' }, `answered ${oneLine(value, TITLE)} ${relative(at, now)}`)
  }
  const { remarks = [], delegations = [] } = row.conversation ?? {}
  for (const { by, to, at } of delegations) {
    output.line({ text: `${by}  `, style: 'bold' }, `lets ${to} answer, too ${relative(at, now)}`)
  }
  for (const { by, text, at } of remarks) {
    output.line({ text: `${by}  `, style: 'bold' }, `said ${relative(at, now)}`)
    output.block(text)
  }
}

export function printOptions(output: Output, { options, default: standard }: InboxRow): void {
  if (options.length === 0) return output.line({ text: 'any text is an answer', style: 'dim' })
  options.forEach(({ value, label }, index) => {
    const named = label === value ? '' : `  ${label}`
    output.line(`  ${index + 1}  `, { text: value, style: 'bold' }, named, {
      text: value === standard ? '  (default)' : '',
      style: 'dim',
    })
  })
}

/** What `why` says of one that is open. */
export function waitingFor({ id, title, askedAt, expiresAt, who, state }: InboxRow): Waiting {
  const until = state === 'parked' ? null : expiresAt
  return { for: title, since: askedAt, until, who, command: `switchyard answer ${shortIds([id])(id)}` }
}

/** `reminder in 9 m`, `parked`, `answered`. */
export function nextOf({ state, next }: InboxRow, now: Date): Text {
  const coming = next === null ? '' : `${NEXT[next.action]} ${relative(next.at, now)}`
  if (state === 'open') return coming
  return { text: coming === '' ? state : `${state}, ${coming}`, style: state === 'parked' ? 'yellow' : 'dim' }
}

const NEXT = { remind: 'reminder', escalate: 'escalation', expire: 'expiry' } as const

function whoOf({ who, needed, answered }: InboxRow): string {
  const names = who.length === 0 ? 'anybody' : who.join(', ')
  return needed === 1 ? names : `${names} (${answered.length} of ${needed})`
}

function aboutOf(row: InboxRow): string {
  return row.repo === null ? '' : `${placeOf(row)}: `
}

function placeOf({ repo, number }: InboxRow): string {
  return `${repo ?? ''}${number === null ? '' : `#${number}`}`
}
