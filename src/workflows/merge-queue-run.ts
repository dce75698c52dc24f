import { getExternalWorkflowHandle, log } from '@temporalio/workflow'
import { headKey, pullRequestId } from '#contracts/ids'
import type { MergeQueueInput } from '#contracts/merge-queue'
import { report, type QueueReport } from '#contracts/pull-request'
import type { CheckResult } from '#domain/evidence'
import {
  attemptsOf,
  removeEntry,
  withAttempt,
  withPass,
  type Candidate,
  type MergeQueueState,
  type QueueEntry,
} from '#domain/merge-queue'
import type { PlannedCheck } from '#domain/policy'
import type { Merged, Sha } from '#domain/pull-request'
import type { EjectionKind } from '#domain/waiting'
import { queuePipelineActivities } from './proxies.ts'

/** The state of one queue: what handlers write, the pipeline reads, and continue-as-new carries. */
export class MergeQueueRun {
  readonly input: MergeQueueInput
  state: MergeQueueState
  shownPhase = ''
  /** The base on which the forge refused to land, for the base had moved. */
  refusedOn: Sha | null = null
  private telling = 0

  constructor(input: MergeQueueInput, state: MergeQueueState) {
    this.input = input
    this.state = state
  }

  isFront(entry: QueueEntry): boolean {
    const front = this.state.entries[0]
    return front?.number === entry.number && front.head === entry.head
  }

  /** What one check of the candidate at work said. Passes stay, so that only what did not run is tried again. */
  tested(entry: QueueEntry, check: PlannedCheck, result: CheckResult): void {
    switch (result.conclusion) {
      case 'passed':
        this.state = withPass(this.state, this.state.candidate!, check.name, result.id)
        return
      case 'failed':
      case 'timed-out':
        return this.eject(entry, 'tests', `${check.name} on the merge result: ${result.reason}`)
      default:
        if (attemptsOf(this.state, check.name) >= check.retries) {
          return this.eject(entry, 'infrastructure', `${check.name} could not run: ${result.reason}`)
        }
        this.state = withAttempt(this.state, check.name)
    }
  }

  landed(entry: QueueEntry, candidate: Candidate, merged: Merged): void {
    const { landed } = this.state
    this.state = {
      ...removeEntry(this.state, entry.number, entry.head),
      base: { sha: candidate.commit, tree: candidate.tree },
      landed: landed + 1,
    }
    this.tell(entry, { head: entry.head, outcome: 'landed', merged })
  }

  eject(entry: QueueEntry, kind: EjectionKind, reason: string): void {
    this.state = removeEntry(this.state, entry.number, entry.head)
    this.tell(entry, { head: entry.head, outcome: 'ejected', kind, reason })
  }

  /** Does not hold up the queue. A PR whose pipeline has ended is woken instead: it then looks for itself. */
  tell(entry: Pick<QueueEntry, 'number' | 'head'>, word: QueueReport): void {
    this.telling += 1
    void this.deliver(entry, word)
      .catch((error: unknown) => log.warn('a pull request could not be told', { reason: String(error) }))
      .finally(() => (this.telling -= 1))
  }

  told(): boolean {
    return this.telling === 0
  }

  private async deliver({ number, head }: Pick<QueueEntry, 'number' | 'head'>, word: QueueReport): Promise<void> {
    const { repo, branch, timings } = this.input
    try {
      await getExternalWorkflowHandle(pullRequestId(repo, number)).signal(report, { ...word, branch })
    } catch {
      const id = `queue:${headKey(number, head)}:${word.outcome}`
      if (word.outcome !== 'queued') await queuePipelineActivities(timings).wakePullRequest({ repo, number, id })
    }
  }
}
