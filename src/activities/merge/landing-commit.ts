import { ApplicationFailure } from '@temporalio/activity'
import { landingMessage, runTrailer, squashAuthor } from '#domain/commit-message'
import { maskSecrets } from '#domain/mask'
import type { QueueEntry } from '#domain/merge-queue'
import type { MergeMethod, Policy } from '#domain/policy'
import type { Sha, Snapshot } from '#domain/pull-request'
import { never } from '#domain/result'
import { oneLine, plainText } from '#domain/text'
import { pullRequestId } from '#contracts/ids'
import type { Ledger } from '#ledger/port'
import type { GitRepository } from '../git/port.ts'

const committer = { name: 'Switchyard', email: 'switchyard@localhost' }

const MAX_REASON = 600
const MAX_PATHS = 10

/** The tip that the base would get: a commit of ours, the last one of a chain, or the head itself. */
type MadeCommit = { outcome: 'made'; commit: Sha; tree: Sha; method: MergeMethod }

/** `forbidden`: the paths that the policy of its decision lets no pull request change. */
export type LandingCommit = MadeCommit & { forbidden: string[] }

/** Why no candidate can be made of this head. Only a new head, another base or another method changes that. */
export type LandingRefusal =
  | { outcome: 'conflict'; paths: string[] }
  /** `empty`: nothing would change. `behind`: a fast-forward needs the base's tip in the head. */
  | { outcome: 'refused'; kind: 'conflict' | 'empty' | 'behind' | 'blocked'; reason: string }

type Landing = {
  git: GitRepository
  entry: QueueEntry
  branch: string
  base: { sha: Sha; tree: Sha }
  snapshot: Snapshot
  merge: Policy['merge']
}

/**
 * Makes what lands of an entry on this base, by the method that its policy names. Authors, messages and dates come from
 * the head, the snapshot and the entry, never from the clock: the same request is the same commit.
 */
export async function landingCommit(
  { ledger, git }: { ledger: Ledger; git: GitRepository },
  { entry, branch, base }: Pick<Landing, 'entry' | 'branch' | 'base'>,
): Promise<LandingCommit | LandingRefusal> {
  const [snapshot, policy] = await Promise.all([ledger.snapshot(entry.snapshotId), ledger.policy(entry.policyDigest)])
  if (snapshot === null || policy === null) {
    throw ApplicationFailure.nonRetryable(`#${entry.number}: snapshot or policy is not in the ledger`, 'NotFound')
  }
  const landing: Landing = { git, entry, branch, base, snapshot, merge: policy.merge }
  const made = await makeCommit(landing)
  return made.outcome === 'made' ? { ...made, forbidden: policy.checks.review.forbiddenPaths } : made
}

async function makeCommit(landing: Landing): Promise<MadeCommit | LandingRefusal> {
  const { method } = landing.merge
  switch (method) {
    case 'fast-forward':
      return fastForward(landing)
    case 'rebase':
      return rebase(landing)
    case 'squash':
    case 'merge':
      return oneCommit(landing, method)
    default:
      return never(method)
  }
}

/** The head itself: no commit of ours, so no trailer either. */
async function fastForward({ git, entry: { head }, branch, base }: Landing): Promise<MadeCommit | LandingRefusal> {
  if (!(await git.isAncestor(base.sha, head))) {
    if (await git.isAncestor(head, base.sha)) return empty(branch)
    return refused(
      'behind',
      `${branch} is at ${base.sha.slice(0, 12)}, which is not in its head, and a fast-forward adds no commit`,
    )
  }
  const tree = await git.treeOf(head)
  return tree === base.tree ? empty(branch) : { outcome: 'made', commit: head, tree, method: 'fast-forward' }
}

/**
 * Each commit of the head anew. What lands is what the PR shows, the merge of its head: where a merge among its commits
 * settled what none of them tells, the last one's tree would be another, and nothing is made.
 */
async function rebase(landing: Landing): Promise<MadeCommit | LandingRefusal> {
  const { git, entry, branch, base, snapshot } = landing
  const merged = await mergedTree(landing)
  if (merged.outcome !== 'clean') return merged
  const rebased = await git.rebase({
    onto: base.sha,
    head: entry.head,
    committer: { ...committer, at: entry.enqueuedAt },
    trailer: `${runTrailer}: ${pullRequestId(snapshot.repo, snapshot.number)}`,
  })
  switch (rebased.outcome) {
    case 'conflict': {
      const name = `${rebased.commit.slice(0, 12)} "${maskSecrets(rebased.subject)}"`
      return refused('conflict', `its commit ${name} conflicts with ${branch} in ${listed(rebased.paths)}`)
    }
    case 'too-many':
      return refused(
        'blocked',
        `it has more than ${rebased.limit} commits to rebase; merge.method squash or merge lands it`,
      )
    case 'rebased':
      if (rebased.tree === merged.tree) return { ...rebased, outcome: 'made', method: 'rebase' }
      return refused(
        'blocked',
        `its commits, one by one on ${branch}, give another result than its head merged: what a merge among them ` +
          `settled, or ${branch} has already, is lost that way; rebase the branch by hand, or land it with ` +
          'merge.method squash or merge',
      )
    default:
      return never(rebased)
  }
}

async function oneCommit(landing: Landing, method: 'merge' | 'squash'): Promise<MadeCommit | LandingRefusal> {
  const { git, entry, base, snapshot } = landing
  const [merged, message] = await Promise.all([mergedTree(landing), messageOf(landing)])
  if (merged.outcome !== 'clean') return merged
  const { commits } = snapshot
  const author = method === 'squash' ? (squashAuthor(commits) ?? committer) : committer
  const commit = await git.commitTree({
    tree: merged.tree,
    parents: method === 'squash' ? [base.sha] : [base.sha, entry.head],
    message,
    author: { ...author, at: commits.at(-1)?.at ?? entry.enqueuedAt },
    committer: { ...committer, at: entry.enqueuedAt },
  })
  return { outcome: 'made', commit, tree: merged.tree, method }
}

/** The tree that each method but fast-forward lands. A merge that changes nothing is refused, whatever the head has. */
async function mergedTree({
  git,
  entry,
  branch,
  base,
}: Landing): Promise<{ outcome: 'clean'; tree: Sha } | LandingRefusal> {
  const merged = await git.mergeTree(base.sha, entry.head)
  return merged.outcome === 'clean' && merged.tree === base.tree ? empty(branch) : merged
}

async function messageOf({ git, snapshot, merge }: Landing): Promise<string> {
  const { repo, number, title, body, author, head, base, mergeBase, commits } = snapshot
  const { method, message: template } = merge
  const messages = method === 'squash' ? await git.messages(mergeBase, head.sha) : new Map<Sha, string>()
  const textOf = (sha: Sha) => plainText(messages.get(sha) ?? '', { multiline: true })
  return landingMessage({
    ...{ method, template, number, title, body, author, headRef: head.ref, baseRef: base.ref },
    // Policies of 0.1.0 have none.
    cutMarks: merge.cutMarks ?? [],
    commits: commits.map((commit) => ({ ...commit, message: textOf(commit.sha) })),
    workflowId: pullRequestId(repo, number),
  })
}

function empty(branch: string): LandingRefusal {
  return refused('empty', `its changes are in ${branch} already`)
}

function refused(kind: Extract<LandingRefusal, { outcome: 'refused' }>['kind'], reason: string): LandingRefusal {
  return { outcome: 'refused', kind, reason: oneLine(reason, MAX_REASON) }
}

function listed(paths: string[]): string {
  return maskSecrets(paths.slice(0, MAX_PATHS).join(', ')) || 'unknown paths'
}
