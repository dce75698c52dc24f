import { patched, workflowInfo } from '@temporalio/workflow'
import {
  approvalKey,
  approvalQuestion,
  approvalsWaitedFor,
  isSameSubject,
  missingApprovals,
  withoutRepetition,
  type ApprovalSubject,
  type ApprovalsToAsk,
  type AskedApproval,
  type ChangeToApprove,
} from '#domain/approval-question'
import type { Asked } from '#domain/clarification/question'
import type { Answer, ClarificationOutcome } from '#domain/clarification/state'
import type { Decision } from '#domain/decision'
import { maskedText } from '#domain/mask'
import { overrideKey, overrideOf, overrideQuestion, overrideTerms, type OverrideTerms } from '#domain/override'
import type { Milliseconds } from '#domain/policy'
import type { Sha, SnapshotFacts } from '#domain/pull-request'
import { oneLine } from '#domain/text'
import { unlessFailed } from './failing.ts'
import { forgeActivities } from './proxies.ts'
import type { PullRequestRun } from './pull-request-run.ts'
import { pauseBeforeReread } from './questions.ts'

/** Of what somebody gave for an override: it is in every decision after it. */
const MAX_REASON = 200

/**
 * Asks people, where the policy says so: for the approvals that are all that a decision waits for, and whether to override
 * what alone refuses it. Waits for no answer. What was declined, or expired, is not asked again for this head.
 */
export async function askPeople(run: PullRequestRun, snapshot: SnapshotFacts, decision: Decision): Promise<void> {
  const terms = overrideTerms(decision, snapshot)
  const wanted = terms && overrideOf(terms)
  const met = new Set(decision.rules.flatMap(({ rule, outcome }) => (outcome === 'pass' ? [rule] : [])))
  const isIdle = ({ of, override }: AskedApproval) => (override ? of !== wanted : met.has(of))
  const idle = run.asked.filter((asked) => asked.state === 'open' && isIdle(asked))
  for (const asked of idle) await unlessAnswered(run, asked, `#${snapshot.number} needs no more of it`)
  if (run.answeredQuestions().length > 0) return
  for (const missing of approvalsToAsk(decision, snapshot)) {
    const ask = (change: ChangeToApprove) => approvalQuestion(snapshot, missing, run.checks, change)
    await put(run, snapshot, { of: missing.of, also: missing.also ?? [], keyOf: approvalKey, ask })
  }
  if (terms === null) return
  const ask = (change: ChangeToApprove) => overrideQuestion(snapshot, decision, terms.rules, run.checks, change)
  await put(run, snapshot, { of: overrideOf(terms), override: terms, keyOf: keyOfOverride(terms), ask })
}

/** Before it looked for repetitions, each criterion had a question of its own. */
function approvalsToAsk(decision: Decision, snapshot: SnapshotFacts): ApprovalsToAsk[] {
  const missing = approvalsWaitedFor(decision, missingApprovals(snapshot))
  const toAsk = withoutRepetition(missing)
  return toAsk.length === missing.length || !patched('one-approval-question') ? missing : toAsk
}

/** Before it named the terms, an answer for one reason was one for any other. */
function keyOfOverride({ rules }: OverrideTerms): ToAsk['keyOf'] {
  if (patched('override-terms')) return overrideKey
  return (subject, round) => overrideKey({ ...subject, of: `override ${rules.join(',')}` }, round)
}

type ToAsk = {
  of: string
  also?: string[]
  override?: OverrideTerms
  keyOf(subject: ApprovalSubject, round: number): string
  ask(change: ChangeToApprove): Asked
}

async function put(run: PullRequestRun, snapshot: SnapshotFacts, toAsk: ToAsk): Promise<void> {
  const { repo, number, id: snapshotId, head, base } = snapshot
  const { of, also = [], override, keyOf, ask } = toAsk
  const subject = { of, head: head.sha, base: base.ref }
  const last = run.asked.findLast((each) => isSameSubject(each, subject))
  if (last !== undefined && also.length > 0) last.also = also
  if (last !== undefined && last.state !== 'closed' && last.state !== 'withdrawn') return
  const question = ask(await forgeActivities(run.input.timings).describeChange({ repo, number, snapshotId }))
  for (let round = (last?.round ?? 0) + 1; ; round++) {
    const key = keyOf(subject, round)
    const outcome = await run.questions.ensure(key, question)
    // Taken back by an earlier run of this pipeline, or before a reset: it is asked anew.
    if (outcome?.state === 'cancelled') {
      run.questions.forget(key)
      continue
    }
    keepAsked(run, (each) => !isSameSubject(each, subject) || each === last)
    const id = run.questions.id(key)
    const about = { ...(also.length > 0 ? { also } : {}), ...(override ? { override } : {}) }
    run.asked.push({ ...subject, key, round, ...about, id, question, state: 'open' })
    return
  }
}

function keepAsked(run: PullRequestRun, isKept: (asked: AskedApproval) => boolean): void {
  for (const { key } of run.asked.filter((asked) => !isKept(asked))) run.questions.forget(key)
  run.asked = run.asked.filter(isKept)
}

