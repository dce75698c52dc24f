import { maskedText } from './mask.ts'
import { messageBody } from './message-body.ts'
import type { Commit, Person } from './pull-request.ts'
import type { MergeMethod } from './policy.ts'
import { plainText } from './text.ts'
import { takeCoAuthors } from './trailers.ts'

/** A commit of the PR, with its whole message. */
export type LandedCommit = Pick<Commit, 'author' | 'subject' | 'parents'> & { message: string }

export type LandingMessage = {
  method: MergeMethod
  /** Its first line is the subject. Placeholders: below. */
  template: string
  /** A line of the body that equals one of them, and all below it, is left out. */
  cutMarks: string[]
  number: number
  title: string
  body: string
  author: string
  headRef: string
  baseRef: string
  commits: LandedCommit[]
  workflowId: string
}

export const runTrailer = 'Switchyard-Run'

/** In the first line of a template: what fits on one. */
export const subjectPlaceholders = ['title', 'number', 'author', 'head', 'base']
/** Below its first line, besides those. */
export const bodyPlaceholders = ['body', 'commits']

/**
 * The message of the commit that lands a PR: what the template makes of it, co-authors, the pipeline's trailer. The body
 * follows the template where that doesn't say where it goes. The last line of defence for a secret in a title or body
 * that was edited after the scan: it is masked.
 */
export function landingMessage(input: LandingMessage): string {
  const body = messageBody(maskedText(input.body, { multiline: true }), input.cutMarks)
  const values = valuesOf(input, body.text)
  const [first = '', ...below] = input.template.trim().split('\n')
  const paragraphs = below.join('\n').split(/\n\s*\n/)
  if (!input.template.includes('{body}')) paragraphs.push('{body}')
  const trailers = [
    ...coAuthors(input, body.coAuthors).map(({ name, email }) => oneLine(`Co-authored-by: ${name} <${email}>`)),
    `${runTrailer}: ${input.workflowId}`,
  ]
  const subject = oneLine(fill(first, values)) || `Merge #${input.number}`
  const text = paragraphs.map((paragraph) => fill(paragraph, values))
  return `${[subject, ...text, trailers.join('\n')].filter(Boolean).join('\n\n')}\n`
}

/** Unknown placeholders stay as they are. */
function fill(template: string, values: Map<string, string>): string {
  return template.replaceAll(/\{(\w+)\}/g, (whole, name: string) => values.get(name) ?? whole).trim()
}

function valuesOf({ title, number, author, headRef, baseRef, commits }: LandingMessage, body: string) {
  const line = (text: string) => oneLine(maskedText(text))
  return new Map([
    ['title', line(title)],
    ['number', String(number)],
    ['author', line(author)],
    ['head', line(headRef)],
    ['base', line(baseRef)],
    ['body', body],
    [
      'commits',
      ownCommits(commits)
        .map(({ subject }) => `* ${line(subject)}`)
        .join('\n'),
    ],
  ])
}

/** Whose work a squash is: the first author's. A merge of the base into the head is nobody's. */
export function squashAuthor(commits: Pick<LandedCommit, 'author' | 'parents'>[]): Person | null {
  return (ownCommits(commits)[0] ?? commits[0])?.author ?? null
}

function ownCommits<C extends { parents: unknown[] }>(commits: C[]): C[] {
  return commits.filter(({ parents }) => parents.length < 2)
}

/**
 * Whom the PR's body names, and for a squash whom its commits name: each once by address. The commits of a merge stay,
 * and name their people themselves.
 */
function coAuthors({ method, commits }: LandingMessage, named: Person[]): Person[] {
  const own = method === 'squash' ? ownCommits(commits) : []
  const people = [...own.flatMap(({ author, message }) => [author, ...takeCoAuthors(message).coAuthors]), ...named]
  const seen = new Set(method === 'squash' ? [squashAuthor(commits)?.email.toLowerCase()] : [])
  return people.filter(({ email }) => !seen.has(email.toLowerCase()) && seen.add(email.toLowerCase()))
}

/** Git refuses a message with a NUL, and terminals obey escape sequences in a log: neither gets into one. */
function oneLine(text: string): string {
  return plainText(text).replaceAll(/\s+/g, ' ').trim()
}
