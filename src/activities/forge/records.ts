import type { Merged, PullRequest, PullRequestState, Review, Sha } from '#domain/pull-request'
import type { Comment, Hint, NamedCheck } from './port.ts'

/** A PR as it is kept: what git knows better (live heads, mergeability) is read from git. */
export type PullRequestRecord = Omit<PullRequest, 'mergeable' | 'reviews'>

export type RecordChanges = Partial<Pick<PullRequestRecord, 'title' | 'body' | 'draft' | 'labels' | 'state'>> & {
  headSha?: Sha
  baseSha?: Sha
  merged?: Merged
  updatedAt: string
}

export type NewHint = Omit<Hint, 'id'> & { id?: string }

/**
 * What a forge without a service of its own must keep. Each method is one atomic step, and its hints are part of it.
 * At most one open PR per head branch: the store refuses a second one, whoever races.
 */
export interface ForgeRecords {
  /** Gives the next number of the repository, or the open PR that has this head already. */
  insert(record: Omit<PullRequestRecord, 'number'>): Promise<{ number: number } | { existing: number }>
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
  ): Promise<boolean>
  addReview(repo: string, number: number, review: Review): Promise<void>
  reviews(repo: string, number: number): Promise<Review[]>
  addComment(repo: string, number: number, comment: Omit<Comment, 'id'>): Promise<Comment>
  /** Creates or edits the comment with this key. */
  putComment(repo: string, number: number, comment: Omit<Comment, 'id'> & { key: string }): Promise<Comment>
  comments(repo: string, number: number): Promise<Comment[]>
  putCheck(repo: string, head: Sha, check: NamedCheck): Promise<void>
  checks(repo: string, head: Sha): Promise<NamedCheck[]>
  /** One that waits already under its id may be left out. */
  addHints(repo: string, hints: NewHint[]): Promise<void>
  takeHints(repo: string, limit: number): Promise<Hint[]>
}
