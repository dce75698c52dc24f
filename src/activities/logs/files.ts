import { createHash } from 'node:crypto'
import { closeSync, openSync, writeSync } from 'node:fs'
import { mkdir, readdir, readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { LogReference } from '#domain/evidence'
import type { LogStore, LogWriter } from './port.ts'
import { createMaskedLines, safeText } from './masked-lines.ts'

/** Bytes kept of a log's start, and again of its end. */
const keptBytes = 5_000_000
const tailBytes = 4096
const namePattern = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}$/
const scheme = 'log:'

/** Logs as files of one folder, readable by their owner only. `known`: secret values masked in every log. */
export function createFileLogStore(folder: string, options: { known?: readonly string[] } = {}): LogStore {
  const root = resolve(folder)

  async function create(name: string, known: readonly string[] = []): Promise<LogWriter> {
    if (!namePattern.test(name)) {
      throw new Error(`invalid log name ${JSON.stringify(name)}: expected letters, digits, ".", "_" and "-"`)
    }
    await mkdir(root, { recursive: true, mode: 0o700 })
    const fd = openSync(resolve(root, name), 'w', 0o600)
    return createWriter(`${scheme}${name}`, fd, [...(options.known ?? []), ...known])
  }

  function path(uri: string): string | null {
    const name = uri.startsWith(scheme) ? uri.slice(scheme.length) : ''
    return namePattern.test(name) ? resolve(root, name) : null
  }

  async function read(uri: string): Promise<Buffer | null> {
    const file = path(uri)
    if (file === null) return null
    try {
      return await readFile(file)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
      throw error
    }
  }

  async function ofPullRequest(repo: string, number: number) {
    const prefix = `${repo}.${number}.`
    const names = (await readdir(root).catch(() => [])).filter((name) => name.startsWith(prefix))
    const logs = await Promise.all(
      names.map(async (name) => {
        // A repository's name may have dots, a check's has none.
        const check = /^([^.]+)-[0-9a-f]{32}-\d+\.log$/.exec(name.slice(prefix.length))?.[1]
        const file = resolve(root, name)
        const found = await stat(file).catch(() => null)
        return check && found ? { check, uri: `${scheme}${name}`, path: file, madeAt: found.birthtimeMs } : null
      }),
    )
    return logs
      .filter((log) => log !== null)
      .sort((a, b) => a.madeAt - b.madeAt)
      .map(({ madeAt: _, ...log }) => log)
  }

  return { create, read, path, ofPullRequest }
}

/**
 * The start goes to the file line by line, for whoever follows it. After it only the newest bytes are held, raw:
 * masking a gigabyte that nobody will read would cost minutes.
 */
function createWriter(uri: string, fd: number, known: readonly string[]): LogWriter {
  const hash = createHash('sha256')
  const lines = createMaskedLines(known)
  const end = createLastBytes(keptBytes)
  let taken = 0
  let bytes = 0
  let tail = Buffer.alloc(0)
  let failure: Error | null = null

  function append(text: string): void {
    if (text === '' || failure !== null) return
    const data = Buffer.from(text)
    try {
      for (let offset = 0; offset < data.length;) offset += writeSync(fd, data, offset)
    } catch (error) {
      failure = error as Error
      return
    }
    hash.update(data)
    bytes += data.length
    tail = Buffer.concat([tail, data.subarray(-tailBytes)]).subarray(-tailBytes)
  }

  function write(chunk: Buffer): void {
    const start = chunk.subarray(0, Math.max(0, keptBytes - taken))
    taken += start.length
    if (start.length > 0) append(lines.add(start))
    end.add(chunk.subarray(start.length))
  }

  async function close(): Promise<LogReference> {
    const rest = end.take()
    if (rest.omitted === 0) {
      append(lines.add(rest.data) + lines.end())
    } else {
      const omitted = rest.omitted + lines.drop()
      append(`… ${omitted} bytes left out …\n${safeText(rest.data.toString(), known)}`)
    }
    closeSync(fd)
    if (failure !== null) throw failure
    return { uri, sha256: hash.digest('hex'), bytes, tail: tailText(tail) }
  }

  return { write, close }
}

/** At most 4 KB of whole characters. */
function tailText(tail: Buffer): string {
  let start = 0
  while (start < tail.length && ((tail[start] ?? 0) & 0xc0) === 0x80) start += 1
  return tail.subarray(start).toString()
}

type LastBytes = { add(chunk: Buffer): void; take(): { data: Buffer; omitted: number } }

/** Holds the newest `limit` bytes of a stream. After an omission it begins on a new line, so that no secret is cut. */
function createLastBytes(limit: number): LastBytes {
  let buffer = Buffer.alloc(0)
  let used = 0
  let total = 0

  function add(chunk: Buffer): void {
    if (chunk.length === 0) return
    total += chunk.length
    const fresh = chunk.subarray(-limit)
    if (used + fresh.length > buffer.length) makeRoom(fresh.length)
    used += fresh.copy(buffer, used)
  }

  function makeRoom(length: number): void {
    const kept = Math.min(used, limit)
    const size = Math.min(Math.max(2 * (kept + length), 64 * 1024), 2 * limit + length)
    const next = size > buffer.length ? Buffer.allocUnsafe(size) : buffer
    buffer.copy(next, 0, used - kept, used)
    buffer = next
    used = kept
  }

  function take(): { data: Buffer; omitted: number } {
    let data = buffer.subarray(Math.max(0, used - limit), used)
    if (total > data.length) data = data.subarray(firstWholeLine(data))
    return { data, omitted: total - data.length }
  }

  return { add, take }
}

const longestCutLine = 64 * 1024

function firstWholeLine(data: Buffer): number {
  const newline = data.indexOf(0x0a)
  return newline >= 0 && newline < longestCutLine ? newline + 1 : Math.min(data.length, longestCutLine)
}
