import { commandText, holdReason, type CommandAct, type GivenCommand } from '#domain/comment-command'
import type { Hold } from '#domain/hold'
import type { Instant, Sha, SnapshotFacts } from '#domain/pull-request'
import { never } from '#domain/result'
import type { PullRequestRun } from './pull-request-run.ts'

/** Why what a person asks can't be done; null where it was done. */
type Refusal = string | null

/** Carries out one command of a comment, or refuses it; either is told by `run.acts`. */
export function performCommand(run: PullRequestRun, now: SnapshotFacts, given: GivenCommand, index: number): void {
  const { comment, by, command } = given
  const before = run.hold
  const refusal = given.refusal ?? (now.state === 'open' ? perform(run, now, given) : `#${now.number} is ${now.state}`)
  run.acts.push({
    key: `comment:${comment}:${index}`,
    ...{ comment, by, command: commandText(command), head: now.head.sha, snapshotId: now.id, refusal },
    ...changeOfHold(before, run.hold),
  })
}

/** Tells of an update that set or lifted a hold: what holds a PR must outlive its run. */
export function recordUpdate(
  run: PullRequestRun,
  { id, command, by, before }: { id: string; command: string; by: string; before: Hold | null },
): void {
  if (run.hold === before) return
  run.acts.push({
    key: `update:${id}`,
    ...{ comment: null, by, command, head: run.headSeen?.sha ?? null, snapshotId: run.snapshot?.id ?? null },
    refusal: null,
    ...changeOfHold(before, run.hold),
  })
}

function changeOfHold(before: Hold | null, after: Hold | null): Pick<CommandAct, 'at' | 'hold' | 'reason'> {
  const at = new Date().toISOString()
  if (before === after) return { at, hold: null, reason: '' }
  return after === null ? { at, hold: 'lifted', reason: '' } : { at, hold: 'set', reason: after.reason }
}

function perform(run: PullRequestRun, now: SnapshotFacts, given: GivenCommand): Refusal {
  const { head, base, number } = now
  const { by, at, command } = given
  switch (command.name) {
    case 'merge': {
      const refusal = whyNotMerged(now)
      if (refusal !== null) return refusal
      const since = run.headSeen?.since ?? null
      if (command.head !== null && !head.sha.startsWith(command.head)) {
        return `the head of #${number} is ${head.sha}, not ${command.head}`
      }
      if (command.head === null && since !== null && isBefore(at, since)) {
        return `the head of #${number} has become ${head.sha} since; look at it, and say \`merge ${head.sha.slice(0, 12)}\``
      }
      askToMerge(run, by, { head: head.sha, base: base.ref })
      return null
    }
    case 'hold':
      return askToHold(run, { by, ...command })
    case 'retry':
      return askToRetry(run)
    case 'review':
      return askToReview(run)
    case 'unknown':
      return command.problem
    default:
      return never(command)
  }
}

/** Whoever asked would wait for what never comes. */
export function whyNotMerged({ number, base, policy }: SnapshotFacts): Refusal {
  if (policy.mode !== 'dry-run') return null
  return `#${number} can't land: .switchyard.yaml on ${base.ref} says mode: dry-run; it lands when that says mode: live`
}

export function askToMerge(run: PullRequestRun, by: string, seen: { head: Sha; base: string }): void {
  run.mergeRequest = { by, ...seen }
  run.ejected = null
  run.hold = null
}

/** It may come too late: what the queue is landing at that moment lands. */
export function askToHold(
  run: PullRequestRun,
  { by, reason = '', cancel = false }: { by: string; reason?: string; cancel?: boolean },
): Refusal {
  if (cancel) {
    run.hold = null
    return null
  }
  run.hold = { by, since: new Date().toISOString(), reason: holdReason(reason) }
  return null
}

export function askToReview(run: PullRequestRun): Refusal {
  const refusal = whyNotReviewed(run)
  if (refusal === null) run.rerun = true
  return refusal
}

/** What the queue ejected enters it again, for whoever had asked that it lands. */
function askToRetry(run: PullRequestRun): Refusal {
  const refusal = askToReview(run)
  if (refusal !== null || run.ejected === null) return refusal
  const { by, head } = run.ejected
  if (by) run.mergeRequest = { by, head }
  run.ejected = null
  return null
}

export function whyNotReviewed(run: PullRequestRun): Refusal {
  if (!run.inQueue()) return null
  return `#${run.input.number} is in the merge queue, its checks passed; close it or push to it to take it out`
}

function isBefore(a: Instant, b: Instant): boolean {
  return Date.parse(a) < Date.parse(b)
}
