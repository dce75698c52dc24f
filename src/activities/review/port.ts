import type { CheckConclusion, Finding, LogReference } from '#domain/evidence'
import type { ReviewPolicy } from '#domain/policy'
import type { Sha } from '#domain/pull-request'
import type { GitRepository } from '../git/port.ts'
import type { CommandRun } from '../tests/port.ts'

export type ReviewRun = {
  git: GitRepository
  repo: string
  number: number
  /** The tip of the base branch: reviewers run in a checkout of it, so that a PR can't rewrite its own reviewer. */
  base: Sha
  mergeBase: Sha
  head: Sha
  policy: ReviewPolicy
  /** Names the log files; unique per attempt. */
  logName: string
  /** Aborts the running reviewer; the promise then rejects with `signal.reason`. */
  signal: AbortSignal
  onStage: CommandRun['onStage']
}

/** `log`: of the reviewer that decided the conclusion, else of the last one; null where none ran. */
export type ReviewOutcome = {
  conclusion: Exclude<CheckConclusion, 'interrupted'>
  reason: string
  findings: Finding[]
  log: LogReference | null
}

/** Reviews `mergeBase..head`: conflict markers, sizes, forbidden paths, and the commands that the policy names. */
export interface Reviewer {
  review(run: ReviewRun): Promise<ReviewOutcome>
}
