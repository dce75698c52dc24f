import { condition, getExternalWorkflowHandle, isCancellation, log, patched, workflowInfo } from '@temporalio/workflow'
import { mergeQueueId } from '#contracts/ids'
import { enqueue, leave, type MergeQueueEntry } from '#contracts/merge-queue'
import type { QueueReport } from '#contracts/pull-request'
import type { Timings } from '#contracts/timings'
import type { SnapshotFacts } from '#domain/pull-request'
import { treeChecks } from '#domain/check-subjects'
import { withTimesOf } from '#domain/rules/resolved'
import { snapshotChanges, type SnapshotChange } from '#domain/snapshot-changes'
import { waitingAfterEjection, waitingInQueue, type QueuePlace } from '#domain/waiting'
import { takeLook } from './look.ts'
import { forgeActivities, pipelineActivities } from './proxies.ts'
import type { PullRequestRun } from './pull-request-run.ts'

/** An acknowledged entry is offered again this many times more slowly, for a queue that was lost after it answered. */
const ACKNOWLEDGED_FACTOR = 15

/**
 * Enters the merge queue and follows what it reports until it landed or ejected this head, or the PR moved on. The
 * enqueue is repeated until the queue acknowledges it, and where the queue is silent for long: the same head again is
 * one entry. Looks at the PR are no word of the queue, and put nothing off. A PR that comes from elsewhere than its
 * decision says so in its comment.
 */
export async function landThroughQueue(run: PullRequestRun, snapshot: SnapshotFacts): Promise<void> {
  const { timings } = run.input
  const entry = queueEntry(run, snapshot)
  if (run.queued?.head !== entry.head) run.report = null
  run.queued = { branch: entry.branch, head: entry.head }
  if (!run.inQueue()) {
    enterQueue(run, snapshot, { outcome: 'offered' })
    await forgeActivities(timings).publishDecision(run.publication(snapshot))
  }
  let heard: QueueReport | null = null
  let offerAgainAt = 0
  let isSilent = true
  for (;;) {
    if (run.lookPending && (await movedOn(run))) return leaveQueue(run)
    if (run.hold !== null) return leaveQueue(run, 'it is held')
    if (run.answeredQuestions().length > 0) return leaveQueue(run, 'people answered otherwise')
    if (run.report === heard && (isSilent || Date.now() >= offerAgainAt)) {
      await offer(entry, timings, offerAgainAt === 0)
      run.failingSince = null
      offerAgainAt = Date.now() + timings.enqueueAcknowledgement * (heard ? ACKNOWLEDGED_FACTOR : 1)
    }
    const news = () => run.report !== heard || run.hasNews() || workflowInfo().continueAsNewSuggested
    // The end of the wait is in the history. The clock alone would not do: where a worker had died, its successor was seen to
    // end the wait at the time of the task before, and no replay could follow it.
    isSilent = !(await condition(news, Math.max(1, offerAgainAt - Date.now())))
    if (run.report !== heard) {
      heard = run.report as QueueReport
      isSilent = false
      offerAgainAt = Date.now() + timings.enqueueAcknowledgement * ACKNOWLEDGED_FACTOR
      if (heard.outcome === 'landed') {
        run.merged = heard.merged
        return
      }
      if (heard.outcome === 'ejected') return ejected(run, heard)
      showProgress(run, heard)
    }
    if (workflowInfo().continueAsNewSuggested) return
  }
}

/** A queue that is there takes the first offer by a signal, which saves a step; one that is not is started with it. */
async function offer(entry: MergeQueueEntry, timings: Timings, isFirst: boolean): Promise<void> {
  if (isFirst && patched('enqueue-by-signal')) {
    try {
      return await getExternalWorkflowHandle(mergeQueueId(entry.repo, entry.branch)).signal(enqueue, entry)
    } catch (error) {
      if (isCancellation(error)) throw error
    }
  }
  await pipelineActivities(timings).enqueuePullRequest(entry)
}

