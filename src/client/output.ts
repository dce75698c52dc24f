import { createRequire } from 'node:module'
import { plainText } from '#domain/text'
import picocolors from 'picocolors'
import type { CliError } from './errors.ts'

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'
/** Text that may come from outside: it is made plain first and styled after, so no escape sequence passes. */
export type Text = string | { text: string; style: Style }

export type Output = {
  readonly json: boolean
  readonly isTerminal: boolean
  /** One line for a person on stdout; nothing with `--json`. */
  line(...parts: Text[]): void
  /** Text of many lines for a person, such as a diff or a log. */
  block(text: string): void
  /** A table for a person. */
  table(head: string[], rows: Text[][]): void
  /** The one document of `--json`; nothing without it. */
  document(value: unknown): void
  /** A line on stderr: progress, or a remark. */
  note(...parts: Text[]): void
  /** While an area of the terminal is redrawn in place, notes go above it through `write`; null: to stderr again. */
  redirectNotes(write: ((line: string) => void) | null): void
  error(error: CliError): void
  /** One line made plain and coloured, as `line` prints it. */
  render(...parts: Text[]): string
}

/** Loaded with the first table only: `--help` is not to wait for it. */
const loadTable = (): typeof import('cli-table3') => createRequire(import.meta.url)('cli-table3')

type Streams = { stdout: NodeJS.WritableStream; stderr: NodeJS.WritableStream }

export function createOutput(
  streams: Streams,
  options: { json: boolean; color: boolean; isTerminal: boolean },
): Output {
  const colors = picocolors.createColors(options.color)
  const render = (...parts: Text[]) => parts.map((part) => paint(colors, part)).join('')
  let above: ((line: string) => void) | null = null
  const human = (text: string) => {
    if (!options.json) streams.stdout.write(`${text}\n`)
  }
  return {
    json: options.json,
    isTerminal: options.isTerminal && !options.json,
    line: (...parts) => human(render(...parts)),
    block: (text) => human(plainText(text.replace(/\r?\n$/, ''), { multiline: true })),
    table: (head, rows) => human(renderTable(head, rows, render, options.color)),
    document(value) {
      if (options.json) streams.stdout.write(`${toJson(value)}\n`)
    },
    note(...parts) {
      if (above) above(render(...parts))
      else streams.stderr.write(`${render(...parts)}\n`)
    },
    redirectNotes(write) {
      above = write
    },
    error(error) {
      const { code, message, details, hint } = error
      if (options.json) {
        streams.stderr.write(`${toJson({ error: { code, message, details, hint } })}\n`)
        return
      }
      const [first = '', ...rest] = message.split('\n')
      const lines = [render({ text: 'switchyard: ', style: 'red' }, first), ...rest.map((line) => render(line))]
      if (hint !== null) lines.push(...hint.split('\n').map((line) => render(line)))
      streams.stderr.write(`${lines.join('\n')}\n`)
    },
    render,
  }
}

/** Colours only where a person looks, and nobody said no (https://no-color.org). */
export function wantsColor(host: { isTerminal: boolean; env: NodeJS.ProcessEnv }, flag: boolean): boolean {
  return flag && host.isTerminal && !host.env.NO_COLOR && host.env.TERM !== 'dumb'
}

/** JSON that is safe to print: control characters above U+007E and direction marks are escaped, too. */
export function toJson(value: unknown, indent = 2): string {
  return JSON.stringify(value, null, indent).replace(
    /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** `2 m ago`, `in 3 h`: for people; documents carry the instant. */
export function relative(instant: string, now: Date): string {
  const distance = Date.parse(instant) - now.getTime()
  return distance > 0 ? `in ${duration(distance)}` : `${duration(-distance)} ago`
}

export function duration(milliseconds: number): string {
  const seconds = milliseconds / 1000
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  if (seconds < 90) return `${Math.round(seconds)} s`
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} m`
  if (seconds < 36 * 3600) return `${Math.round(seconds / 3600)} h`
  return `${Math.round(seconds / 86_400)} d`
}

export const shortSha = (sha: string): string => sha.slice(0, 8)

function paint(colors: ReturnType<typeof picocolors.createColors>, part: Text): string {
  return typeof part === 'string' ? plainText(part) : colors[part.style](plainText(part.text))
}

function renderTable(head: string[], rows: Text[][], render: Output['render'], color: boolean): string {
  const empty = { top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '' }
  const none = { 'bottom-left': '', 'bottom-right': '', left: '', 'left-mid': '', mid: '', 'mid-mid': '' }
  const Table = loadTable()
  const table = new Table({
    head: head.map((title) => (color ? render({ text: title, style: 'bold' }) : title)),
    chars: { ...empty, ...none, right: '', 'right-mid': '', middle: '  ' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  })
  for (const row of rows) table.push(row.map((cell) => render(cell)))
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}
