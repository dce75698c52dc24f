import type { PlannedCheck } from './policy.ts'
import type { Instant, Sha } from './pull-request.ts'

export type QueueEntry = {
  number: number
  head: Sha
  title: string
  snapshotId: string
  policyDigest: string
  tests: PlannedCheck
  evidenceMaxAge: number
  enqueuedAt: Instant
  enqueuedBy: string
}

/** A commit made from the base and one PR, to be tested before it becomes the base. */
export type Candidate = {
  number: number
  head: Sha
  base: Sha
  commit: Sha
  tree: Sha
  /** The pass that proves `tree`, or null while it has none. */
  evidenceId: string | null
}

export type MergeQueueState = {
  entries: QueueEntry[]
  candidate: Candidate | null
  base: { sha: Sha; tree: Sha } | null
  paused: { reason: string; until: Instant | null } | null
  /** Infrastructure failures in a row of the entry at the front. */
  attempts: number
  /** How many PRs it landed, for statistics over continue-as-new. */
  landed: number
}
