import type { AddedLine } from './port.ts'

/** What a patch adds, and the new blobs of changed files that git shows as binary, for their old side if not the new. */
export type Patch = { lines: AddedLine[]; binary: { path: string; blob: string }[] }

const newline = 0x0a

/**
 * Reads the output of `git diff-tree -p --full-index -U0`. Works on bytes, for a file's content need not be UTF-8, and
 * counts a hunk's lines by its header, for a line that is added may look like a header itself.
 */
export function parsePatch(output: Buffer): Patch {
  const patch: Patch = { lines: [], binary: [] }
  let path = ''
  let blob = ''
  let header = ''
  let removed = 0
  let added = 0
  let line = 0
  for (const bytes of completeLines(output)) {
    const first = bytes[0]
    if (removed > 0 && first === 0x2d) {
      removed -= 1
      continue
    }
    if (added > 0 && first === 0x2b) {
      patch.lines.push({ path, line, text: bytes.toString('utf8', 1) })
      added -= 1
      line += 1
      continue
    }
    if (first === 0x5c) continue
    const text = bytes.toString('latin1')
    const hunk = /^@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(text)
    if (hunk) {
      removed = Number(hunk[1] ?? 1)
      line = Number(hunk[2])
      added = Number(hunk[3] ?? 1)
    } else if (text.startsWith('diff --git ')) header = text
    else if (text.startsWith('index ')) blob = /^index (?!0{40})[0-9a-f]+\.\.(?!0{40})([0-9a-f]+)/.exec(text)?.[1] ?? ''
    else if (text.startsWith('+++ ')) path = newName(text.slice(4))
    else if (text.startsWith('Binary files ') && blob) patch.binary.push({ path: pathOfHeader(header), blob })
  }
  return patch
}

/** A last line without its newline was cut off by the output's limit; git itself ends every line of a patch. */
function* completeLines(output: Buffer): Generator<Buffer> {
  let start = 0
  for (;;) {
    const end = output.indexOf(newline, start)
    if (end === -1) return
    yield output.subarray(start, end)
    start = end + 1
  }
}

/** The name behind `+++ `: quoted when it has special characters, followed by a tab when it has a space. */
function newName(text: string): string {
  const name = text.startsWith('"') ? unquote(text) : text.replace(/\t$/, '')
  return decode(name.replace(/^b\//, ''))
}

/** `diff --git a/<name> b/<name>`; both names are the same, for renames are off. */
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
