import { workflowInfo } from '@temporalio/workflow'
import {
  approvalKey,
  approvalQuestion,
  approvalsWaitedFor,
  isSameSubject,
  missingApprovals,
  type AskedApproval,
  type MissingApprovals,
} from '#domain/approval-question'
import type { Decision } from '#domain/decision'
import type { Milliseconds } from '#domain/policy'
import type { SnapshotFacts } from '#domain/pull-request'
import { unlessFailed } from './failing.ts'
import { forgeActivities } from './proxies.ts'
import type { PullRequestRun } from './pull-request-run.ts'

/** Sweeps of the forge before open questions are read again, for a word may have been lost; then twice as many. */
const SWEEPS_BEFORE_REREAD = 2
const MAX_SWEEPS_BEFORE_REREAD = 120

/**
 * Asks people for the approvals that are all that a decision waits for, where the policy says so. Waits for no answer.
 * What expired without one is not asked again for this head.
 */
export async function askForApprovals(run: PullRequestRun, snapshot: SnapshotFacts, decision: Decision): Promise<void> {
  const met = new Set(decision.rules.flatMap(({ rule, outcome }) => (outcome === 'pass' ? [rule] : [])))
  const idle = run.asked.filter(({ of, state }) => state === 'open' && met.has(of))
  for (const asked of idle) await takeBack(run, asked, `#${snapshot.number} needs no more of it`)
  for (const missing of approvalsWaitedFor(decision, missingApprovals(snapshot))) await askFor(run, snapshot, missing)
}

async function askFor(run: PullRequestRun, snapshot: SnapshotFacts, missing: MissingApprovals): Promise<void> {
  const { repo, number, id: snapshotId, head, base } = snapshot
  const subject = { of: missing.of, head: head.sha, base: base.ref }
  const before = run.asked.filter((each) => isSameSubject(each, subject))
  if (before.some(({ state }) => state !== 'closed')) return
  const change = await forgeActivities(run.input.timings).describeChange({ repo, number, snapshotId })
  const question = approvalQuestion(snapshot, missing, run.checks, change)
  for (let round = before.length + 1; ; round++) {
    const key = approvalKey(subject, round)
    const outcome = await run.questions.ensure(key, question)
    const cancelled = outcome?.state === 'cancelled'
    run.asked.push({ ...subject, key, id: run.questions.id(key), question, state: cancelled ? 'closed' : 'open' })
    // Taken back by an earlier run of this pipeline, or before a reset: it is asked anew.
    if (!cancelled) return
  }
}

/** Makes reviews of what people answered. Before a look, which shows them. */
export async function useAnswers(run: PullRequestRun): Promise<void> {
  const { repo, number, timings } = run.input
  for (const asked of run.answeredQuestions()) {
    const { state, answers } = run.questions.outcome(asked.key)!
    const snapshotId = run.snapshot?.head.sha === asked.head ? run.snapshot.id : null
    await forgeActivities(timings).submitAnswers({
      ...{ repo, number, key: asked.key, head: asked.head, base: asked.base, snapshotId },
      answers: answers.map(({ by, value, comment }) => ({ by, value, comment })),
    })
    asked.state = state === 'expired' ? 'expired' : 'closed'
    run.undecided = true
  }
}

/** Takes back the questions about what the PR no longer is, or no longer lacks. */
export async function dropQuestions(run: PullRequestRun, snapshot: SnapshotFacts): Promise<void> {
  for (const asked of run.asked.filter(({ state }) => state === 'open')) {
    const reason = whyDropped(snapshot, asked)
    if (reason !== null) await takeBack(run, asked, reason)
  }
  run.asked = run.asked.filter(({ head, base }) => head === snapshot.head.sha && base === snapshot.base.ref)
}

async function takeBack(run: PullRequestRun, asked: AskedApproval, reason: string): Promise<void> {
  asked.state = 'closed'
  await run.questions.cancel(asked.key, reason).catch(unlessFailed)
}

function whyDropped(snapshot: SnapshotFacts, asked: AskedApproval): string | null {
  const { number, state, head, base, policy } = snapshot
  if (state !== 'open') return `#${number} is ${state}`
  if (head.sha !== asked.head) return `the head of #${number} is ${head.sha.slice(0, 12)} now`
  if (base.ref !== asked.base) return `#${number} goes into ${base.ref} now`
  if (missingApprovals(snapshot).some(({ of }) => of === asked.of)) return null
  if (policy.askForApprovals === undefined || policy.mode === 'dry-run') return 'the policy asks nobody any more'
  return `#${number} has the approvals that it needs`
}

/** For a run that ends with its PR still open. */
export async function withdrawQuestions(run: PullRequestRun, reason: string): Promise<void> {
  if (run.asked.every(({ state }) => state !== 'open')) return
  await run.questions.cancelAll(reason).catch(unlessFailed)
}

/** Rests as `run.rest` does; meanwhile reads its open questions again, more and more rarely. */
export async function restAsking(run: PullRequestRun, milliseconds: Milliseconds): Promise<boolean> {
  const { sweep } = run.input.timings
  const until = Date.now() + milliseconds
  for (let pause = sweep * SWEEPS_BEFORE_REREAD; ; pause = Math.min(pause * 2, sweep * MAX_SWEEPS_BEFORE_REREAD)) {
    const left = Math.max(1, until - Date.now())
    const open = run.asked.filter(({ state }) => state === 'open')
    if (open.length === 0 || left <= pause) return run.rest(left)
    if (await run.rest(pause)) return true
    for (const { key, question } of open) await run.questions.ensure(key, question).catch(unlessFailed)
    if (workflowInfo().continueAsNewSuggested) return true
  }
}
