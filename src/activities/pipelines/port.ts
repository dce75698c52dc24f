import type { ClarificationInput } from '#contracts/clarification'
import type { MergeQueueEntry } from '#contracts/merge-queue'
import type { ClarificationOutcome } from '#domain/clarification/state'

/** Who asks what, under which key; the question complete and checked. */
export type AskRequest = Pick<ClarificationInput, 'asker' | 'key' | 'question' | 'people'>

export type FailedPipeline = {
  number: number
  runId: string
  reason: string
  /** How many runs of it failed in the last 24 hours. */
  failures: number
}

/** Starts and signals pipelines from outside workflows. Every call is idempotent and may be repeated. */
export interface Pipelines {
  /** Starts `pr:<repo>#<n>` if it isn't open, and tells it to look. Answers the ids. */
  lookAtPullRequest(
    repo: string,
    number: number,
    hint: { id: string; kind: string },
  ): Promise<{ workflowId: string; runId: string }>
  /** Tells `pr:<repo>#<n>` to look if it is open; starts nothing. Answers whether it was. */
  remindPullRequest(repo: string, number: number, hint: { id: string; kind: string }): Promise<boolean>
  /** The PRs whose newest run failed or timed out; one that a person ended is not among them. */
  failedPullRequests(repo: string): Promise<FailedPipeline[]>
  /** Starts the base's queue if it isn't open, and adds the entry; the same PR and head again is one entry. */
  enqueue(entry: MergeQueueEntry): Promise<{ workflowId: string }>
  /** Starts `watch:<repo>` if it isn't open. */
  watchRepository(repo: string): Promise<{ workflowId: string }>
  /**
   * Asks. The same asker and key again is the same question, also after it ended: then its outcome is the answer, as is
   * that of a parked one; null where it waits for people. Ended by force, it counts as cancelled.
   */
  ask(request: AskRequest): Promise<{ workflowId: string; outcome: ClarificationOutcome | null }>
  /** What came of a question, as `ask` would answer it; asks nothing. null where nobody asked it, or it waits for people. */
  asked(
    request: Pick<AskRequest, 'asker' | 'key'>,
  ): Promise<{ workflowId: string; outcome: ClarificationOutcome | null }>
  /** The asker does not want to know any more. Answers the id, whether it was asked or not. */
  withdraw(request: Pick<AskRequest, 'asker' | 'key'> & { reason: string }): Promise<{ workflowId: string }>
  /** Whether a workflow of this id is open. */
  isOpen(workflowId: string): Promise<boolean>
}
