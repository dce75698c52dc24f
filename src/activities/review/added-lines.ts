import type { AddedLine } from '../git/port.ts'

const hunkHeader = /^@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/

/**
 * The lines that a unified diff adds, with their line numbers in the new file. Counts what each hunk announces, so
 * that an added line which looks like a header stays a line. A cut diff gives the lines up to the cut.
 */
export function parseAddedLines(diff: string): AddedLine[] {
  const added: AddedLine[] = []
  let path: string | null = null
  let line = 0
  let oldLeft = 0
  let newLeft = 0
  for (const text of eachLine(diff)) {
    if (oldLeft > 0 || newLeft > 0) {
      if (text.startsWith('\\')) continue
      if (!text.startsWith('+')) oldLeft -= 1
      if (text.startsWith('-')) continue
      newLeft -= 1
      if (text.startsWith('+') && path !== null) added.push({ path, line, text: text.slice(1) })
      line += 1
      continue
    }
    if (text.startsWith('+++ ')) path = pathOf(text.slice(4))
    const hunk = hunkHeader.exec(text)
    if (hunk === null) continue
    oldLeft = Number(hunk[1] ?? 1)
    line = Number(hunk[2])
    newLeft = Number(hunk[3] ?? 1)
  }
  return added
}

function* eachLine(text: string): Generator<string> {
  let start = 0
  while (start < text.length) {
    const newline = text.indexOf('\n', start)
    const end = newline === -1 ? text.length : newline
    yield text.slice(start, end)
    start = end + 1
  }
}

/** git ends an unquoted path that contains a space with a tab, and quotes unusual ones as C does. */
function pathOf(header: string): string | null {
  if (header.startsWith('/dev/null')) return null
  const written = header.startsWith('"') ? unquote(header.slice(1, header.lastIndexOf('"'))) : header.replace(/\t$/, '')
  return written.replace(/^b\//, '')
}

const escapes: Record<string, number> = { a: 7, b: 8, t: 9, n: 10, v: 11, f: 12, r: 13, '"': 34, '\\': 92 }

function unquote(quoted: string): string {
  const parts: Buffer[] = []
  for (const [part] of quoted.matchAll(/\\[0-7]{3}|\\.|[^\\]+/gs)) {
    if (!part.startsWith('\\')) parts.push(Buffer.from(part))
    else if (part.length === 4) parts.push(Buffer.from([Number.parseInt(part.slice(1), 8)]))
    else parts.push(Buffer.from([escapes[part.slice(1)] ?? 63]))
  }
  return Buffer.concat(parts).toString('utf8')
}
