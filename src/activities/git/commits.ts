import type { Commit, Instant, Person, Sha } from '#domain/pull-request'
import type { CommitInput } from './port.ts'
import { sha } from './revisions.ts'
import { GitError, runGit } from './run.ts'

export type FullCommit = Commit & { message: string; tree: Sha; committedAt: string }

const fields = ['%H', '%T', '%P', '%an', '%ae', '%at', '%ct', '%s', '%B']

/**
 * Commits as `rev-list` prints them: not `log`, which reads a repository's `log.*` and may run its `gpg.program`.
 * Fields end with NUL, which git lets into none of them.
 */
export async function listCommits(objects: string, args: string[]): Promise<FullCommit[]> {
  const format = `--format=${fields.map((field) => `${field}%x00`).join('')}`
  const { stdout, truncated } = await runGit({ objects, args: ['rev-list', '--no-commit-header', format, ...args] })
  if (truncated) throw new GitError(['rev-list', ...args], null, 'more commits than can be read at once')
  const values = stdout.toString('utf8').split('\0')
  const commits: FullCommit[] = []
  for (let at = 0; at + fields.length < values.length; at += fields.length) {
    commits.push(commitOf(values.slice(at, at + fields.length)))
  }
  return commits
}

function commitOf(values: string[]): FullCommit {
  const [id = '', tree = '', parents = '', name = '', email = '', authored, committed, subject = '', message = ''] =
    values
  return {
    sha: id.trim(),
    tree,
    parents: parents.split(' ').filter((parent) => parent !== ''),
    author: { name, email },
    at: instantOf(authored),
    committedAt: instantOf(committed),
    subject,
    message,
  }
}

/** A date that no calendar has, as broken or hostile commits carry, is the epoch. */
function instantOf(seconds: string | undefined): Instant {
  const date = new Date(Number(seconds || 0) * 1000)
  return Number.isNaN(date.getTime()) ? new Date(0).toISOString() : date.toISOString()
}

export async function commitTree(objects: string, input: CommitInput): Promise<Sha> {
  const parents = input.parents.flatMap((parent) => ['-p', sha(parent)])
  const { stdout } = await runGit({
    objects,
    args: ['commit-tree', sha(input.tree), ...parents, '-F', '-'],
    stdin: input.message.replaceAll('\0', ''),
    env: { ...identity('AUTHOR', input.author), ...identity('COMMITTER', input.committer) },
  })
  return stdout.toString('latin1').trim()
}

function identity(role: 'AUTHOR' | 'COMMITTER', person: Person & { at: string }): Record<string, string> {
  const { name, email, seconds } = identityOf(person)
  return {
    [`GIT_${role}_NAME`]: name,
    [`GIT_${role}_EMAIL`]: email,
    [`GIT_${role}_DATE`]: `@${seconds} +0000`,
  }
}

/** As a line of a commit has it. */
export function identityLine(person: Person & { at: string }): string {
  const { name, email, seconds } = identityOf(person)
  return `${name} <${email}> ${seconds} +0000`
}

function identityOf({ name, email, at }: Person & { at: string }) {
  const seconds = Math.floor(Date.parse(at) / 1000)
  if (!Number.isFinite(seconds) || seconds < 0) {
    throw new GitError(['commit-tree'], null, `${JSON.stringify(at)} is not a date that a commit can have`)
  }
  const address = identityPart(email)
  return { name: identityPart(name) || address || 'unknown', email: address, seconds }
}

/** Git drops these characters itself, but refuses a name of which nothing is left. */
function identityPart(text: string): string {
  // eslint-disable-next-line no-control-regex -- they are what is dropped
  return text.replaceAll(/[\u0000-\u001f\u007f<>]/g, ' ').replaceAll(/^[\s.,:;"'\\]+|[\s.,:;"'\\]+$/g, '')
}
