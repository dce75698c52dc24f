import type { Hold } from './hold.ts'
import type { KnownPerson } from './people.ts'
import type { PolicyFacts, MergeMethod } from './policy.ts'
import type { PolicyChange, ResolvedApprovals, ResolvedRule } from './rules/resolved.ts'

/** A full commit, tree or blob SHA-1, lower-case hex. */
export type Sha = string
/** An instant as ISO 8601 in UTC. */
export type Instant = string

export type PullRequestState = 'open' | 'closed' | 'merged'

/** Where a PR stands in its pipeline. */
export type Phase = 'checking' | 'waiting' | 'rejected' | 'queued' | 'testing' | 'landing' | 'landed' | 'closed'

/** `unknown`: the forge has not computed it yet. It means "ask again", never "yes". */
export type Mergeable = 'clean' | 'conflict' | 'unknown'

export type Review = {
  author: string
  /** `dismissed`: whoever asked for changes, or approved, takes that back. */
  state: 'approved' | 'changes-requested' | 'commented' | 'dismissed'
  /** The head that was reviewed; an approval counts for that head only. */
  head: Sha
  body: string
  at: Instant
}

export type Merged = { sha: Sha; tree: Sha; method: MergeMethod; at: Instant }

/** A PR as its forge tells it. */
export type PullRequest = {
  repo: string
  number: number
  title: string
  body: string
  author: string
  state: PullRequestState
  draft: boolean
  labels: string[]
  head: { ref: string; sha: Sha }
  base: { ref: string; sha: Sha }
  mergeable: Mergeable
  reviews: Review[]
  /** The id of the newest comment that a person wrote; null where there is none. */
  newestComment: string | null
  merged: Merged | null
  createdAt: Instant
  updatedAt: Instant
}

export type Person = { name: string; email: string }

export type Commit = { sha: Sha; author: Person; at: Instant; subject: string; parents: Sha[] }

/**
 * The facts about a PR that one decision was made from, frozen in the ledger under `id`, the SHA-256 of its content
 * without `takenAt`: the same facts are the same snapshot.
 */
export type Snapshot = {
  id: string
  repo: string
  number: number
  title: string
  body: string
  author: string
  state: PullRequestState
  draft: boolean
  labels: string[]
  head: { ref: string; sha: Sha }
  base: { ref: string; sha: Sha }
  /** The merge base of head and base, where the PR's own commits start. */
  mergeBase: Sha
  commits: Commit[]
  /** What the head changes since the merge base, and what the merge changes in the base. */
  changedPaths: string[]
  mergeable: Mergeable
  /** Paths in conflict when `mergeable` is `conflict`. */
  conflicts: string[]
  /** The merge of head into base, made without a working tree; null unless `mergeable` is `clean`. */
  mergeResult: { commit: Sha; tree: Sha } | null
  reviews: Review[]
  policyDigest: string
  /** Of the installation, those who opened or reviewed it, as they were then. Absent where there are none. */
  people?: KnownPerson[]
  takenAt: Instant
}

/** What a workflow carries of a snapshot: small facts; commits, paths and bodies stay in the ledger. */
export type SnapshotFacts = Pick<
  Snapshot,
  | 'id'
  | 'repo'
  | 'number'
  | 'title'
  | 'author'
  | 'state'
  | 'draft'
  | 'head'
  | 'base'
  | 'mergeBase'
  | 'mergeable'
  | 'mergeResult'
  | 'takenAt'
> & {
  /** At most 10 paths. */
  conflicts: string[]
  /** SHA-256 of title and body: a change of either is scanned. */
  bodyDigest: string
  commitCount: number
  pathCount: number
  approvedBy: string[]
  changesRequestedBy: string[]
  /** Absent in what an earlier version took. */
  newestComment?: string | null
  /** In the first look of a run only: the hold that an earlier run was told. */
  hold?: Hold | null
  merged: Merged | null
  /** What code of this PR can reach here that it should not, in one sentence; null when nothing. */
  isolationWarning: string | null
  policy: PolicyFacts
  /** The rules of the policy with the facts of this snapshot put in. Absent where it has none. */
  rules?: ResolvedRule[]
  /** Of the review, where the policy says by whom. */
  approvals?: ResolvedApprovals
  /** Absent where the PR leaves the policy as it is. */
  policyChange?: PolicyChange
}

/** What a pipeline waits for, since when, until when, who can act, and with which command. */
export type Waiting = {
  for: string
  since: Instant
  until: Instant | null
  who: string[]
  command: string | null
}
