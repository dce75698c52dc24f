import type { MergeMethod } from '#domain/policy'
import type { Instant, Mergeable, PullRequest, Review, Sha } from '#domain/pull-request'

export type NewPullRequest = {
  /** 1 to 256 characters. */
  title: string
  /** At most 64 KiB of UTF-8, as the texts of comments and reviews. */
  body: string
  /** Branch names, without `refs/heads/`. */
  head: string
  base: string
  author: string
  draft: boolean
  /** At most 20, of at most 50 characters each. */
  labels: string[]
}

/** Why a PR can't be opened. GitHub answers the same cases with 422. */
export type CreateRefusal =
  | 'invalid-branch-name'
  | 'unknown-head'
  | 'unknown-base'
  | 'base-not-protected'
  | 'same-branch'
  | 'no-commits-between'
  | 'duplicate'
  | 'invalid-title'
  | 'invalid-body'
  | 'invalid-labels'

export type CreateOutcome =
  | { outcome: 'created'; pullRequest: PullRequest }
  | { outcome: 'refused'; reason: CreateRefusal; detail: string; existing?: number }

/** Landing a commit that the queue made and tested. */
export type MergeRequest = {
  commit: Sha
  tree: Sha
  /** The branch that it is for: a PR that has another base by now is refused. */
  base: string
  expectedHead: Sha
  expectedBase: Sha
  method: MergeMethod
  at: Instant
  actor: string
}

/**
 * Why a merge did not happen. `head-moved` and `base-moved` carry the actual SHA in `actual`; `retargeted`: the PR has
 * another base branch; `already-merged` means by another commit than ours (our own earlier effect is `merged`).
 */
export type MergeRefusal =
  'head-moved' | 'base-moved' | 'retargeted' | 'blocked' | 'conflict' | 'already-merged' | 'closed'

export type MergeOutcome =
  | { outcome: 'merged'; sha: Sha; tree: Sha; at: Instant }
  | { outcome: 'refused'; reason: MergeRefusal; detail: string; actual: Sha | null }

export type PullRequestChanges = Partial<Pick<PullRequest, 'title' | 'body' | 'draft' | 'labels'>> & {
  state?: 'open' | 'closed'
  /** A protected branch. */
  base?: string
}

/** How Switchyard answers a comment without words. GitHub knows them by these names. */
export type Reaction = '+1' | '-1' | 'eyes'

export type Comment = {
  /** A decimal number that rises with every comment of a PR. */
  id: string
  /** Hidden from readers; at most one comment per PR and key. null: written by a person. */
  key: string | null
  author: string
  body: string
  /** Switchyard's own, each once, in alphabetical order. */
  reactions: Reaction[]
  createdAt: Instant
  updatedAt: Instant
}

/** A named check on a head, as GitHub's check runs: at most one per name and head. */
export type NamedCheck = {
  name: string
  status: 'queued' | 'in_progress' | 'completed'
  conclusion: 'success' | 'failure' | 'neutral' | null
  summary: string
  detailsUrl: string | null
}

/** Says "look", nothing more: it may be lost, doubled or out of order. */
export type Hint = {
  id: string
  kind: 'push' | 'pull-request' | 'review' | 'comment'
  /** null for a push to a base: a protected branch, or the base of an open PR. */
  number: number | null
  /** The branch, without `refs/heads/`; never null where `number` is, so that the PRs of a base can be found. */
  ref: string | null
}

/**
 * Where pull requests live, shaped after GitHub's model (REST API of 2022-11-28: pulls, reviews, issue comments, check
 * runs) so that a vendor for it needs no change in any workflow.
 *
 * Repositories are named as in `switchyard.yaml`. Unknown repository or PR: null where the type says so, otherwise
 * `ForgeError` with `kind: 'not-found'`. A forge that can't be reached or answers 5xx or 429 throws `ForgeError`
 * with `kind: 'unavailable'` and, where it says one, `retryAfter` in milliseconds; **its effect may have happened**.
 */
export interface Forge {
  readonly kind: 'local' | 'github' | 'fake'
  /**
   * Only into a protected base: the policy is read from it, so that whoever may write it directly would choose with
   * which variables and what network the checks of the PR run.
   */
  createPullRequest(repo: string, input: NewPullRequest): Promise<CreateOutcome>
  getPullRequest(repo: string, number: number): Promise<PullRequest | null>
  /** Sorted by number. */
  listPullRequests(repo: string, filter: { state: 'open' | 'closed' | 'merged' | 'all' }): Promise<PullRequest[]>
  /**
   * Closing, reopening, drafts, labels, texts and the base. Refuses (`ForgeError` `conflict`) to reopen a merged PR, or
   * one into a base that is protected no more; and (`invalid`) texts that are too long, as do reviews and comments, and
   * a base that can't be one.
   */
  updatePullRequest(repo: string, number: number, changes: PullRequestChanges, actor: string): Promise<PullRequest>
  /**
   * `snapshotId`: what the reviewer could know, for the audit trail. `key`: the same again is the same review, however
   * often it is submitted; without it each is one.
   */
  submitReview(
    repo: string,
    number: number,
    review: Omit<Review, 'at'>,
    snapshotId?: string | null,
    key?: string,
  ): Promise<Review>
  /** Creates or edits the one comment with this key; the same body again changes nothing. */
  upsertComment(repo: string, number: number, key: string, body: string): Promise<Comment>
  addComment(repo: string, number: number, author: string, body: string): Promise<Comment>
  /** Sorted by id, which is the order in which they were written. */
  listComments(repo: string, number: number): Promise<Comment[]>
  /** Answers a comment with a reaction of Switchyard's; the same again changes nothing. */
  react(repo: string, number: number, commentId: string, reaction: Reaction): Promise<void>
  setCheck(repo: string, head: Sha, check: NamedCheck): Promise<void>
  listChecks(repo: string, head: Sha): Promise<NamedCheck[]>
  mergeability(repo: string, number: number): Promise<Mergeable>
  /** Moves the base to `commit` in one step if head and base are where the caller tested them, and marks the PR merged. */
  merge(repo: string, number: number, request: MergeRequest): Promise<MergeOutcome>
  /** Deletes a branch that still is at `expected`. A protected branch is never deleted. */
  deleteBranch(repo: string, branch: string, expected: Sha): Promise<'deleted' | 'absent' | 'moved' | 'protected'>
  branch(repo: string, name: string): Promise<Sha | null>
  /** Takes the hints that came since the last call, at most `limit`. Taken is gone: a crash may lose them. */
  takeHints(repo: string, limit: number): Promise<Hint[]>
}

/** `invalid`: what was asked can never be done, such as a text that is too long. `conflict`: not as things are now. */
export type ForgeErrorKind = 'not-found' | 'unavailable' | 'conflict' | 'invalid' | 'forbidden'

export class ForgeError extends Error {
  readonly kind: ForgeErrorKind
  /** Milliseconds to wait, where the forge says so. */
  readonly retryAfter: number | null
  constructor(kind: ForgeErrorKind, message: string, options: { retryAfter?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.name = 'ForgeError'
    this.kind = kind
    this.retryAfter = options.retryAfter ?? null
  }
}
