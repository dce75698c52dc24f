import { ApplicationFailure } from '@temporalio/activity'
import { landingMessage } from '#domain/commit-message'
import type { QueueEntry } from '#domain/merge-queue'
import type { MergeMethod } from '#domain/policy'
import type { Sha, Snapshot } from '#domain/pull-request'
import { pullRequestId } from '#contracts/ids'
import type { Ledger } from '#ledger/port'
import type { CommitInput } from '../git/port.ts'

const committer = { name: 'Switchyard', email: 'switchyard@localhost' }

/** Author, message and dates come from the snapshot and the entry, never from the clock. */
export async function landingCommit(
  ledger: Ledger,
  entry: QueueEntry,
  base: Sha,
  tree: Sha,
): Promise<CommitInput & { method: MergeMethod }> {
  const [snapshot, policy] = await Promise.all([ledger.snapshot(entry.snapshotId), ledger.policy(entry.policyDigest)])
  if (snapshot === null || policy === null) {
    throw ApplicationFailure.nonRetryable(`#${entry.number}: snapshot or policy is not in the ledger`, 'NotFound')
  }
  const { method, message } = policy.merge
  const last = snapshot.commits.at(-1)
  const author = method === 'squash' ? (snapshot.commits[0]?.author ?? committer) : committer
  return {
    method,
    tree,
    parents: method === 'squash' ? [base] : [base, entry.head],
    message: landingMessage({ ...messageFacts(snapshot), method, template: message }),
    author: { ...author, at: last?.at ?? entry.enqueuedAt },
    committer: { ...committer, at: entry.enqueuedAt },
  }
}

function messageFacts(snapshot: Snapshot) {
  const { repo, number, title, body, author, commits } = snapshot
  return {
    number,
    title,
    body,
    author,
    commits,
    headRef: snapshot.head.ref,
    baseRef: snapshot.base.ref,
    workflowId: pullRequestId(repo, number),
  }
}
