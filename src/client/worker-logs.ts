import { stat } from 'node:fs/promises'
import { roles, type Role } from '#contracts/roles'
import { maskSecrets } from '#domain/mask'
import { workerLog } from '#installation/layout'
import { workerProcesses } from '#workers/roles'
import type { CommandContext } from './context.ts'
import { CliError, usageError } from './errors.ts'
import { FileTail } from './file-tail.ts'
import { toJson } from './output.ts'
import { nearest } from './select.ts'
import { sleep } from './sleep.ts'

/** Bytes of a log's end that are looked at, whatever it has grown to. */
const MOST_BYTES = 1024 * 1024
const EVERY_MS = 500

/** What the worker process of a role wrote: its last lines, and with `follow` all that come, until Ctrl-C. */
export async function printWorkerLog(
  context: CommandContext,
  home: string,
  { role, lines, follow }: { role: string; lines: number; follow: boolean },
): Promise<void> {
  const path = workerLog(home, processOf(role))
  const size = await stat(path).then(
    (found) => found.size,
    () => null,
  )
  if (size === null && !follow) throw noLog(role, path)
  const start = Math.max(0, (size ?? 0) - MOST_BYTES)
  const tail = new FileTail(path, start)
  const [first = '', ...rest] = (await tail.read()).split('\n')
  let unfinished = rest.pop() ?? ''
  const whole = (start > 0 ? rest : [first, ...rest]).filter((line) => line !== '')
  if (!follow) {
    // Nothing follows that could end it: the last line of a crash has no line break.
    const written = (unfinished === '' ? whole : [...whole, unfinished]).slice(-lines)
    for (const line of written) context.output.line(readable(line))
    context.output.document(written.map(toDocument))
    return
  }
  for (const line of whole.slice(-lines)) printLine(context, line)
  for (;;) {
    await sleep(EVERY_MS, context.signal)
    const fresh = `${unfinished}${await tail.read()}`.split('\n')
    unfinished = fresh.pop() ?? ''
    for (const line of fresh.filter((each) => each !== '')) printLine(context, line)
  }
}

function processOf(role: string): string {
  const holder = workerProcesses.find((each) => each.roles.includes(role as Role))
  if (holder !== undefined) return holder.name
  throw usageError(`There is no role "${role}".`, nearest(role, [...roles]) ?? `Give one of ${roles.join(', ')}.`)
}

function noLog(role: string, path: string): CliError {
  return new CliError(2, 'no-log', `The worker of the role ${role} has written nothing here yet.`, {
    details: { role, path },
    hint: 'It does when `switchyard up` starts it; one started as `switchyard worker` writes to its standard error.',
  })
}

function printLine(context: CommandContext, line: string): void {
  if (context.output.json) context.stdout.write(`${toJson(toDocument(line), 0)}\n`)
  else context.output.line(readable(line))
}

const levels: Record<number, string> = { 10: 'trace', 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' }

type Entry = { time?: unknown; level?: unknown; msg?: unknown; err?: { message?: unknown } }

function readable(line: string): string {
  const entry = parsed(line)
  if (entry === null || typeof entry.time !== 'number') return maskSecrets(line)
  const message = [entry.msg, entry.err?.message].filter((text) => typeof text === 'string').join(': ')
  return maskSecrets(`${new Date(entry.time).toISOString()}  ${levels[Number(entry.level)] ?? ''}  ${message}`)
}

/** A line of the worker's own, or what a library or a crash printed. */
function toDocument(line: string): object {
  const masked = maskSecrets(line)
  return parsed(masked) ?? { line: masked }
}

function parsed(line: string): Entry | null {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null
  } catch {
    return null
  }
}
