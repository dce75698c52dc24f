import { maskedText } from './mask.ts'
import { identityOf, isAnyOf, isPerson, type KnownPerson } from './people.ts'
import type { Instant, Sha } from './pull-request.ts'
import { escapeMarkdown, oneLine } from './text.ts'

export const commandNames = ['merge', 'hold', 'retry', 'review'] as const
export type CommandName = (typeof commandNames)[number]

/** What a person tells a pipeline in a comment. */
export type Command =
  /** `head`: the commit that the person looked at, or its first digits. */
  | { name: 'merge'; head: Sha | null }
  | { name: 'hold'; cancel: boolean; reason: string }
  | { name: 'retry' }
  | { name: 'review' }

/** `problem`: why a line that means to be a command is none. */
export type ParsedCommand = Command | { name: 'unknown'; problem: string }

/** A command with who gave it. `refusal`: why that person may not; null where they may. */
export type GivenCommand = {
  comment: string
  by: string
  at: Instant
  command: ParsedCommand
  refusal: string | null
}

export const usage = '`merge [commit]`, `hold [reason]`, `hold cancel`, `retry`, `review`'

/** More in one comment are a mistake or an attack. */
const MAX_COMMANDS = 5
const MAX_REASON = 200

/**
 * The commands in a comment: each a line of its own that starts with `/switchyard`, at the beginning, after an empty line
 * or after another command. What Markdown shows as code, as a quotation or not at all is no command.
 */
export function parseCommands(body: string): ParsedCommand[] {
  const commands = commandLines(body).map((line) => parseCommand((COMMAND.exec(line)?.[1] ?? '').trim()))
  if (commands.length <= MAX_COMMANDS) return commands
  return [unknown(`there are ${commands.length} commands in this comment, and at most ${MAX_COMMANDS} are heard`)]
}

function parseCommand(text: string): ParsedCommand {
  const [word = '', ...rest] = text.split(/[ \t]+/)
  const argument = rest.join(' ')
  switch (word.toLowerCase()) {
    case 'merge':
      if (argument === '') return { name: 'merge', head: null }
      if (/^[0-9a-f]{7,40}$/i.test(argument)) return { name: 'merge', head: argument.toLowerCase() }
      return unknown('`merge` takes nothing, or the commit that it is about (7 digits or more)')
    case 'hold':
      if (/^cancel$/i.test(argument)) return { name: 'hold', cancel: true, reason: '' }
      return { name: 'hold', cancel: false, reason: holdReason(argument) }
    case 'retry':
    case 'review':
      if (argument === '') return { name: word.toLowerCase() as 'retry' | 'review' }
      return unknown(`\`${word.toLowerCase()}\` takes nothing`)
    default:
      return unknown('there is no such command')
  }
}

function unknown(problem: string): ParsedCommand {
  return { name: 'unknown', problem }
}

/** It is shown in decisions and comments, and goes through histories. */
export function holdReason(text: string): string {
  return oneLine(maskedText(text), MAX_REASON)
}

/** What HTML shows as code or as a quotation, or not at all, up to its end; `depth`: of an element within its like. */
type Hidden = { by: string; depth: number }

const COMMAND = /^ {0,3}\/switchyard(?:[ \t]+(.*))?$/i
/** What ends a paragraph, and with its own end is over. */
const BLOCK = /^ {0,3}<(?:!--|(?:pre|script|style|textarea)(?=[\s>]|$))/i
/** What begins in a quotation ends with it. */
const QUOTED = /^ {0,3}>/
const MARK = /<!(?=--)|-->|<(\/?)(pre|script|style|textarea|blockquote|code)(?=[\s/>]|$)/gi

/**
 * The lines that give a command. Each begins a paragraph or follows another command: Markdown shows what comes right
 * after a quotation's line as part of the quotation. Code by indentation and quotations start with something else anyway.
 */
function commandLines(body: string): string[] {
  const spoken: string[] = []
  let fence: string | null = null
  let hidden: Hidden | null = null
  let begins = true
  for (const line of body.split(/\r\n?|\n/)) {
    if (fence !== null) {
      if (closes(fence, line)) fence = null
      continue
    }
    if (hidden !== null) {
      hidden = hiddenAfter(line, hidden)
      continue
    }
    fence = /^ {0,3}(`{3,}(?=[^`]*$)|~{3,})/.exec(line)?.[1] ?? null
    const speaks: boolean = begins && COMMAND.test(line)
    if (speaks) spoken.push(line)
    begins = speaks || fence !== null || line.trim() === '' || BLOCK.test(line)
    if (fence === null && !QUOTED.test(line)) hidden = hiddenAfter(line, null)
  }
  return spoken
}

