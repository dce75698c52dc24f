/**
 * A pull request from opened to landed:
 *  1. snapshot: the facts of this moment, frozen
 *  2. checks in parallel: tests of the merge result, secrets in every commit, review
 *  3. decision by a pure function
 *  4. one comment that says what was decided and who can act
 *  5. approved: the merge queue lands it
 *  6. only approvals are missing, or only what may be overridden: people are asked, where the policy says so
 *  7. anything else rests until something changes; a new head starts again at 1
 */
import { allHandlersFinished, condition, continueAsNew, isCancellation, log, workflowInfo } from '@temporalio/workflow'
import type { PullRequestInput, PullRequestResult } from '#contracts/pull-request'
import { keptResults, runnableChecks } from '#domain/check-subjects'
import type { CheckResults } from '#domain/decision'
import { showsHold } from '#domain/hold'
import type { Instant, SnapshotFacts } from '#domain/pull-request'
import { snapshotChanges, voidsChecks } from '#domain/snapshot-changes'
import { staleSentence, waitingAfter, waitingAfterEjection, waitingForChecks } from '#domain/waiting'
import { runCheck, runChecksUntil } from './checks.ts'
import { orRest, unlessFailed } from './failing.ts'
import { enterQueue, landThroughQueue, leaveQueue } from './landing.ts'
import { takeLook } from './look.ts'
import { forgeActivities } from './proxies.ts'
import { handleMessages } from './pull-request-messages.ts'
import { askPeople, dropQuestions, restAsking, useAnswers, withdrawQuestions } from './pull-request-questions.ts'
import { PullRequestRun } from './pull-request-run.ts'

export async function pullRequest(input: PullRequestInput): Promise<PullRequestResult> {
  const run = new PullRequestRun(input)
  handleMessages(run)
  try {
    for (;;) {
      if (workflowInfo().continueAsNewSuggested) await handOver(run)
      const result = await orRest(run, () => follow(run))
      if (result !== null) return result
    }
  } catch (error) {
    if (isCancellation(error)) await withdrawQuestions(run, `the pipeline of #${input.number} was cancelled`)
    throw error
  }
}

/** From one look at the PR to the next; null: look again. */
async function follow(run: PullRequestRun): Promise<PullRequestResult | null> {
  await useAnswers(run)
  const snapshot = await takeLook(run)
  await dropQuestions(run, snapshot)
  if (snapshot.state !== 'open') return finish(run, snapshot)
  if (needsDecision(run, snapshot)) {
    await leaveQueue(run)
    const checks = await runChecks(run, snapshot)
    if (checks === null || run.lookPending) return null
    await decideAndPublish(run, snapshot, checks)
  } else if (!showsHold(run.decision!, run.hold)) {
    await leaveQueue(run, 'it is held')
    await decideAndPublish(run, run.snapshot!, run.checks)
  }
  if (run.hasUnusedAnswers()) return null
  if (mayLand(run, snapshot)) {
    await landThroughQueue(run, snapshot)
    const { merged } = run
    return merged === null ? null : finish(run, { ...run.snapshot!, state: 'merged', merged })
  }
  return (await rest(run, snapshot)) === 'stale' ? goStale(run, snapshot) : null
}

function needsDecision(run: PullRequestRun, snapshot: SnapshotFacts): boolean {
  if (run.decision === null || run.snapshot === null || run.rerun || run.undecided) return true
  if (millisecondsUntil(run.decision.changesAt) <= 0) return true
  return snapshotChanges(run.snapshot, snapshot).length > 0
}

/** null: what was being checked is no longer what the PR is. */
async function runChecks(run: PullRequestRun, snapshot: SnapshotFacts): Promise<CheckResults | null> {
  const kept = keptResults(run.checks, snapshot, run.rerun)
  const planned = runnableChecks(snapshot).filter((check) => kept[check.name] === undefined)
  run.rerun = false
  run.undecided = true
  run.snapshot = snapshot
  run.checkStatuses.clear()
  for (const result of Object.values(kept)) run.showResult(result)
  for (const { name } of planned) run.checkStatuses.set(name, { name, state: 'running', reason: '', duration: null })
  const since = timestamp()
  const running = new Set(planned)
  const waiting = () => waitingForChecks([...running], since)
  if (planned.length > 0) run.enter('checking', waiting())
  const results = await runChecksUntil(
    planned,
    async (check) => {
      const result = await runCheck(snapshot, check, run.input.timings)
      run.showResult(result)
      running.delete(check)
      run.waitFor(waiting())
      return result
    },
    (finished) => movedOn(run, snapshot, finished),
  )
  if (results === null) {
    log.info('checks stopped: the pull request moved on', { head: snapshot.head.sha })
    return null
  }
  return (run.checks = { ...kept, ...results })
}

/**
 * Waits for a hint while checks run, and looks whether it voids them. What does not is seen by the next look. A run whose
 * history has grown too long looks no more often than the forge is swept: its successor would begin the checks anew.
 */
