import type { Timings } from '#contracts/timings'
import { treeChecks } from '#domain/check-subjects'
import type { Decision } from '#domain/decision'
import type { QueueEntry } from '#domain/merge-queue'
import type { SnapshotFacts } from '#domain/pull-request'

export type PlainInput = { repo: string; number: number; timings: Timings; workflowId: string }

/** As the pipeline enters it. */
export function queueEntryOf(snapshot: SnapshotFacts, decision: Decision): QueueEntry {
  const { number, head, title, policy } = snapshot
  return {
    ...{ number, head: head.sha, title, snapshotId: snapshot.id, policyDigest: policy.digest },
    checks: treeChecks(policy.checks),
    ...{ evidenceMaxAge: policy.evidenceMaxAge, enqueuedAt: decision.decidedAt, enqueuedBy: snapshot.author },
  }
}
