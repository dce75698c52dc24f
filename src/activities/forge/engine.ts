import type { Instant, Mergeable, PullRequest, PullRequestState, Sha } from '#domain/pull-request'
import type { GitRepository } from '../git/port.ts'
import { branchGoneEntry } from './audit.ts'
import { conversation } from './conversation.ts'
import { createPullRequest } from './create.ts'
import { merge } from './land.ts'
import { ForgeError, type Forge } from './port.ts'
import type { ForgeRecords, NewHint, PullRequestRecord, RecordChanges } from './records.ts'
import { updatePullRequest } from './update.ts'

/** What a forge needs of a repository. */
export type ForgeGit = Pick<
  GitRepository,
  'resolve' | 'refs' | 'isAncestor' | 'mergeBase' | 'treeOf' | 'mergeTree' | 'updateRefs'
>

/** A push that somebody made, from the hook of a repository or from a test. */
export type Push = { id: string; branch: string }

/** What truly happened, told right after it did. */
export type ForgeEffect = {
  effect:
    | 'created'
    | 'updated'
    | 'closed'
    | 'reviewed'
    | 'commented'
    | 'comment-edited'
    | 'reacted'
    | 'checked'
    | 'landed'
    | 'marked-merged'
    | 'branch-deleted'
  repo: string
  number: number | null
  /** The branch that moved or went, the key of a comment, the name of a check. */
  subject: string
  from: Sha | null
  to: Sha | null
}

/** The parts of a forge that is made of git repositories and records. */
export type ForgeParts = {
  kind: Forge['kind']
  records: ForgeRecords
  /** null for a repository that this forge doesn't know. */
  git(repo: string): ForgeGit | null
  protectedBranches(repo: string): Promise<string[]> | string[]
  /** Hands over the pushes that came since the last call, and forgets them when `store` has kept them. */
  takePushes(repo: string, store: (pushes: Push[]) => Promise<void>): Promise<void>
  now(): Instant
  happened(effect: ForgeEffect): void
}

export type Engine = ForgeParts & {
  repository(repo: string): ForgeGit
  record(repo: string, number: number): Promise<PullRequestRecord>
  mergeabilityOf(repo: string, base: Sha, head: Sha): Promise<Mergeable>
  present(record: PullRequestRecord): Promise<PullRequest>
}

/** A forge that keeps PRs itself; `local` and `fake` differ only in where records and repositories are. */
export function createForge(parts: ForgeParts): Forge {
  const engine = createEngine(parts)
  return {
    kind: parts.kind,
    createPullRequest: (repo, input) => createPullRequest(engine, repo, input),
    getPullRequest: (repo, number) => getPullRequest(engine, repo, number),
    listPullRequests: (repo, { state }) => listPullRequests(engine, repo, state),
    updatePullRequest: (repo, number, changes, actor) => updatePullRequest(engine, repo, number, changes, actor),
    merge: (repo, number, request) => merge(engine, repo, number, request),
    mergeability: async (repo, number) => (await engine.present(await engine.record(repo, number))).mergeable,
    deleteBranch: (repo, branch, expected) => deleteBranch(engine, repo, branch, expected),
    branch: async (repo, name) => (await parts.git(repo)?.resolve(`refs/heads/${name}`)) ?? null,
    takeHints: (repo, limit) => takeHints(engine, repo, limit),
    ...conversation(engine),
  }
}

function createEngine(parts: ForgeParts): Engine {
  const engine: Engine = {
    ...parts,
    repository(repo) {
      const git = parts.git(repo)
      if (!git) throw new ForgeError('not-found', `There is no repository ${repo} on this forge.`)
      return git
    },
    async record(repo, number) {
      engine.repository(repo)
      const record = await parts.records.get(repo, number)
      if (!record) throw new ForgeError('not-found', `There is no pull request #${number} in ${repo}.`)
      return record
    },
    mergeabilityOf: cachedMergeability(parts),
    async present(record) {
      const current = await refresh(engine, record)
      const { head, base, state, repo } = current
      const mergeable = state === 'open' ? await engine.mergeabilityOf(repo, base.sha, head.sha) : 'unknown'
      return { ...current, mergeable, ...(await conversationOf(engine, current)) }
    },
  }
  return engine
}

const REMEMBERED_MERGES = 2_000

function cachedMergeability(parts: ForgeParts): Engine['mergeabilityOf'] {
  const known = new Map<string, Mergeable>()
  return async (repo, base, head) => {
    const key = `${repo} ${base} ${head}`
    const cached = known.get(key)
    if (cached) return cached
    const merged = await parts.git(repo)?.mergeTree(base, head)
    if (!merged) return 'unknown'
    if (known.size >= REMEMBERED_MERGES) known.delete(known.keys().next().value ?? '')
    known.set(key, merged.outcome)
    return merged.outcome
  }
}