async function movedOn(run: PullRequestRun, snapshot: SnapshotFacts, finished: () => boolean): Promise<boolean> {
  let changed = false
  while (!finished()) {
    await condition(() => finished() || run.lookPending)
    if (workflowInfo().continueAsNewSuggested) await condition(finished, run.input.timings.sweep)
    if (finished()) break
    const now = await takeLook(run).catch(unlessFailed)
    const changes = now && snapshotChanges(snapshot, now)
    if (changes && voidsChecks(changes)) return true
    changed ||= changes === null || changes.length > 0
  }
  run.lookPending ||= changed || run.rerun
  return false
}

async function decideAndPublish(run: PullRequestRun, snapshot: SnapshotFacts, checks: CheckResults): Promise<void> {
  const now = timestamp()
  const decision = run.decide(snapshot, checks, now)
  if (run.ejected && run.ejected.head !== snapshot.head.sha) run.ejected = null
  const ejectedUnder = run.ejected?.policy ?? run.decision?.policyDigest ?? decision.policyDigest
  if (run.ejected && ejectedUnder !== decision.policyDigest) run.ejected = { ...run.ejected, outdated: true }
  run.decision = decision
  await askPeople(run, snapshot, decision).catch(unlessFailed)
  if (mayLand(run, snapshot)) enterQueue(run, snapshot, { outcome: 'offered' })
  else if (decision.outcome === 'approve' && run.ejected && !decision.dryRun)
    run.enter('waiting', waitingAfterEjection(snapshot, run.ejected, now))
  else {
    const waiting = waitingAfter(snapshot, decision, now, run.shownQuestions())
    run.enter(decision.outcome === 'reject' ? 'rejected' : 'waiting', waiting)
  }
  await publish(run, snapshot)
  run.undecided = false
}

/** Approved, and the policy or a person asks for it, and the queue did not just say no to this head. */
function mayLand(run: PullRequestRun, snapshot: SnapshotFacts): boolean {
  if (run.hold !== null || run.decision?.outcome !== 'approve') return false
  if (run.ejected?.head === snapshot.head.sha || snapshot.policy.mode === 'dry-run') return false
  return snapshot.policy.merge.auto || run.mergeRequest?.head === snapshot.head.sha
}

/** Waits for something to change, at most as long as the policy lets a PR lie. */
async function rest(run: PullRequestRun, snapshot: SnapshotFacts): Promise<'changed' | 'stale'> {
  run.failingSince = null
  const { timings } = run.input
  const { staleAfter } = snapshot.policy.merge
  const since = run.waiting ? Date.parse(run.waiting.since) : Date.now()
  const left = Math.max(1, since + staleAfter - Date.now())
  const asksAgain = snapshot.mergeable === 'unknown'
  if (asksAgain && left > timings.mergeableRetry) {
    await condition(() => run.lookPending, timings.mergeableRetry)
    return 'changed'
  }
  const untilChange = millisecondsUntil(run.decision?.changesAt)
  if (untilChange < left) {
    await restAsking(run, Math.max(1, untilChange))
    return 'changed'
  }
  return (await restAsking(run, left)) ? 'changed' : 'stale'
}

/** Until time alone decides otherwise. */
function millisecondsUntil(instant: Instant | undefined): number {
  return instant === undefined ? Number.POSITIVE_INFINITY : Date.parse(instant) - Date.now()
}

/** null: the PR was looked at meanwhile, and may have been opened again. */
async function finish(run: PullRequestRun, snapshot: SnapshotFacts): Promise<PullRequestResult | null> {
  const { repo, number, head } = snapshot
  const activities = forgeActivities(run.input.timings)
  run.decision ??= await activities.lastDecision({ repo, number })
  run.snapshot = snapshot
  run.merged = snapshot.merged
  run.enter(snapshot.state === 'merged' ? 'landed' : 'closed')
  if (snapshot.state !== 'merged') await leaveQueue(run)
  await publish(run, snapshot)
  if (snapshot.merged && snapshot.policy.merge.deleteBranch) {
    await activities.deleteHeadBranch({ repo, branch: head.ref, expected: head.sha }).catch(unlessFailed)
  }
  await condition(allHandlersFinished)
  const state = snapshot.state === 'merged' ? 'merged' : 'closed'
  if (state === 'closed' && run.lookPending) return null
  return { state, outcome: run.decision?.outcome ?? null, merged: snapshot.merged, reason: state }
}

/** Says that it ends, and keeps its phase. null: something happened while this was said. */
async function goStale(run: PullRequestRun, snapshot: SnapshotFacts): Promise<PullRequestResult | null> {
  const reason = staleSentence(snapshot.policy.merge.staleAfter)
  run.ending = reason
  run.enter(run.phase)
  await withdrawQuestions(run, `the pipeline of #${snapshot.number} ${reason}`)
  await publish(run, snapshot)
  await condition(allHandlersFinished)
  if (run.lookPending) {
    run.ending = null
    run.undecided = true
    return null
  }
  return { state: 'stale', outcome: run.decision?.outcome ?? null, merged: null, reason }
}

function publish(run: PullRequestRun, snapshot: SnapshotFacts): Promise<void> {
  return forgeActivities(run.input.timings).publishDecision(run.publication(snapshot))
}

async function handOver(run: PullRequestRun): Promise<never> {
  await condition(allHandlersFinished)
  return continueAsNew<typeof pullRequest>(run.carry())
}

/** Workflow time: the same on replay. */
function timestamp(): Instant {
  return new Date().toISOString()
}