function closes(fence: string, line: string): boolean {
  const [, run = ''] = /^ {0,3}(`{3,}|~{3,})[ \t]*$/.exec(line) ?? []
  return run.length >= fence.length && run[0] === fence[0]
}

/** What is hidden at the end of a line. In a code span nothing begins; of what is hidden no span is known. */
function hiddenAfter(line: string, before: Hidden | null): Hidden | null {
  if (!line.includes('<') && !line.includes('-->')) return before
  let hidden = before
  for (const [mark, slash, element] of (before === null ? withoutCodeSpans(line) : line).matchAll(MARK)) {
    const by = element?.toLowerCase() ?? '<!--'
    const ends = mark === '-->' || slash === '/'
    if (hidden === null) hidden = ends ? null : { by, depth: 1 }
    else if (hidden.by === by) hidden = deeper(hidden, ends ? -1 : by === '<!--' ? 0 : 1)
  }
  return hidden
}

function deeper({ by, depth }: Hidden, levels: number): Hidden | null {
  return depth + levels === 0 ? null : { by, depth: depth + levels }
}

/** A span ends with as many backticks as it began with. By hand: a pattern would take seconds on a hostile line. */
function withoutCodeSpans(line: string): string {
  const runs = [...line.matchAll(/`+/g)].map(({ 0: { length }, index }) => ({ length, index }))
  let text = ''
  let from = 0
  for (let open = 0; open < runs.length; open += 1) {
    let close = open + 1
    while (close < runs.length && runs[close]!.length !== runs[open]!.length) close += 1
    if (close === runs.length) continue
    text += `${line.slice(from, runs[open]!.index)} `
    from = runs[close]!.index + runs[close]!.length
    open = close
  }
  return text + line.slice(from)
}

/**
 * Who may give each command: `author`; `people`, which is everybody whom the installation lists, or anybody where it
 * lists nobody; `anyone`; a person; or a group.
 */
export type CommandPermissions = Record<CommandName, string[]>

export const defaultPermissions: CommandPermissions = {
  merge: ['author', 'people'],
  hold: ['author', 'people'],
  retry: ['author', 'people'],
  review: ['author', 'people'],
}

/** Why this person may not give this command; null where they may. */
export function commandRefusal(
  name: CommandName,
  actor: string,
  {
    author,
    permissions,
    people,
  }: { author: string; permissions: Partial<CommandPermissions> | undefined; people: KnownPerson[] },
): string | null {
  const allowed = permissions?.[name] ?? defaultPermissions[name]
  const may = allowed.some((who) => {
    switch (who.toLowerCase()) {
      case 'anyone':
        return true
      case 'author':
        return identityOf(author, people) === identityOf(actor, people)
      case 'people':
        return people.length === 0 || people.some((person) => isPerson(person, actor))
      default:
        return isAnyOf([who], actor, people)
    }
  })
  if (may) return null
  const who = allowed.length === 0 ? 'nobody may' : `only ${allowed.join(', ')} may`
  return `${oneLine(actor, MAX_REASON)} may not: ${who}, by \`commands.${name}\` of the policy`
}

/** The command as it is recorded and shown. */
export function commandText(command: ParsedCommand): string {
  switch (command.name) {
    case 'merge':
      return command.head === null ? 'merge' : `merge ${command.head}`
    case 'hold':
      return command.cancel ? 'hold cancel' : 'hold'
    default:
      return command.name
  }
}

/** A command that was carried out or refused, as the audit trail and the answer to its comment tell it. */
export type CommandAct = {
  /** The same for the same act, however often it is told. */
  key: string
  /** The comment that asked for it; null: the command line. */
  comment: string | null
  by: string
  /** When it was carried out. */
  at: Instant
  command: string
  /** The head that it was about. */
  head: Sha | null
  /** What the pipeline knew then. Absent in what an earlier version carried. */
  snapshotId?: string | null
  /** What it did to a hold. */
  hold: 'set' | 'lifted' | null
  /** Of a hold. */
  reason: string
  /** Why it was not carried out; null where it was. */
  refusal: string | null
}

/** The answer to a comment whose commands were not all carried out; null where they were. */
export function renderAnswer(acts: CommandAct[]): string | null {
  const refused = acts.filter(({ refusal }) => refusal !== null)
  if (refused.length === 0) return null
  const lines = refused.map(({ command, refusal }) => `- \`${command}\`: ${escapeMarkdown(refusal!)}`)
  return [`Not done, ${escapeMarkdown(refused[0]!.by)}:`, '', ...lines, '', `I know ${usage}.`, ''].join('\n')
}
