import { distance } from 'fastest-levenshtein'
import { checkBranchName } from '#domain/branch-name'
import type { Sha } from '#domain/pull-request'
import { createdEntry } from './audit.ts'
import { effect, type Engine } from './engine.ts'
import type { CreateOutcome, CreateRefusal, NewPullRequest } from './port.ts'
import type { PullRequestRecord } from './records.ts'
import { invalidText } from './texts.ts'

/** Opens a PR. Asked again after a lost answer it refuses as `duplicate`, with the number of the first. */
export async function createPullRequest(engine: Engine, repo: string, input: NewPullRequest): Promise<CreateOutcome> {
  const refusal = checkInput(input) ?? (await checkBranches(engine, repo, input))
  if ('outcome' in refusal) return refusal
  const at = engine.now()
  const { title, body, author, draft, labels } = input
  const record: Omit<PullRequestRecord, 'number'> = {
    ...{ repo, title: title.trim(), body, author, draft, labels, state: 'open', merged: null },
    head: { ref: input.head, sha: refusal.head },
    base: { ref: input.base, sha: refusal.base },
    createdAt: at,
    updatedAt: at,
  }
  const inserted = await engine.records.insert(record, createdEntry)
  if ('existing' in inserted) {
    const detail = `#${inserted.existing} is open for the branch ${input.head} already.`
    return { ...refuse('duplicate', detail), existing: inserted.existing }
  }
  const opened = await engine.record(repo, inserted.number)
  engine.happened(effect(opened, 'created', input.head, { from: refusal.base, to: refusal.head }))
  return { outcome: 'created', pullRequest: await engine.present(opened) }
}

type Refused = Extract<CreateOutcome, { outcome: 'refused' }>

function refuse(reason: CreateRefusal, detail: string): Refused {
  return { outcome: 'refused', reason, detail }
}

function checkInput(input: NewPullRequest): Refused | null {
  const invalid = invalidText(input)
  if (invalid) return refuse(invalid.reason, invalid.detail)
  for (const [side, name] of [
    ['head', input.head],
    ['base', input.base],
  ] as const) {
    const reason = checkBranchName(name)
    if (reason)
      return refuse('invalid-branch-name', `The name of the ${side} branch, ${JSON.stringify(name)}, ${reason}.`)
  }
  if (input.head !== input.base) return null
  return refuse('same-branch', `Head and base are both ${input.head}; a pull request needs two branches.`)
}

export async function checkBranches(
  engine: Engine,
  repo: string,
  { head: headName, base: baseName }: Pick<NewPullRequest, 'head' | 'base'>,
): Promise<Refused | { head: Sha; base: Sha }> {
  const git = engine.repository(repo)
  const branches = await git.refs('refs/heads/')
  const base = branches.get(`refs/heads/${baseName}`)
  if (!base) return refuse('unknown-base', unknownBranch(repo, baseName, branches))
  const head = branches.get(`refs/heads/${headName}`)
  if (!head) return refuse('unknown-head', unknownBranch(repo, headName, branches))
  const unprotected = await notProtected(engine, repo, baseName)
  if (unprotected) return refuse('base-not-protected', unprotected)
  const mergeBase = await git.mergeBase(base, head)
  if (mergeBase === null) {
    return refuse('no-commits-between', `${headName} and ${baseName} have entirely different histories.`)
  }
  if (mergeBase !== head) return { head, base }
  return refuse('no-commits-between', `${headName} has no commits that ${baseName} does not have.`)
}

/** Why no PR may be open into this base; null where it is protected. */
export async function notProtected(engine: Engine, repo: string, base: string): Promise<string | null> {
  const names = await engine.protectedBranches(repo)
  if (names.includes(base)) return null
  const protects = names.length > 0 ? `${repo} protects ${names.join(', ')}` : `${repo} protects no branch`
  return `${base} is not protected, so a pull request into it could bring its own policy; ${protects}. Add ${base} to \`base:\` of the policy on the default branch.`
}

const NEAREST = 3

function unknownBranch(repo: string, name: string, branches: Map<string, Sha>): string {
  const names = [...branches.keys()].map((ref) => ref.slice('refs/heads/'.length))
  const nearest = names
    .map((each) => ({ each, far: distance(each.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.far - b.far)
    .slice(0, NEAREST)
    .map(({ each }) => each)
  const known = nearest.length > 0 ? `The nearest names are: ${nearest.join(', ')}.` : 'It has no branches yet.'
  return `${repo} has no branch ${name}. ${known}`
}