/**
 * Does what people answered: their reviews, of each as soon as it is heard, or what they let pass. Before a look, which
 * shows the reviews.
 */
export async function useAnswers(run: PullRequestRun): Promise<void> {
  for (const asked of run.answeredQuestions()) {
    const outcome = run.questions.outcome(asked.key)!
    await (asked.override ? overrideBy(run, asked, asked.override, outcome) : reviewBy(run, asked, outcome.answers))
    const declined = asked.override !== undefined && outcome.value === 'leave'
    asked.state = outcome.state === 'expired' ? 'expired' : declined ? 'declined' : 'closed'
    asked.question = null
    run.undecided = true
  }
  for (const asked of run.partlyAnswered()) {
    const answers = run.questions.answers(asked.key)
    await reviewBy(run, asked, answers)
    asked.reviewed = answers.length
  }
}

/** Each answer once, however often it is told. */
async function reviewBy(run: PullRequestRun, asked: AskedApproval, answers: Answer[]): Promise<void> {
  await forgeActivities(run.input.timings).submitAnswers({
    ...subjectOf(run, asked),
    answers: answers.map(({ by, value, comment, at }) => ({ by, value, comment, at })),
  })
}

async function overrideBy(
  run: PullRequestRun,
  asked: AskedApproval,
  terms: OverrideTerms,
  { state, value, by, comment, at }: ClarificationOutcome,
): Promise<void> {
  if (state !== 'answered' || value !== 'override') return
  const reason = oneLine(maskedText(comment), MAX_REASON)
  const override = { ...terms, head: asked.head, base: asked.base, by, reason, at }
  await forgeActivities(run.input.timings).recordOverride({ ...subjectOf(run, asked), ...override })
  run.overrides = [...run.overrides, override]
}

function subjectOf({ input, snapshot }: PullRequestRun, { key, head, base }: AskedApproval) {
  const { repo, number } = input
  return { repo, number, key, head, base, snapshotId: snapshot?.head.sha === head ? snapshot.id : null }
}

/** Takes back the questions about what the PR no longer is, or no longer lacks. */
export async function dropQuestions(run: PullRequestRun, snapshot: SnapshotFacts): Promise<void> {
  const isCurrent = ({ head, base }: { head: Sha; base: string }) =>
    head === snapshot.head.sha && base === snapshot.base.ref
  for (const asked of run.asked.filter(({ state }) => state === 'open')) {
    const reason = whyDropped(snapshot, asked)
    if (reason !== null)
      await (isCurrent(asked) && snapshot.state === 'open' ? unlessAnswered : takeBack)(run, asked, reason)
  }
  keepAsked(run, isCurrent)
  run.overrides = run.overrides.filter(isCurrent)
}

/** What somebody was told to count is used by the next look. */
async function unlessAnswered(run: PullRequestRun, asked: AskedApproval, reason: string): Promise<void> {
  if (run.unusedAnswers().includes(asked)) run.lookPending = true
  else await takeBack(run, asked, reason)
}

async function takeBack(run: PullRequestRun, asked: AskedApproval, reason: string): Promise<void> {
  asked.state = 'withdrawn'
  asked.question = null
  await run.questions.cancel(asked.key, reason).catch(unlessFailed)
}

function whyDropped(snapshot: SnapshotFacts, asked: AskedApproval): string | null {
  const { number, state, head, base, policy } = snapshot
  if (state !== 'open') return `#${number} is ${state}`
  if (head.sha !== asked.head) return `the head of #${number} is ${head.sha.slice(0, 12)} now`
  if (base.ref !== asked.base) return `#${number} goes into ${base.ref} now`
  if (asked.override) return policy.overrides === undefined ? 'the policy lets nobody override it any more' : null
  if (missingApprovals(snapshot).some(({ of }) => of === asked.of)) return null
  if (policy.askForApprovals === undefined || policy.mode === 'dry-run') return 'the policy asks nobody any more'
  return `#${number} has the approvals that it needs`
}

/** For a run that ends with its PR still open. */
export async function withdrawQuestions(run: PullRequestRun, reason: string): Promise<void> {
  if (run.asked.every(({ state }) => state !== 'open')) return
  await run.questions.cancelAll(reason).catch(unlessFailed)
}

/**
 * Rests as `run.rest` does; meanwhile reads its open questions again, more and more rarely. What is left is told from the
 * waits that have ended: the clock of a worker that has just begun may be that of an earlier task.
 */
export async function restAsking(run: PullRequestRun, milliseconds: Milliseconds): Promise<boolean> {
  const { timings } = run.input
  let left = milliseconds
  for (let pause = pauseBeforeReread(timings, null); ; pause = pauseBeforeReread(timings, pause)) {
    const open = run.asked.filter(({ state }) => state === 'open')
    if (open.length === 0 || left <= pause) return run.rest(left)
    if (await run.rest(pause)) return true
    left -= pause
    for (const { key, question } of open) await run.questions.ensure(key, question!).catch(unlessFailed)
    if (workflowInfo().continueAsNewSuggested) return true
  }
}