/**
 * An open PR's shas are read live. Without its head or base branch it is closed, as on GitHub; a PR that was merged
 * meanwhile stays merged, because the record only leaves the state `open`.
 */
export async function refresh(engine: Engine, record: PullRequestRecord): Promise<PullRequestRecord> {
  if (record.state !== 'open') return record
  const { repo, number } = record
  const git = engine.repository(repo)
  const [head, base] = await Promise.all([
    git.resolve(`refs/heads/${record.head.ref}`),
    git.resolve(`refs/heads/${record.base.ref}`),
  ])
  if (head === record.head.sha && base === record.base.sha) return record
  const updatedAt = engine.now()
  const changes: RecordChanges =
    head && base ? { headSha: head, baseSha: base, updatedAt } : { state: 'closed', updatedAt }
  const entries = changes.state ? [branchGoneEntry(record, updatedAt)] : []
  const changed = await engine.records.update(repo, number, ['open'], changes, [], entries)
  if (changed && changes.state) engine.happened(effect(record, 'closed', record.head.ref))
  return engine.record(repo, number)
}

async function getPullRequest(engine: Engine, repo: string, number: number): Promise<PullRequest | null> {
  if (!engine.git(repo)) return null
  const record = await engine.records.get(repo, number)
  return record && engine.present(record)
}

/** As on GitHub, a list doesn't compute mergeability: it is `unknown` there. */
async function listPullRequests(engine: Engine, repo: string, state: PullRequestState | 'all'): Promise<PullRequest[]> {
  engine.repository(repo)
  const records = await engine.records.list(repo, state === 'closed' ? 'all' : state)
  const listed: PullRequest[] = []
  for (const record of records) {
    const current = await refresh(engine, record)
    if (state !== 'all' && current.state !== state) continue
    listed.push({ ...current, mergeable: 'unknown', ...(await conversationOf(engine, current)) })
  }
  return listed
}

async function conversationOf(
  { records }: Engine,
  { repo, number }: PullRequestRecord,
): Promise<Pick<PullRequest, 'reviews' | 'newestComment'>> {
  const [reviews, newestComment] = await Promise.all([
    records.reviews(repo, number),
    records.newestComment(repo, number),
  ])
  return { reviews, newestComment }
}

async function deleteBranch(engine: Engine, repo: string, branch: string, expected: Sha) {
  const git = engine.repository(repo)
  if ((await engine.protectedBranches(repo)).includes(branch)) return 'protected'
  const ref = `refs/heads/${branch}`
  const current = await git.resolve(ref)
  if (!current) return 'absent'
  if (current !== expected) return 'moved'
  if (!(await git.updateRefs([{ ref, from: expected, to: null }]))) return (await git.resolve(ref)) ? 'moved' : 'absent'
  engine.happened({ effect: 'branch-deleted', repo, number: null, subject: branch, from: expected, to: null })
  return 'deleted'
}

async function takeHints(engine: Engine, repo: string, limit: number) {
  engine.repository(repo)
  await engine.takePushes(repo, async (pushes) => {
    if (pushes.length > 0) await engine.records.addHints(repo, await hintsOf(engine, repo, pushes))
  })
  return engine.records.takeHints(repo, limit)
}

/** A push to a head concerns its PRs, also one that the deletion of its head closed; a push to a base all of them. */
async function hintsOf(engine: Engine, repo: string, pushes: Push[]): Promise<NewHint[]> {
  const records = await engine.records.list(repo, 'all')
  const bases = new Set([
    ...(await engine.protectedBranches(repo)),
    ...records.filter((record) => record.state === 'open').map((record) => record.base.ref),
  ])
  return pushes.flatMap(({ id, branch }) => {
    const concerned = records.filter((record) => record.head.ref === branch && record.state !== 'merged')
    const heads = concerned.map(({ number }): NewHint => ({ id: `${id}#${number}`, kind: 'push', number, ref: branch }))
    return bases.has(branch) ? [...heads, { id, kind: 'push' as const, number: null, ref: branch }] : heads
  })
}

export function effect(
  { repo, number }: { repo: string; number: number },
  what: ForgeEffect['effect'],
  subject: string,
  shas: { from?: Sha; to?: Sha } = {},
): ForgeEffect {
  return { effect: what, repo, number, subject, from: shas.from ?? null, to: shas.to ?? null }
}
