import type { Person } from './pull-request.ts'

const trailer = /^[A-Za-z0-9][A-Za-z0-9-]*[ \t]*:[ \t]*\S/
const continuation = /^[ \t]+\S/
const cherryPicked = /^\(cherry picked from commit [0-9a-f]+\)$/
const coAuthor = /^co-authored-by[ \t]*:[ \t]*([^<>]*?)[ \t]*<([^<>\s]+)>[ \t]*$/i

/**
 * The message with this trailer at its end, in the paragraph of those it has. One that has it already stays as it is,
 * so that doing it again changes nothing. A subject such as `fix: a typo` is no trailer, though it looks like one.
 */
export function withTrailer(message: string, line: string): string {
  const text = message.trimEnd()
  if (text === '') return `${line}\n`
  const paragraphs = text.split(/\n[ \t]*\n/)
  const last = (paragraphs.at(-1) ?? '').split('\n')
  if (paragraphs.length === 1 || !areTrailers(last)) return `${text}\n\n${line}\n`
  return last.includes(line) ? `${text}\n` : `${text}\n${line}\n`
}

function areTrailers([first = '', ...others]: string[]): boolean {
  const isTrailer = (line: string) => trailer.test(line) || cherryPicked.test(line)
  return isTrailer(first) && others.every((line) => isTrailer(line) || continuation.test(line))
}

/** A text without the co-authors that its last paragraph names, and these. */
export function takeCoAuthors(text: string): { text: string; coAuthors: Person[] } {
  const trimmed = text.trimEnd()
  const start = trimmed.lastIndexOf('\n\n') + 1
  const coAuthors: Person[] = []
  const others = trimmed
    .slice(start)
    .split('\n')
    .filter((line) => {
      const [, name, email = ''] = coAuthor.exec(line.trim()) ?? []
      if (name === undefined) return true
      coAuthors.push({ name: name || email, email })
      return false
    })
  return { text: `${trimmed.slice(0, start)}${others.join('\n')}`.trimEnd(), coAuthors }
}
