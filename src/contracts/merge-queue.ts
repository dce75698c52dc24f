import { defineQuery, defineSignal } from '@temporalio/workflow'
import type { CarriedQueue, QueueEntry } from '#domain/merge-queue'
import type { QueueView } from '#domain/merge-queue-view'
import type { Sha } from '#domain/pull-request'
import type { Timings } from './timings.ts'

/** Type name of the workflow; id `queue:<repo>@<branch>`, lives for ever. Runs on role `merge`. */
export const mergeQueueType = 'mergeQueue'

export type MergeQueueInput = {
  repo: string
  branch: string
  timings: Timings
  carried?: CarriedQueue
}

/** What a PR enters with. `enqueuedAt` is also its candidate's committer date, so that a retry makes the same SHA. */
export type MergeQueueEntry = QueueEntry & { repo: string; branch: string }

/** Adds an entry. The same PR and head again is one entry; a new head of a PR takes the old one's place. */
export const enqueue = defineSignal<[MergeQueueEntry]>('enqueue')
/** The PR's pipeline takes its entry back: a new head, or closed. Deduplicated by PR and head. */
export const leave = defineSignal<[{ number: number; head: Sha; reason: string }]>('leave')

/** `queue show --json`. */
export type MergeQueueStatus = QueueView

export const mergeQueueStatus = defineQuery<MergeQueueStatus>('status')
