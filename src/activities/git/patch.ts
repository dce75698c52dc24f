import type { Sha } from '#domain/pull-request'
import { createPieces } from './pieces.ts'
import type { AddedBlob, AddedText } from './port.ts'

/** The size is in the repository, not in the patch. */
export type BinaryBlob = Omit<AddedBlob, 'size'>

export type PatchReader = {
  /** What the next bytes of the patch complete. */
  read(chunk: Buffer): Generator<AddedText | BinaryBlob>
  end(): Generator<AddedText | BinaryBlob>
}

const newline = 0x0a
/** Bytes of a line outside a hunk that are looked at; a path is shorter, even quoted. */
const maxHeader = 64 * 1024
const hunkHeader = /^@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/

type LineKind = 'header' | 'added' | 'left out'
type Hunk = { oldLeft: number; newLeft: number; line: number }

/**
 * Reads the output of `git diff-tree -p --full-index` as it comes, in memory that neither its length nor that of a
 * line decides. Works on bytes, for a file's content need not be UTF-8, and counts a hunk's lines by its header, for a
 * line that is added may look like a header itself. `commit` is the one that the patch belongs to until it names
 * another.
 */
export function createPatchReader(commit: Sha): PatchReader {
  const at = { commit, path: '', blob: '', header: '' }
  const hunk: Hunk = { oldLeft: 0, newLeft: 0, line: 0 }
  const pieces = createPieces(at)
  const header = createLine()
  let kind: LineKind | null = null

  function* readHeader(text: string): Generator<AddedText | BinaryBlob> {
    if (startHunk(hunk, text)) return
    if (text.startsWith('diff --git ')) {
      yield* pieces.flush()
      Object.assign(at, { path: '', blob: '', header: text })
    } else if (/^[0-9a-f]{40}(?: |$)/.test(text)) {
      yield* pieces.flush()
      at.commit = text.slice(0, 40)
    } else if (text.startsWith('index ')) at.blob = /^index [0-9a-f]+\.\.(?!0{40})([0-9a-f]+)/.exec(text)?.[1] ?? ''
    else if (text.startsWith('+++ ')) at.path = newName(text.slice(4))
    else if (text.startsWith('Binary files ') && at.blob) {
      yield { kind: 'binary', commit: at.commit, path: pathOfHeader(at.header), blob: at.blob }
    }
  }

  return {
    *read(chunk) {
      for (let start = 0; start < chunk.length;) {
        if (kind === null) {
          kind = kindOfLine(hunk, chunk[start])
          if (kind === 'added') {
            start += 1
            yield* pieces.startLine(hunk.line)
          }
        }
        const found = chunk.indexOf(newline, start)
        const end = found === -1 ? chunk.length : found
        if (kind === 'added') yield* pieces.append(chunk.subarray(start, end))
        else if (kind === 'header') header.add(chunk.subarray(start, end))
        start = end + 1
        if (found === -1) continue
        if (kind === 'added') {
          yield* pieces.endLine()
          hunk.line += 1
        } else if (kind === 'header') yield* readHeader(header.take())
        kind = null
      }
    },
    end: () => pieces.flush(),
  }
}

function startHunk(hunk: Hunk, text: string): boolean {
  const counts = hunkHeader.exec(text)
  if (!counts) return false
  hunk.oldLeft = Number(counts[1] ?? 1)
  hunk.line = Number(counts[2])
  hunk.newLeft = Number(counts[3] ?? 1)
  return true
}

function kindOfLine(hunk: Hunk, first: number | undefined): LineKind {
  if (hunk.oldLeft <= 0 && hunk.newLeft <= 0) return 'header'
  if (first === 0x5c) return 'left out'
  if (first !== 0x2b) hunk.oldLeft -= 1
  if (first !== 0x2d) hunk.newLeft -= 1
  if (first === 0x2b) return 'added'
  if (first !== 0x2d) hunk.line += 1
  return 'left out'
}

/** A line that comes in parts. */
function createLine() {
  let parts: Buffer[] = []
  let length = 0
  return {
    add(part: Buffer): void {
      if (length >= maxHeader) return
      parts.push(Buffer.from(part))
      length += part.length
    },
    take(): string {
      const text = Buffer.concat(parts).toString('latin1')
      parts = []
      length = 0
      return text
    },
  }
}

/** The name behind `+++ `: quoted when it has special characters, followed by a tab when it has a space. */
function newName(text: string): string {
  const name = text.startsWith('"') ? unquote(text) : text.replace(/\t$/, '')
  return decode(name.replace(/^b\//, ''))
}

/** `diff --git a/<name> b/<name>`; both names are the same where renames are off. */
function pathOfHeader(header: string): string {
  const names = header.slice('diff --git '.length)
  if (names.startsWith('"')) return decode(unquote(names).replace(/^a\//, ''))
  return decode(names.slice((names.length + 1) / 2).replace(/^b\//, ''))
}

const escapes: Record<string, string> = { a: '\x07', b: '\b', t: '\t', n: '\n', v: '\v', f: '\f', r: '\r' }

/** A name as git quotes it, in C's manner. What follows the closing quote is left out. */
function unquote(text: string): string {
  const quoted = /^"((?:[^"\\]|\\.)*)"/s.exec(text)?.[1] ?? ''
  return quoted.replaceAll(/\\([0-7]{3}|.)/gs, (_, code: string) =>
    code.length === 3 ? String.fromCharCode(Number.parseInt(code, 8)) : (escapes[code] ?? code),
  )
}

function decode(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8')
}
