import { pullRequestId } from '#contracts/ids'
import type { PullRequestStatus } from '#contracts/pull-request'
import type { Decision, Outcome, Rule } from '#domain/decision'
import { recordedHold, type Hold } from '#domain/hold'
import type { Instant, Phase, PullRequest, PullRequestState, Merged, Sha, Waiting } from '#domain/pull-request'
import { staleApprovals, verdicts } from '#domain/reviews'
import type { Connected, Installation } from '#installation/installation'
import type { RecordedDecision } from '#ledger/port'
import { readEndedRun, waitingAfterEnd } from './ended-run.ts'
import { viewPolicy, type PolicyView } from './policy-view.ts'
import { recordedStanding, type Standing } from './recorded-standing.ts'
import { isUnanswered, readPullRequestStatusIfAny } from './status.ts'

/** `pr create --json`. */
export type PullRequestReference = {
  repo: string
  number: number
  workflowId: string
  webUrl: string | null
  state: PullRequestState
  head: { ref: string; sha: string }
  base: { ref: string; sha: string }
}

type RuleView = Pick<Rule, 'rule' | 'outcome' | 'reason' | 'evidence'>
export type DecisionView = { outcome: Outcome; rules: RuleView[] }

/** `pr view --json`; `pr list --json` and `pr watch --once --json` are arrays of it. */
export type PullRequestView = PullRequestReference & {
  title: string
  author: string
  draft: boolean
  phase: Phase
  policy: PolicyView | null
  decision: DecisionView | null
  reviews: ReviewsView
  /** Who keeps it from landing. */
  hold: Hold | null
  waiting: Waiting | null
  merged: Merged | null
}

export type ReviewsView = {
  /** Of the head as it is now. */
  approvedBy: string[]
  /** Of an earlier head: these count no more. */
  staleApprovals: { by: string; head: Sha; at: Instant }[]
  /** Who asked for changes, and what lifts that; nobody else can. */
  changesRequestedBy: { by: string; commands: string[] }[]
}

export function referTo(pullRequest: PullRequest, connected: Connected | null): PullRequestReference {
  const { repo, number, state, head, base } = pullRequest
  const workflowId = pullRequestId(repo, number)
  return { repo, number, workflowId, webUrl: connected?.webUrl(workflowId) ?? null, state, head, base }
}

/** From the pipeline where it answers; otherwise from the forge and the newest decision in the ledger. */
export async function viewPullRequest(
  installation: Installation,
  connected: Connected | null,
  pullRequest: PullRequest,
): Promise<PullRequestView> {
  const { repo, number } = pullRequest
  const status = await readPullRequestStatusIfAny(connected, repo, number)
  const recorded = await newestDecision(installation, pullRequest)
  const decision = status?.decision ?? recorded
  const hold = status === null ? await holdOnRecord(installation, pullRequest) : (status.hold ?? null)
  const { phase, waiting } =
    (await ended(connected, pullRequest, status)) ?? (await standing(installation, pullRequest, status, recorded, hold))
  return {
    ...referTo(pullRequest, connected),
    title: pullRequest.title,
    author: pullRequest.author,
    draft: pullRequest.draft,
    phase,
    policy: await viewPolicy(installation, pullRequest, decision),
    decision: decision === null ? null : viewDecision(decision),
    reviews: viewReviews(installation, pullRequest),
    hold,
    waiting,
    merged: pullRequest.merged ?? status?.merged ?? null,
  }
}

function viewReviews({ config }: Installation, { repo, number, reviews, head, author }: PullRequest): ReviewsView {
  const { people } = config
  const { approvedBy, changesRequestedBy } = verdicts(reviews, head.sha, author, people)
  const command = (verb: string) => `switchyard pr ${verb} --repo ${repo}`
  return {
    approvedBy,
    staleApprovals: staleApprovals(reviews, head.sha, people),
    changesRequestedBy: changesRequestedBy.map((by) => ({
      by,
      commands: [command(`approve ${number}`), command(`request-changes ${number} --undo`)],
    })),
  }
}

export function viewDecision({ outcome, rules }: Decision): DecisionView {
  return { outcome, rules: rules.map(({ rule, outcome, reason, evidence }) => ({ rule, outcome, reason, evidence })) }
}

/** The newest decision about the head that the PR has now; an ended PR keeps its last one. */
async function newestDecision(installation: Installation, pullRequest: PullRequest): Promise<RecordedDecision | null> {
  const [newest] = await installation.ledger.decisions(pullRequest.repo, pullRequest.number)
  if (newest === undefined || pullRequest.state !== 'open') return newest ?? null
  const snapshot = await installation.ledger.snapshot(newest.snapshotId)
  return snapshot?.head.sha === pullRequest.head.sha ? newest : null
}

async function holdOnRecord({ ledger }: Installation, { repo, number, state }: PullRequest): Promise<Hold | null> {
  return state === 'open' ? recordedHold(await ledger.audit({ repo, number })) : null
}

/** A pipeline that failed or was terminated answers as before; whoever looks must see that nothing goes on. */
async function ended(
  connected: Connected | null,
  pullRequest: PullRequest,
  status: PullRequestStatus | null,
): Promise<Standing | null> {
  if (connected === null || status === null || pullRequest.state !== 'open') return null
  const run = await readEndedRun(connected, pullRequestId(pullRequest.repo, pullRequest.number)).catch(
    (error: unknown) => {
      if (isUnanswered(error)) return null
      throw error
    },
  )
  if (run === null || run.status === 'completed') return null
  return { phase: status.phase, waiting: waitingAfterEnd(run, pullRequest) }
}

/** The forge knows best that a PR ended; a pipeline may not have looked yet. */
async function standing(
  installation: Installation,
  pullRequest: PullRequest,
  status: PullRequestStatus | null,
  recorded: RecordedDecision | null,
  hold: Hold | null,
): Promise<Standing> {
  if (pullRequest.state === 'merged') return { phase: 'landed', waiting: null }
  if (pullRequest.state === 'closed') return { phase: 'closed', waiting: null }
  if (status !== null) return { phase: status.phase, waiting: status.waiting }
  return await recordedStanding(installation, pullRequest, recorded, hold)
}
