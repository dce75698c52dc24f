import { defineQuery, defineSignal } from '@temporalio/workflow'
import type { Instant } from '#domain/pull-request'
import type { Timings } from './timings.ts'

/** Type name of the workflow; id `watch:<repo>`, lives until the repository is removed. Runs on role `pr-review`. */
export const repositoryWatchType = 'repositoryWatch'

export type RepositoryWatchInput = {
  repo: string
  timings: Timings
  /** Per PR, a fingerprint of what the forge last showed. */
  carried?: { seen: Record<number, string>; sweeps: number }
}

export type RepositoryWatchResult = { reason: string }

/** Sweep now, do not wait for the timer. */
export const sweep = defineSignal<[]>('sweep')

export const repositoryWatchStatus = defineQuery<{ repo: string; sweeps: number; lastSweepAt: Instant | null }>(
  'status',
)
