/**
 * The merge queue of one base branch, for ever:
 *  1. takes entries, in order, each PR and head once
 *  2. builds the candidate of the entry at the front on the base of the moment
 *  3. tests its tree by every check of it, but for those that it already passed
 *  4. lands it by compare-and-swap, or ejects it with the reason; a landing builds the next candidate in the same step
 */
import {
  ActivityFailure,
  CancellationScope,
  allHandlersFinished,
  condition,
  continueAsNew,
  isCancellation,
  log,
  patched,
  rootCause,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow'
import { enqueue, leave, mergeQueueStatus, type MergeQueueInput } from '#contracts/merge-queue'
import { searchAttributePairs } from '#contracts/search-attributes'
import type { CheckResult, Subject } from '#domain/evidence'
import {
  carriedQueue,
  emptyQueue,
  enqueueEntry,
  entryBehind,
  hasAttempts,
  nextQueueStep,
  removeEntry,
  withCandidate,
} from '#domain/merge-queue'
import type { Candidate, QueueEntry, QueueStep } from '#domain/merge-queue'
import { describeQueue, renderQueue, type QueueView } from '#domain/merge-queue-view'
import type { PlannedCheck } from '#domain/policy'
import type { Sha } from '#domain/pull-request'
import { never } from '#domain/result'
import { oneLine } from '#domain/text'
import { orInfrastructure } from './checks.ts'
import { mergeActivities, testActivities } from './proxies.ts'
import { MergeQueueRun } from './merge-queue-run.ts'
import { readEntry, readLeave } from './merge-queue-words.ts'

const MAX_REASON = 300

export async function mergeQueue(input: MergeQueueInput): Promise<never> {
  const run = new MergeQueueRun(input, input.carried ? carriedQueue(input.carried) : emptyQueue())
  handleMessages(run)
  for (;;) {
    const step = nextQueueStep(run.state)
    show(run, step)
    switch (step.kind) {
      case 'wait':
        await condition(() => nextQueueStep(run.state).kind !== 'wait' || workflowInfo().continueAsNewSuggested)
        break
      case 'build':
        await build(run, step.entry)
        break
      case 'test':
        await test(run, step.entry, step.candidate, step.checks)
        break
      case 'land':
        await land(run, step.entry, step.candidate)
        break
      default:
        return never(step)
    }
    if (workflowInfo().continueAsNewSuggested) await handOver(run)
  }
}

function handleMessages(run: MergeQueueRun): void {
  setHandler(
    enqueue,
    (word) => {
      const read = readEntry(word)
      if (read === null) return log.warn('what is no entry was dropped')
      const { repo: _repo, branch: _branch, ...entry } = read
      const { state, position } = enqueueEntry(run.state, entry)
      run.state = state
      run.tell(entry, { head: entry.head, outcome: 'queued', position })
    },
    { description: 'Add a pull request' },
  )
  setHandler(
    leave,
    (word) => {
      const read = readLeave(word)
      if (read !== null) run.state = removeEntry(run.state, read.number, read.head)
    },
    { description: 'Take a pull request out' },
  )
  setHandler(mergeQueueStatus, () => view(run), { description: 'Entries in order' })
}

async function build(run: MergeQueueRun, entry: QueueEntry): Promise<void> {
  const { repo, branch, timings } = run.input
  const result = await orEject(run, entry, () =>
    mergeActivities(timings).buildCandidate({ repo, branch, entry, knownBase: run.state.base }),
  )
  if (result === null || !run.isFront(entry)) return
  switch (result.outcome) {
    case 'built':
      run.state = { ...run.state, candidate: result.candidate, base: result.base }
      return pauseOnUnchanged(run, entry, result.base.sha)
    case 'conflict':
      return run.eject(entry, 'conflict', `conflicts with ${branch} in ${result.paths.slice(0, 10).join(', ')}`)
    case 'refused':
      return run.eject(entry, result.kind, result.reason)
    case 'no-base':
      return run.eject(entry, 'blocked', `there is no branch ${branch}`)
    default:
      return never(result)
  }
}

/** A forge may say that a base moved that is where it was: without a pause the queue would ask as fast as it can. */
async function pauseOnUnchanged(run: MergeQueueRun, entry: QueueEntry, base: Sha): Promise<void> {
  if (base !== run.refusedOn || !patched('pause-on-an-unchanged-base')) return
  await condition(() => !run.isFront(entry), run.input.timings.infrastructureRetry)
}

/** What no attempt can mend is about this entry: the queue goes on without it. */
async function orEject<T>(run: MergeQueueRun, entry: QueueEntry, act: () => Promise<T>): Promise<T | null> {
  try {
    return await act()
  } catch (error) {
    if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error
    run.eject(entry, 'infrastructure', oneLine(rootCause(error) ?? error.message, MAX_REASON))
    return null
  }
}

/**
 * Runs what the candidate has not passed yet, all at once; each pass is kept as it comes. An entry that leaves meanwhile,
 * or is ejected for the first check that fails, takes its running checks with it.
 */
async function test(
  run: MergeQueueRun,
  entry: QueueEntry,
  candidate: Candidate,
  checks: PlannedCheck[],
): Promise<void> {
  const { timings } = run.input
  run.tell(entry, { head: entry.head, outcome: 'testing', candidate: candidate.commit })
  const isCurrent = () => run.state.candidate?.commit === candidate.commit
  const scope = new CancellationScope()
  let finished = false
  const running = Promise.all(
    checks.map(async (check) => {
      const result = await scope.run(() => testOnce(run, entry, candidate, check))
      // Outside of the scope: what it tells the pull request must not be cancelled with the other checks.
      if (isCurrent()) run.tested(entry, check, result)
    }),
  ).finally(() => (finished = true))
  running.catch(() => undefined)
  await condition(() => finished || !run.isFront(entry))
  const stopped = !finished
  if (stopped) scope.cancel()
  try {
    await running
    if (isCurrent() && hasAttempts(run.state)) await condition(() => !run.isFront(entry), timings.infrastructureRetry)
  } catch (error) {
    // The entry may be at the front again by now: then it is built and tested anew.
    if (!isCancellation(error) || !stopped) throw error
  }
}

function testOnce(
  run: MergeQueueRun,
  { number, policyDigest, evidenceMaxAge }: QueueEntry,
  { commit, tree, base }: Candidate,
  check: PlannedCheck,
): Promise<CheckResult> {
  const { repo, timings } = run.input
  const subject: Subject = { kind: 'tree', tree }
  const request = { repo, number, check, subject, policyDigest, evidenceMaxAge, commit, base }
  return orInfrastructure(check, subject, () => testActivities(timings, check).runTests(request))
}

async function land(run: MergeQueueRun, entry: QueueEntry, candidate: Candidate): Promise<void> {
  const { repo, branch, timings } = run.input
  const result = await orEject(run, entry, () =>
    mergeActivities(timings).landCandidate({ repo, branch, entry, candidate, next: entryBehind(run.state) }),
  )
  if (result === null) return
  if (result.outcome === 'landed') {
    run.landed(entry, candidate, result.merged)
    run.state = withCandidate(run.state, result.next?.candidate ?? null)
    return
  }
  switch (result.reason) {
    case 'base-moved':
      run.refusedOn = candidate.base
      run.state = { ...run.state, candidate: null }
      return
    case 'head-moved':
    case 'retargeted':
      return run.eject(entry, 'moved', result.detail)
    case 'closed':
    case 'already-merged':
      return run.eject(entry, 'closed', result.detail)
    case 'conflict':
    case 'blocked':
      return run.eject(entry, result.reason, result.detail)
    default:
      return never(result.reason)
  }
}

function show(run: MergeQueueRun, step: QueueStep): void {
  const phase = step.kind === 'test' ? 'testing' : step.kind === 'wait' ? 'waiting' : 'landing'
  if (phase !== run.shownPhase) {
    run.shownPhase = phase
    upsertSearchAttributes(searchAttributePairs({ Phase: phase, WaitingOn: step.kind === 'wait' ? step.for : null }))
  }
  setCurrentDetails(renderQueue(view(run)))
}

function view(run: MergeQueueRun): QueueView {
  return describeQueue(run.input, run.state, new Date().toISOString())
}

async function handOver(run: MergeQueueRun): Promise<never> {
  await condition(() => allHandlersFinished() && run.told())
  return continueAsNew<typeof mergeQueue>({ ...run.input, carried: run.state })
}
