import { condition, getExternalWorkflowHandle, log } from '@temporalio/workflow'
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
 * enqueue is repeated until the queue acknowledges it: the same head again is one entry.
 */
export async function landThroughQueue(run: PullRequestRun, snapshot: SnapshotFacts): Promise<void> {
  const { timings } = run.input
  const entry = queueEntry(run, snapshot)
  run.report = null
  run.queued = { branch: entry.branch, head: entry.head }
  for (let acknowledged = false; ;) {
    if (run.report === null) await pipelineActivities(timings).enqueuePullRequest(entry)
    const patience = timings.enqueueAcknowledgement * (acknowledged ? ACKNOWLEDGED_FACTOR : 1)
    const seen: QueueReport | null = run.report
    const woken = await condition(() => run.report !== seen || run.lookPending, patience)
    const report = run.report as QueueReport | null
    if (report?.outcome === 'landed') return
    if (report?.outcome === 'ejected') return ejected(run, snapshot, report)
    if (run.lookPending && (await movedOn(run, snapshot))) return leaveQueue(run)
    acknowledged ||= report !== null
    if (report !== null) showProgress(run, report)
    if (!woken) run.report = null
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
  run.mergeRequest = null
  if (report.kind === 'moved' || report.kind === 'closed') {
    run.lookPending = true
    return
  }
  run.ejected = { head: snapshot.head.sha, reason: report.reason }
  run.enter('waiting', waitingAfterEjection(snapshot, report.reason, new Date().toISOString()))
  await forgeActivities(run.input.timings).publishDecision(run.publication(snapshot))
}

function showProgress(run: PullRequestRun, report: QueueReport): void {
  if (report.outcome === 'testing' || report.outcome === 'landing') {
    if (run.phase !== report.outcome) run.enter(report.outcome)
  } else if (run.phase !== 'queued') run.enter('queued')
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
