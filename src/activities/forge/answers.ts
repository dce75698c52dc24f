import type { ChangeToApprove } from '#domain/approval-question'
import type { Answer } from '#domain/clarification/state'
import { maskSecrets } from '#domain/mask'
import type { Override } from '#domain/override'
import { identityOf, type KnownPerson } from '#domain/people'
import type { Instant, Review, Sha } from '#domain/pull-request'
import type { Ledger } from '#ledger/port'
import type { GitRepository } from '../git/port.ts'
import type { Forge } from './port.ts'

type AnswerTools = {
  forge: Forge
  ledger: Ledger
  repository: (repo: string) => GitRepository
  people: KnownPerson[]
}

type PullRequestName = { repo: string; number: number }

/** What people answered to a question about approving `head` into `base`. `key`: of the question in its PR. */
export type AnswersToSubmit = PullRequestName & {
  key: string
  head: Sha
  base: string
  snapshotId: string | null
  answers: Pick<Answer, 'by' | 'value' | 'comment' | 'at'>[]
}

/** `key`: of the question in its PR. */
export type OverrideToRecord = PullRequestName & Override & { key: string; snapshotId: string | null }

/** Paths, and authors of commits: at most so many go through a history. */
const MAX_PATHS = 10
const MAX_AUTHORS = 50

const states = new Map<string, Review['state']>([
  ['approve', 'approved'],
  ['reject', 'changes-requested'],
])

export function createAnswerActivities(tools: AnswerTools) {
  return {
    /** For those who are asked about a change: how big it is, and whose. */
    describeChange: (request: PullRequestName & { snapshotId: string }) => describeChange(tools, request),
    /** Makes reviews of what people answered, each once however often it is repeated. Answers how many count. */
    submitAnswers: (request: AnswersToSubmit) => submitAnswers(tools, request),
    /** Tells the audit trail what people let pass, once however often it is repeated. */
    recordOverride: (request: OverrideToRecord) => recordOverride(tools, request),
  }
}

async function describeChange(
  { ledger, repository }: AnswerTools,
  { repo, snapshotId }: PullRequestName & { snapshotId: string },
): Promise<ChangeToApprove> {
  const snapshot = await ledger.snapshot(snapshotId)
  if (snapshot === null) return { lines: 0, paths: [], authors: [] }
  const { mergeBase, head, changedPaths, commits } = snapshot
  const authors = [...new Set(commits.map(({ author }) => author.email))].slice(0, MAX_AUTHORS)
  const paths = changedPaths.slice(0, MAX_PATHS).map((path) => maskSecrets(path))
  return { lines: await repository(repo).changedLines(mergeBase, head.sha), paths, authors }
}

/** A PR that has another head or base by now, or has ended, was not what they answered about. */
async function submitAnswers(
  { forge, people }: AnswerTools,
  { repo, number, key, head, base, snapshotId, answers }: AnswersToSubmit,
): Promise<number> {
  const pullRequest = await forge.getPullRequest(repo, number)
  if (pullRequest === null || pullRequest.state !== 'open') return 0
  if (pullRequest.head.sha !== head || pullRequest.base.ref !== base) return 0
  const author = identityOf(pullRequest.author, people)
  const given = answers.filter(({ by, value }) => states.has(value) && identityOf(by, people) !== author)
  let counted = 0
  for (const { by, value, comment, at } of given) {
    const review = { author: by, state: states.get(value)!, head, body: maskSecrets(comment) || `Answered: ${value}` }
    if (saidOtherwiseSince(pullRequest.reviews, review, at, people)) continue
    await forge.submitReview(repo, number, review, snapshotId, `${key}:${by}:${value}`)
    counted += 1
  }
  return counted
}

/** Their newest word counts, and a review is as new as the moment that it is submitted. Our own earlier effect is none. */
function saidOtherwiseSince(reviews: Review[], given: Omit<Review, 'at'>, at: Instant, people: KnownPerson[]): boolean {
  const who = identityOf(given.author, people)
  const later = reviews.filter(
    ({ author, state, at: since }) =>
      state !== 'commented' && Date.parse(since) > Date.parse(at) && identityOf(author, people) === who,
  )
  return later.some(({ state, head, body }) => state !== given.state || head !== given.head || body !== given.body)
}

async function recordOverride(
  { ledger }: AnswerTools,
  { repo, number, key, snapshotId, head, base, rules, by, reason, at }: OverrideToRecord,
): Promise<void> {
  await ledger.appendAudit({
    key: `overridden:${repo}#${number}:${key}`,
    ...{ at, actor: by.join(', '), action: 'pr.overridden', repo, number, snapshotId },
    details: { rules: rules.join(', '), head, base, reason },
  })
}
