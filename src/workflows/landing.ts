import { condition, getExternalWorkflowHandle, log, workflowInfo } from '@temporalio/workflow'
import { mergeQueueId } from '#contracts/ids'
import { leave, type MergeQueueEntry } from '#contracts/merge-queue'
import type { QueueReport } from '#contracts/pull-request'
import type { SnapshotFacts } from '#domain/pull-request'
import { snapshotChanges } from '#domain/snapshot-changes'
import { waitingAfterEjection } from '#domain/waiting'
import { forgeActivities, pipelineActivities } from './proxies.ts'
import type { PullRequestRun } from './pull-request-run.ts'

/** An acknowledged entry is offered again this many times more slowly, for a queue that was lost after it answered. */
const ACKNOWLEDGED_FACTOR = 15

/**
 * Enters the merge queue and follows what it reports until it landed or ejected this head, or the PR moved on. The
 * enqueue is repeated until the queue acknowledges it, and where the queue is silent for long: the same head again is
 * one entry. Looks at the PR are no word of the queue, and put nothing off.
 */
export async function landThroughQueue(run: PullRequestRun, snapshot: SnapshotFacts): Promise<void> {
  const { timings } = run.input
  const entry = queueEntry(run, snapshot)
  if (run.queued?.head !== entry.head) run.report = null
  run.queued = { branch: entry.branch, head: entry.head }
  let heard: QueueReport | null = null
  let offerAgainAt = 0
  for (;;) {
    if (run.lookPending && (await movedOn(run, snapshot))) return leaveQueue(run)
    if (run.report === heard && Date.now() >= offerAgainAt) {
      await pipelineActivities(timings).enqueuePullRequest(entry)
      offerAgainAt = Date.now() + timings.enqueueAcknowledgement * (heard ? ACKNOWLEDGED_FACTOR : 1)
    }
    const news = () => run.report !== heard || run.lookPending || workflowInfo().continueAsNewSuggested
    await condition(news, Math.max(1, offerAgainAt - Date.now()))
    if (run.report !== heard) {
      heard = run.report as QueueReport
      offerAgainAt = Date.now() + timings.enqueueAcknowledgement * ACKNOWLEDGED_FACTOR
      if (heard.outcome === 'landed') return
      if (heard.outcome === 'ejected') return ejected(run, snapshot, heard)
      showProgress(run, heard)
    }
    if (workflowInfo().continueAsNewSuggested) return
  }
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
    tests: policy.checks.find((check) => check.name === 'tests')!,
    evidenceMaxAge: policy.evidenceMaxAge,
    enqueuedAt: run.decision!.decidedAt,
    enqueuedBy: run.mergeRequest?.by ?? snapshot.author,
  }
}

async function movedOn(run: PullRequestRun, snapshot: SnapshotFacts): Promise<boolean> {
  run.lookPending = false
  const { repo, number } = snapshot
  const now = await forgeActivities(run.input.timings).takeSnapshot({ repo, number })
  const changes = snapshotChanges(snapshot, now).filter((change) => change !== 'title' && change !== 'mergeable')
  if (changes.length === 0) return false
  run.lookPending = true
  return true
}

async function ejected(
  run: PullRequestRun,
  snapshot: SnapshotFacts,
  report: Extract<QueueReport, { outcome: 'ejected' }>,
): Promise<void> {
  run.queued = null
  if (report.kind === 'moved' || report.kind === 'closed') {
    run.lookPending = true
    return
  }
  run.mergeRequest = null
  run.ejected = { head: snapshot.head.sha, reason: report.reason }
  run.enter('waiting', waitingAfterEjection(snapshot, report.reason, new Date().toISOString()))
  await forgeActivities(run.input.timings).publishDecision(run.publication(snapshot))
}

function showProgress(run: PullRequestRun, report: QueueReport): void {
  if (report.outcome === 'testing' || report.outcome === 'landing') {
    if (run.phase !== report.outcome) run.enter(report.outcome)
  } else if (run.phase !== 'testing' && run.phase !== 'landing') {
    if (run.phase !== 'queued') run.enter('queued')
  }
}

/** Takes the entry back. A queue that has ended holds no entry. */
export async function leaveQueue(run: PullRequestRun): Promise<void> {
  if (run.queued === null) return
  const { branch, head } = run.queued
  const { repo, number } = run.input
  run.queued = null
  run.report = null
  try {
    await getExternalWorkflowHandle(mergeQueueId(repo, branch)).signal(leave, {
      number,
      head,
      reason: 'the pull request moved on',
    })
  } catch (error) {
    log.info('there is no queue to leave', { reason: String(error) })
  }
}
