import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow'
import type { AskedApproval } from '#domain/approval-question'
import type { ClarificationOutcome } from '#domain/clarification/state'
import type { CommandAct } from '#domain/comment-command'
import type { CheckResults, Decision, Outcome } from '#domain/decision'
import type { Hold } from '#domain/hold'
import type { Override } from '#domain/override'
import type { Milliseconds } from '#domain/policy'
import type { Instant, Merged, Phase, PullRequestState, Sha, SnapshotFacts, Waiting } from '#domain/pull-request'
import type { Ejection, EjectionKind } from '#domain/waiting'
import type { Timings } from './timings.ts'

/** Type name of the workflow; id `pr:<repo>#<number>`, one open at a time. Runs on role `pr-review`. */
export const pullRequestType = 'pullRequest'

export type PullRequestInput = {
  repo: string
  number: number
  timings: Timings
  /** What a run hands to its successor through continue-as-new. */
  carried?: PullRequestCarried
}

export type PullRequestCarried = {
  snapshot: SnapshotFacts | null
  checks: CheckResults
  decision: Decision | null
  phase: Phase
  /** `pr merge` by whom, for which head, and into which base branch, which 0.1.0 did not say. */
  mergeRequest: { by: string; head: Sha; base?: string } | null
  /** The head that the queue ejected, and why: it is not enqueued again by itself. */
  ejected: (Ejection & { head: Sha } & Partial<EjectedFrom>) | null
  waiting: Waiting | null
  /** The entry that the queue was given and has not finished with. */
  queued?: { branch: string; head: Sha } | null
  /** `pr review` was asked for and not begun. */
  rerun?: boolean
  /** A hint came that no look has answered yet. */
  lookPending?: boolean
  /** The snapshot was checked, and its decision was not made or not published yet. */
  undecided?: boolean
  /** The queue's newest word about what it was given. */
  report?: QueueReport | null
  /** Since when every try of an activity failed. */
  failingSince?: Instant | null
  hold?: Hold | null
  /** The newest comment whose commands were heard. Absent where 0.1.0 carried, which heard none. */
  heardComment?: string | null | undefined
  /** Commands that were carried out or refused, and not told yet. */
  acts?: CommandAct[]
  /** The head that was seen last, and since when; null where it was the first. */
  headSeen?: { sha: Sha; since: Instant | null } | null
  /** What people were asked about this head, and by key what is open and what came. Absent: nothing was. */
  questions?: {
    asked: AskedApproval[]
    /** What people let pass. */
    overrides: Override[]
    open: Record<string, string>
    outcomes: Record<string, ClarificationOutcome>
  }
}

/** When a head was ejected, and who had asked that it lands, where the policy does not do so by itself. */
export type EjectedFrom = {
  at: Instant
  by: string | null
  /** The digest of the policy that had approved it; absent where only this run's own decision tells. */
  policy?: string
  /** It was decided anew under another policy since: what the queue said of it helps nobody any more. */
  outdated?: true
}

export type PullRequestResult = {
  state: Exclude<PullRequestState, 'open'> | 'stale'
  outcome: Outcome | null
  merged: Merged | null
  reason: string
}

/** How one running or finished check looks from outside. */
export type CheckStatus = {
  name: string
  state: 'queued' | 'running' | 'passed' | 'failed' | 'timed-out' | 'infrastructure' | 'interrupted' | 'skipped'
  reason: string
  duration: Milliseconds | null
}

/** The one query of the pipeline. */
export type PullRequestStatus = {
  repo: string
  number: number
  title: string
  phase: Phase
  state: PullRequestState
  head: { ref: string; sha: Sha } | null
  base: { ref: string; sha: Sha } | null
  checks: CheckStatus[]
  decision: Decision | null
  waiting: Waiting | null
  /** Absent where a worker of 0.1.0 answers. */
  hold?: Hold | null
  merged: Merged | null
  /** It will not move without a person, a new commit, or time. What `--wait` waits for. */
  resting: boolean
}

/** From the merge queue of `branch`, which 0.1.0 did not name: what became of the entry for `head`. */
export type QueueReport = { head: Sha; branch?: string } & (
  | { outcome: 'queued'; position: number }
  | { outcome: 'testing'; candidate: Sha }
  | { outcome: 'landed'; merged: Merged }
  | { outcome: 'ejected'; reason: string; kind: EjectionKind }
)

export type LookHint = { id: string; kind: string }

/** Something may have changed on the forge: take a fresh look. Never trusted as a fact. Sent by anybody. */
export const look = defineSignal<[LookHint]>('look')
/** Sent by `mergeQueue` only. */
export const report = defineSignal<[QueueReport]>('report')

/**
 * `pr merge`: land it once it is approved, where the policy's `merge.auto` is off, or again after an ejection.
 * `head`: the head that the person saw. Refused with `ApplicationFailure` type `NotAllowed` when the PR is not open, or
 * `head` is not the one that the pipeline last saw.
 */
export const merge = defineUpdate<{ phase: Phase }, [{ by: string; at: Instant; head?: Sha }]>('merge')
/**
 * `pr review <n>`: run the checks again; failures are never reused. Refused with `NotAllowed` when the PR is not open,
 * or in the merge queue: its checks passed.
 */
export const review = defineUpdate<{ phase: Phase }, [{ by: string }]>('review')

/**
 * `pr hold`: it does not land until somebody lifts that, by `cancel` or by `merge`. Refused with `NotAllowed` when the PR
 * is not open. It may come too late: what the queue is landing at that moment lands.
 */
export const hold = defineUpdate<{ phase: Phase }, [{ by: string; reason?: string; cancel?: boolean }]>('hold')

export const pullRequestStatus = defineQuery<PullRequestStatus>('status')
