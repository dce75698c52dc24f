import { ActivityFailure, ApplicationFailure, isCancellation, log, rootCause } from '@temporalio/workflow'
import type { PullRequestResult } from '#contracts/pull-request'
import { staleSentence, waitingForRetry } from '#domain/waiting'
import { maskedText } from '#domain/mask'
import { oneLine } from '#domain/text'
import { leaveQueue } from './landing.ts'
import type { PullRequestRun } from './pull-request-run.ts'

const MAX_REASON = 300
/** A pipeline that could not go on looks again by itself, this many times more slowly than its repository is swept. */
const SWEEPS_BETWEEN_TRIES = 10
/** Milliseconds that a PR may be out of reach whose policy was never read. */
const STALE_WITHOUT_POLICY = 30 * 86_400_000

/**
 * Goes on; where an activity failed for good, rests with the reason until somebody asks for another try, something
 * happens, or a while has passed. Only a PR that never was ends in a failure.
 */
export async function orRest(
  run: PullRequestRun,
  act: () => Promise<PullRequestResult | null>,
): Promise<PullRequestResult | null> {
  try {
    return await act()
  } catch (error) {
    if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error
    if (run.snapshot === null && isNotFound(error)) {
      throw ApplicationFailure.nonRetryable(failureReason(error), 'NotFound', error)
    }
    return rest(run, failureReason(error))
  }
}

/** What failed is no news: it is looked at again. */
export function unlessFailed(error: unknown): null {
  if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error
  log.warn('an activity failed for good', { reason: failureReason(error) })
  return null
}

export function failureReason(error: ActivityFailure): string {
  return oneLine(maskedText(rootCause(error) ?? error.message), MAX_REASON)
}

async function rest(run: PullRequestRun, reason: string): Promise<PullRequestResult | null> {
  const { snapshot, input } = run
  const { repo, number, timings } = input
  const now = new Date().toISOString()
  run.failingSince ??= now
  const staleAfter = snapshot?.policy.merge.staleAfter ?? STALE_WITHOUT_POLICY
  if (Date.parse(now) - Date.parse(run.failingSince) >= staleAfter) {
    await run.questions.cancelAll(`the pipeline of #${number} could not go on`).catch(unlessFailed)
    return { state: 'stale', outcome: run.decision?.outcome ?? null, merged: null, reason: staleSentence(staleAfter) }
  }
  await leaveQueue(run)
  run.undecided = true
  const pause = Math.min(timings.sweep * SWEEPS_BETWEEN_TRIES, staleAfter)
  const until = new Date(Date.parse(now) + pause).toISOString()
  const ended = run.phase === 'landed' || run.phase === 'closed'
  const pullRequest = { repo, number, author: snapshot?.author ?? null }
  run.enter(ended ? run.phase : 'waiting', waitingForRetry(pullRequest, reason, run.failingSince, until))
  // What could not be used just now is no news.
  await run.rest(pause, () => run.lookPending)
  return null
}

function isNotFound(error: ActivityFailure): boolean {
  return error.cause instanceof ApplicationFailure && error.cause.type === 'NotFound'
}
