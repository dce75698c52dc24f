import type { Merged, PullRequest, PullRequestState, Review, Sha } from '#domain/pull-request'
import type { AuditEntry } from '#ledger/port'
import type { Comment, Hint, NamedCheck, Reaction } from './port.ts'

/** A PR as it is kept: what git knows better (live heads, mergeability) is read from git. */
export type PullRequestRecord = Omit<PullRequest, 'mergeable' | 'reviews' | 'newestComment'>

export type RecordChanges = Partial<Pick<PullRequestRecord, 'title' | 'body' | 'draft' | 'labels' | 'state'>> & {
  headSha?: Sha
  baseSha?: Sha
  baseRef?: string
  merged?: Merged
  updatedAt: string
}

export type NewHint = Omit<Hint, 'id'> & { id?: string }

export type NewComment = Omit<Comment, 'id' | 'reactions'>

/**
 * What a forge without a service of its own must keep. Each method is one atomic step, and its hints and its audit
 * entries are part of it: a process that is killed leaves no act without its entry. At most one open PR per head
 * branch: the store refuses a second one, whoever races.
 */
export interface ForgeRecords {
  /** Gives the next number of the repository, or the open PR that has this head already. */
  insert(
    record: Omit<PullRequestRecord, 'number'>,
    audit: (record: PullRequestRecord) => AuditEntry,
  ): Promise<{ number: number } | { existing: number }>
  get(repo: string, number: number): Promise<PullRequestRecord | null>
  /** Sorted by number. */
  list(repo: string, state: PullRequestState | 'all'): Promise<PullRequestRecord[]>
  /** Changes the record while it is in one of these states. False, with nothing changed, when it is in another. */
  update(
    repo: string,
    number: number,
    from: PullRequestState[],
    changes: RecordChanges,
    hints: NewHint[],
    audit: AuditEntry[],
  ): Promise<boolean>
  /** `once`: answers false, with nothing changed, where there is an audit entry of that key. */
  addReview(repo: string, number: number, review: Review, audit: AuditEntry, once: boolean): Promise<boolean>
  reviews(repo: string, number: number): Promise<Review[]>
  /** Comments of a PR are numbered in the order in which they become visible: a reader skips none that was on its way. */
  addComment(repo: string, number: number, comment: NewComment): Promise<Comment>
  /** Creates or edits the comment with this key. */
  putComment(repo: string, number: number, comment: NewComment & { key: string }): Promise<Comment>
  comments(repo: string, number: number): Promise<Comment[]>
  /** The id of the newest comment without a key; null where there is none. */
  newestComment(repo: string, number: number): Promise<string | null>
  /** False where the PR has no such comment. The same reaction again changes nothing. */
  putReaction(repo: string, number: number, commentId: string, reaction: Reaction): Promise<boolean>
  putCheck(repo: string, head: Sha, check: NamedCheck): Promise<void>
  checks(repo: string, head: Sha): Promise<NamedCheck[]>
  /** One that waits already under its id may be left out. */
  addHints(repo: string, hints: NewHint[]): Promise<void>
  takeHints(repo: string, limit: number): Promise<Hint[]>
}
