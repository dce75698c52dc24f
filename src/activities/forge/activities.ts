import { createHash } from 'node:crypto'
import { ApplicationFailure } from '@temporalio/activity'
import { commentKey, timeOf, withTime } from '#domain/comment'
import type { Decision } from '#domain/decision'
import { recordedHold } from '#domain/hold'
import { isolationWarning, type Isolation } from '#domain/isolation'
import { maskSecrets } from '#domain/mask'
import { knownPerson } from '#domain/contact'
import { isPerson, type KnownPerson } from '#domain/people'
import type { Instant, PullRequest, Sha, Snapshot, SnapshotFacts } from '#domain/pull-request'
import { asksForLines, policyFactsOf } from '#domain/rules/facts'
import type { Ledger } from '#ledger/port'
import type { GitRepository } from '../git/port.ts'
import type { PolicyReader } from '../policy/port.ts'
import { createAnswerActivities } from './answers.ts'
import { createCommandActivities } from './commands.ts'
import type { Forge, NamedCheck } from './port.ts'
import { recall, type Recalled } from './recall.ts'

/** The name of the check that carries the decision on the forge. */
const CHECK_NAME = 'switchyard'
const MAX_CONFLICTS = 10

/** A merge preview is no one's work and nobody sees it: one identity, the head's own date. */
const preview = { name: 'Switchyard', email: 'switchyard@localhost' }

export type ForgeTools = {
  forge: Forge
  ledger: Ledger
  repository: (repo: string) => GitRepository
  policies: PolicyReader
  /** What isolation the workers of this installation give. */
  isolation: Isolation
  people: KnownPerson[]
}

/** `recall`: also what an earlier run of the pipeline was told and did not finish. */
export type SnapshotRequest = { repo: string; number: number; recall?: boolean }

/** What a pipeline sees when it looks. */
export type Look = SnapshotFacts & { recalled?: Recalled }

export type ForgeActivities = ReturnType<typeof createForgeActivities>

export type Publication = {
  repo: string
  number: number
  workflowId: string
  head: Sha
  comment: string
  /** Workflow time of these words; pipelines of 0.1.0 do not say. */
  at?: Instant
  check: Omit<NamedCheck, 'name' | 'detailsUrl'>
  decision: Decision | null
  /** A dry run: the record is told, the forge is not. */
  silent?: boolean
  /** That the queue ejected this head, and why. */
  ejected?: { head: Sha; reason: string; at: Instant; kind?: string | undefined } | null
}

export function createForgeActivities(tools: ForgeTools) {
  return {
    /** The facts of this moment, frozen in the ledger. Taking them again when nothing changed gives the same id. */
    async takeSnapshot(request: SnapshotRequest): Promise<Look> {
      const facts = await takeSnapshot(tools, request)
      if (!request.recall) return facts
      const entries = await tools.ledger.audit({ repo: request.repo, number: request.number })
      return { ...facts, hold: recordedHold(entries), recalled: recall(entries, facts) }
    },
    ...createCommandActivities(tools),
    ...createAnswerActivities(tools),
    /** Records the decision, edits the one comment, sets the named check. Each may be repeated. */
    publishDecision: (publication: Publication) => publishDecision(tools, publication),

    /** What was decided last, for a pipeline that starts when its PR has already ended. */
    async lastDecision({ repo, number }: { repo: string; number: number }): Promise<Decision | null> {
      const [recorded] = await tools.ledger.decisions(repo, number)
      if (recorded === undefined) return null
      const { repo: _repo, number: _number, workflowId: _workflowId, ...decision } = recorded
      return decision
    },

    /** Deletes the head branch if it still is at the landed SHA. */
    async deleteHeadBranch({
      repo,
      branch,
      expected,
    }: {
      repo: string
      branch: string
      expected: Sha
    }): Promise<string> {
      return tools.forge.deleteBranch(repo, branch, expected)
    },
  }
}

async function takeSnapshot(
  { forge, ledger, policies, repository, isolation, people }: ForgeTools,
  { repo, number }: { repo: string; number: number },
): Promise<SnapshotFacts> {
  const pullRequest = await forge.getPullRequest(repo, number)
  if (pullRequest === null) {
    throw ApplicationFailure.nonRetryable(`${repo} has no pull request #${number}`, 'NotFound')
  }
  const { policy, facts } = await policies.read(repo, pullRequest.base.ref, pullRequest.base.sha)
  await ledger.savePolicy(repo, facts.digest, policy)
  const git = repository(repo)
  const snapshot = await freeze(git, pullRequest, facts.digest, people)
  await ledger.saveSnapshot(snapshot)
  const { head, mergeBase, mergeResult } = snapshot
  const [lines, proposed] = await Promise.all([
    asksForLines(policy) ? git.changedLines(mergeBase, head.sha) : null,
    policies.proposed(repo, snapshot.changedPaths, mergeResult?.commit ?? head.sha),
  ])
  const asked = policyFactsOf(policy, snapshot, { people, lines, proposed, tools: policies.ruleTools })
  const { body: _body, labels: _labels, reviews: _reviews, people: _people, policyDigest: _digest, ...rest } = snapshot
  const { commits, changedPaths, ...small } = rest
  return {
    ...small,
    ...asked,
    title: maskSecrets(snapshot.title),
    bodyDigest: createHash('sha256').update(`${snapshot.title}\n${snapshot.body}`).digest('hex'),
    conflicts: snapshot.conflicts.slice(0, MAX_CONFLICTS).map((path) => maskSecrets(path)),
    commitCount: commits.length,
    pathCount: changedPaths.length,
    merged: pullRequest.merged,
    newestComment: pullRequest.newestComment,
    isolationWarning: isolationWarning(isolation, policy),
    policy: facts,
  }
}

