import type { Person } from './pull-request.ts'
import { takeCoAuthors } from './trailers.ts'

/**
 * What of a PR's body its commit message gets: without HTML comments, and without what stands below a cut mark, a line
 * of its own. In a block of code both are text. The co-authors at the end of what is kept and at the body's end are credited.
 */
export function messageBody(body: string, cutMarks: string[]): { text: string; coAuthors: Person[] } {
  const { kept, below } = visibleLines(body, new Set(cutMarks.map((mark) => mark.trim())))
  const { text, coAuthors } = takeCoAuthors(kept.join('\n').trim())
  return { text, coAuthors: [...coAuthors, ...takeCoAuthors(below.join('\n').trim()).coAuthors] }
}

function visibleLines(body: string, marks: Set<string>): { kept: string[]; below: string[] } {
  const kept: string[] = []
  const below: string[] = []
  let lines = kept
  let fence: string | null = null
  let inComment = false
  for (const line of body.split('\n')) {
    if (fence !== null) {
      lines.push(line)
      if (closes(line, fence)) fence = null
      continue
    }
    if (!inComment && lines === kept && marks.has(line.trim())) {
      lines = below
      continue
    }
    if (!inComment) fence = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1] ?? null
    if (fence !== null) {
      lines.push(line)
      continue
    }
    const rest = withoutComments(line, inComment)
    inComment = rest.inComment
    const gone = rest.text.trim() === ''
    // Where nothing but a comment stood there is no line, and no second empty one around it.
    if (gone && (line.trim() !== '' || (lines.at(-1) ?? '').trim() === '')) continue
    lines.push(rest.text)
  }
  return { kept, below }
}

function closes(line: string, fence: string): boolean {
  const text = line.trim()
  return text.startsWith(fence) && text.replaceAll(fence[0]!, '') === ''
}

/** Code in backticks may name a comment; that is none. One that nothing closes hides all that follows. */
function withoutComments(line: string, inComment: boolean): { text: string; inComment: boolean } {
  let text = ''
  let at = 0
  for (;;) {
    if (inComment) {
      const end = line.indexOf('-->', at)
      if (end < 0) return { text, inComment: true }
      at = end + 3
    }
    const start = commentStart(line, at)
    if (start === null) return { text: text + line.slice(at), inComment: false }
    text += line.slice(at, start)
    at = start + 4
    inComment = true
  }
}

function commentStart(line: string, from: number): number | null {
  const codeOrComment = /`[^`]*`|<!--/g
  codeOrComment.lastIndex = from
  for (let found = codeOrComment.exec(line); found !== null; found = codeOrComment.exec(line)) {
    if (found[0] === '<!--') return found.index
  }
  return null
}
