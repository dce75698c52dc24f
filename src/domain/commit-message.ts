import { maskSecrets } from './mask.ts'
import type { Commit, Person } from './pull-request.ts'
import type { MergeMethod } from './policy.ts'
import { plainText } from './text.ts'

export type LandingMessage = {
  method: MergeMethod
  template: string
  number: number
  title: string
  body: string
  author: string
  headRef: string
  baseRef: string
  commits: Pick<Commit, 'author' | 'subject'>[]
  workflowId: string
}

export const runTrailer = 'Switchyard-Run'

/**
 * The message of the commit that lands a PR: the template's subject, the body, co-authors, the pipeline's trailer.
 * The last line of defence for a secret in a title or body that was edited after the scan: it is masked.
 */
export function landingMessage(input: LandingMessage): string {
  const subject = oneLine(maskSecrets(fill(input.template, input))) || `Merge #${input.number}`
  const body = plainText(maskSecrets(input.body), { multiline: true }).trim()
  const trailers = [
    ...coAuthors(input).map((person) => oneLine(`Co-authored-by: ${person.name} <${person.email}>`)),
    `${runTrailer}: ${input.workflowId}`,
  ]
  return `${[subject, body, trailers.join('\n')].filter(Boolean).join('\n\n')}\n`
}

/** A squash is its first commit's author's work; the others are named. A merge keeps every commit, so needs nobody. */
function coAuthors({ method, commits }: LandingMessage): Person[] {
  if (method !== 'squash') return []
  const [first, ...others] = commits.map((commit) => commit.author)
  const seen = new Set([first?.email.toLowerCase()])
  return others.filter(({ email }) => !seen.has(email.toLowerCase()) && seen.add(email.toLowerCase()))
}

/** Placeholders: {title} {number} {author} {head} {base}. Unknown ones stay as they are. */
function fill(template: string, input: LandingMessage): string {
  const values = new Map([
    ['title', input.title],
    ['number', String(input.number)],
    ['author', input.author],
    ['head', input.headRef],
    ['base', input.baseRef],
  ])
  return template.replaceAll(/\{(\w+)\}/g, (whole, name: string) => values.get(name) ?? whole)
}

/** Git refuses a message with a NUL, and terminals obey escape sequences in a log: neither gets into one. */
function oneLine(text: string): string {
  return plainText(text).replaceAll(/\s+/g, ' ').trim()
}