async function publishDecision({ forge, ledger }: ForgeTools, publication: Publication): Promise<void> {
  const { repo, number, workflowId, head, decision } = publication
  if (decision) {
    await ledger.saveDecision({ ...decision, repo, number, workflowId })
    await ledger.appendAudit({
      key: `decided:${workflowId}:${decision.snapshotId}:${decision.policyDigest}:${decision.decidedAt}`,
      at: decision.decidedAt,
      actor: 'switchyard',
      action: 'pr.decided',
      repo,
      number,
      snapshotId: decision.snapshotId,
      details: { outcome: decision.outcome, head },
    })
  }
  if (publication.ejected) {
    await ledger.appendAudit({
      ...{ repo, number, actor: 'switchyard', action: 'pr.ejected', at: publication.ejected.at },
      key: `ejected:${workflowId}:${publication.ejected.head}:${publication.ejected.at}`,
      snapshotId: decision?.snapshotId ?? null,
      details: {
        head: publication.ejected.head,
        reason: publication.ejected.reason,
        kind: publication.ejected.kind ?? null,
        // Said first when it was ejected: what is published of it later is not recorded.
        policy: decision?.policyDigest ?? null,
      },
    })
  }
  if (publication.silent || (await isOvertaken(forge, publication))) return
  await forge.upsertComment(repo, number, commentKey, withTime(publication.comment, publication.at))
  // A check holds no time of its own: looked at again, for this attempt may have stood still meanwhile.
  if (await isOvertaken(forge, publication)) return
  await forge.setCheck(repo, head, { ...publication.check, name: CHECK_NAME, detailsUrl: null })
}

/** An attempt that timed out may go on once the pipeline has said something later, which its words must not cover. */
async function isOvertaken(forge: Forge, { repo, number, at }: Publication): Promise<boolean> {
  const comments = at === undefined ? [] : await forge.listComments(repo, number)
  const said = timeOf(comments.find(({ key }) => key === commentKey)?.body ?? '')
  return at !== undefined && said !== null && said > at
}

async function freeze(
  git: GitRepository,
  pullRequest: PullRequest,
  policyDigest: string,
  people: KnownPerson[],
): Promise<Snapshot> {
  const { head, base } = pullRequest
  const mergeBase = (await git.mergeBase(base.sha, head.sha)) ?? base.sha
  const [commits, changedPaths, merge] = await Promise.all([
    git.commits(mergeBase, head.sha),
    git.changedPaths(mergeBase, head.sha),
    pullRequest.state === 'open' && pullRequest.mergeable !== 'unknown' ? git.mergeTree(base.sha, head.sha) : null,
  ])
  const at = commits.at(-1)?.at ?? pullRequest.createdAt
  const mergeResult =
    merge?.outcome === 'clean'
      ? {
          tree: merge.tree,
          commit: await git.commitTree({
            tree: merge.tree,
            parents: [base.sha, head.sha],
            message: `Merge ${head.sha} into ${base.sha}\n`,
            author: { ...preview, at },
            committer: { ...preview, at },
          }),
        }
      : null
  // With merges of the base in its history, what lands differs from what the head changed since its merge base.
  const landingPaths = mergeResult ? await git.changedPaths(base.sha, mergeResult.commit) : []
  const content = {
    repo: pullRequest.repo,
    number: pullRequest.number,
    title: pullRequest.title,
    body: pullRequest.body,
    author: pullRequest.author,
    state: pullRequest.state,
    draft: pullRequest.draft,
    labels: pullRequest.labels,
    head,
    base,
    mergeBase,
    commits,
    changedPaths: [...new Set([...changedPaths, ...landingPaths])],
    mergeable: merge === null ? pullRequest.mergeable : merge.outcome,
    conflicts: merge?.outcome === 'conflict' ? merge.paths : [],
    mergeResult,
    reviews: pullRequest.reviews,
    policyDigest,
    ...peopleIn(pullRequest, people),
  } satisfies Omit<Snapshot, 'id' | 'takenAt'>
  const id = createHash('sha256').update(JSON.stringify(content)).digest('hex')
  return { id, ...content, takenAt: new Date().toISOString() }
}

/** Who is in a group decides, so that it is a fact of the snapshot. */
function peopleIn({ author, reviews }: PullRequest, people: KnownPerson[]): Pick<Snapshot, 'people'> {
  const actors = [author, ...reviews.map((review) => review.author)]
  const known = people.filter((person) => actors.some((actor) => isPerson(person, actor)))
  return known.length > 0 ? { people: known.map(knownPerson) } : {}
}
