import { defineQuery, defineSignal } from '@temporalio/workflow'
import type { PlannedCheck } from '#domain/policy'
import type { MergeQueueState } from '#domain/merge-queue'
import type { Instant, Sha, Waiting } from '#domain/pull-request'
import type { Timings } from './timings.ts'

/** Type name of the workflow; id `queue:<repo>@<branch>`, lives for ever. Runs on role `merge`. */
export const mergeQueueType = 'mergeQueue'

export type MergeQueueInput = {
  repo: string
  branch: string
  timings: Timings
  carried?: MergeQueueState
}

/** What a PR enters with: its criteria and checks are pinned by digest from here on. */
export type MergeQueueEntry = {
  repo: string
  branch: string
  number: number
  head: Sha
  title: string
  snapshotId: string
  policyDigest: string
  tests: PlannedCheck
  evidenceMaxAge: number
  /** Also the committer date of its candidate, so that a retry makes the same SHA. */
  enqueuedAt: Instant
  enqueuedBy: string
}

/** Adds an entry. The same PR and head again is one entry; a new head of a PR takes the old one's place. */
export const enqueue = defineSignal<[MergeQueueEntry]>('enqueue')
/** The PR's pipeline takes its entry back: a new head, or closed. Deduplicated by PR and head. */
export const leave = defineSignal<[{ number: number; head: Sha; reason: string }]>('leave')

/** `queue show --json`. */
export type MergeQueueStatus = {
  repo: string
  branch: string
  base: { sha: Sha; tree: Sha } | null
  paused: { reason: string; until: Instant | null } | null
  entries: {
    number: number
    title: string
    head: Sha
    position: number
    state: 'waiting' | 'building' | 'testing' | 'landing'
    waiting: Waiting
  }[]
}

export const mergeQueueStatus = defineQuery<MergeQueueStatus>('status')