function queueEntry(run: PullRequestRun, snapshot: SnapshotFacts): MergeQueueEntry {
  const { repo, number, base, head, title, policy } = snapshot
  return {
    repo,
    branch: base.ref,
    number,
    head: head.sha,
    title,
    snapshotId: snapshot.id,
    policyDigest: policy.digest,
    checks: treeChecks(policy.checks),
    evidenceMaxAge: policy.evidenceMaxAge,
    enqueuedAt: run.decision!.decidedAt,
    enqueuedBy: run.mergeRequest?.by ?? snapshot.author,
    ...(snapshot.policyChange ? { alone: true } : {}),
  }
}

/** The entry lands under the texts that were scanned; mergeability is the queue's own to find out. */
const costsNoPlace: SnapshotChange[] = ['title', 'body', 'mergeable']

/** Reviews alone cost no place: it is decided anew, and a PR that is still approved stays where it is. */
async function movedOn(run: PullRequestRun): Promise<boolean> {
  const before = run.snapshot!
  const now = await takeLook(run)
  const changes = snapshotChanges(before, now).filter((change) => !costsNoPlace.includes(change))
  if (changes.length === 0) return false
  if (changes.every((change) => change === 'reviews' || change === 'rules') && (await stillApproved(run, before, now)))
    return false
  run.lookPending = true
  return true
}

/**
 * Whether it merges is for the queue to say, which knows the base of the moment. The time is the one at which it was
 * decided: what entered while a window was open finishes after it has closed.
 */
async function stillApproved(run: PullRequestRun, before: SnapshotFacts, now: SnapshotFacts): Promise<boolean> {
  const { mergeable, mergeResult, conflicts } = before
  const rules = now.rules && withTimesOf(now.rules, before.rules ?? [])
  const snapshot = { ...now, ...(rules ? { rules } : {}), mergeable, mergeResult, conflicts }
  const decision = run.decide(snapshot, run.checks, run.decision!.decidedAt)
  if (decision.outcome !== 'approve') return false
  run.snapshot = snapshot
  run.decision = decision
  run.showDetails()
  await forgeActivities(run.input.timings).publishDecision(run.publication(snapshot))
  return true
}

/** An offer may have crossed the queue's word, and have entered again: it is taken back. */
async function ejected(run: PullRequestRun, report: Extract<QueueReport, { outcome: 'ejected' }>): Promise<void> {
  const snapshot = run.snapshot!
  await leaveQueue(run, 'the pull request heard that it was ejected')
  if (report.kind === 'moved' || report.kind === 'closed') {
    run.lookPending = true
    return
  }
  const at = new Date().toISOString()
  const by = run.mergeRequest?.by ?? null
  run.mergeRequest = null
  run.ejected = { head: snapshot.head.sha, reason: report.reason, kind: report.kind, at, by }
  run.enter('waiting', waitingAfterEjection(snapshot, report, at))
  await forgeActivities(run.input.timings).publishDecision(run.publication(snapshot))
}

function showProgress(run: PullRequestRun, report: QueueReport): void {
  if (report.outcome === 'testing') return enterQueue(run, run.snapshot!, report)
  if (report.outcome !== 'queued' || run.phase === 'testing') return
  enterQueue(run, run.snapshot!, report)
}

/** Shows where in the queue a PR is. The front of the queue needs no new search attributes, a place behind it does. */
export function enterQueue(run: PullRequestRun, snapshot: SnapshotFacts, place: QueuePlace): void {
  const phase = place.outcome === 'offered' ? 'queued' : place.outcome
  const queuedSince = phase === 'queued' && run.phase === 'queued' ? run.waiting?.since : undefined
  const next = waitingInQueue(snapshot, place, queuedSince ?? new Date().toISOString())
  if (run.phase === phase && run.waiting?.until === next.until) return run.waitFor(next)
  run.enter(phase, next)
}

/** Takes the entry back. A queue that has ended holds no entry. */
export async function leaveQueue(run: PullRequestRun, reason = 'the pull request moved on'): Promise<void> {
  if (run.queued === null) return
  const { branch, head } = run.queued
  const { repo, number } = run.input
  run.queued = null
  run.report = null
  try {
    await getExternalWorkflowHandle(mergeQueueId(repo, branch)).signal(leave, {
      number,
      head,
      reason,
    })
  } catch (error) {
    log.info('there is no queue to leave', { reason: String(error) })
  }
}
