import { createHash } from 'node:crypto'
import type { MergeQueueEntry } from '#contracts/merge-queue'
import { knownPerson } from '#domain/contact'
import type { KnownPerson } from '#domain/people'
import type { PullRequest } from '#domain/pull-request'
import type { Ledger } from '#ledger/port'
import type { Forge } from '../forge/port.ts'
import type { PolicyReader } from '../policy/port.ts'
import type { FailedPipeline, Pipelines } from './port.ts'

export type PipelineTools = {
  forge: Forge
  pipelines: Pipelines
  ledger: Ledger
  policies: PolicyReader
  people: KnownPerson[]
}

export type PipelineActivities = ReturnType<typeof createPipelineActivities>

export type SweepOutcome = { seen: Record<number, string>; looked: number }

/** A pipeline that fails again and again is left to a person: what fails it is not mended by another try. */
const MAX_FAILURES = 3

/** Signals under way at once in a sweep. */
const CONCURRENCY = 10

/** What workflows can't do themselves: start another pipeline that may not be there, and signal it. */
export function createPipelineActivities(tools: PipelineTools) {
  const { pipelines } = tools
  return {
    async enqueuePullRequest(entry: MergeQueueEntry): Promise<void> {
      await pipelines.enqueue(entry)
    },

    /** Wakes the pipeline of a PR that could not be signalled, because it had ended. */
    async wakePullRequest({ repo, number, id }: { repo: string; number: number; id: string }): Promise<void> {
      await pipelines.lookAtPullRequest(repo, number, { id, kind: 'queue' })
    },

    /** Starts what a lost hint should have started: every PR that differs from what the last sweep saw. */
    sweepForge: (request: { repo: string; seen: Record<number, string> }) => sweepForge(tools, request),
  }
}

async function sweepForge(
  { forge, pipelines, ledger, policies, people }: PipelineTools,
  { repo, seen }: { repo: string; seen: Record<number, string> },
): Promise<SweepOutcome> {
  const open = await forge.listPullRequests(repo, { state: 'open' })
  const digests = await policyDigests(policies, repo, open)
  const groups = people.length > 0 ? JSON.stringify(people.map(knownPerson)) : ''
  const now: Record<number, string> = {}
  for (const pullRequest of open) {
    const [decision] = await ledger.decisions(repo, pullRequest.number)
    const blocked = decision?.rules.some((rule) => rule.rule === 'no-conflicts' && rule.outcome !== 'pass') ?? false
    now[pullRequest.number] = fingerprint(pullRequest, `${digests.get(pullRequest.base.ref)!}${groups}`, blocked)
  }
  const changed = open.map(({ number }) => number).filter((number) => now[number] !== seen[number])
  const ended = Object.keys(seen)
    .map(Number)
    .filter((number) => now[number] === undefined)
  await inParallel(changed, async (number) => {
    await pipelines.lookAtPullRequest(repo, number, { id: `sweep:${now[number]}`, kind: 'sweep' })
  })
  await inParallel(ended, async (number) => {
    await pipelines.remindPullRequest(repo, number, { id: 'sweep:ended', kind: 'sweep' })
  })
  const failed = (await pipelines.failedPullRequests(repo)).filter(({ number }) => now[number] !== undefined)
  await inParallel(failed, (each) => startAgain({ pipelines, ledger }, repo, each))
  return { seen: now, looked: changed.length + ended.length }
}

/** Says so in the audit trail, once for each run that failed. */
async function startAgain(
  { pipelines, ledger }: Pick<PipelineTools, 'pipelines' | 'ledger'>,
  repo: string,
  { number, runId, reason, failures }: FailedPipeline,
): Promise<void> {
  const again = failures <= MAX_FAILURES
  await ledger.appendAudit({
    key: `failed:${repo}#${number}:${runId}`,
    at: new Date().toISOString(),
    actor: 'switchyard',
    action: again ? 'pr.restarted' : 'pr.given-up',
    ...{ repo, number, snapshotId: null },
    details: { reason, failures, limit: MAX_FAILURES },
  })
  if (again) await pipelines.lookAtPullRequest(repo, number, { id: `sweep:failed:${runId}`, kind: 'restart' })
}

async function policyDigests(policies: PolicyReader, repo: string, open: PullRequest[]): Promise<Map<string, string>> {
  const bases = new Map(open.map(({ base }) => [base.ref, base.sha]))
  const digests = new Map<string, string>()
  for (const [ref, sha] of bases) {
    const { facts } = await policies.read(repo, ref, sha)
    digests.set(ref, `${facts.digest} ${facts.problem ?? ''}`)
  }
  return digests
}

/**
 * What makes a PR worth a look; who is in which group does, for policies ask for that. A base that only moved does not (a hundred landings must not wake every open PR), but
 * for one that waits for its conflicts with the base to go away.
 */
function fingerprint(pullRequest: PullRequest, policy: string, blockedByBase: boolean): string {
  const { head, base, draft, title, body, labels, reviews, newestComment } = pullRequest
  const facts = JSON.stringify([
    head.sha,
    base.ref,
    policy,
    blockedByBase ? base.sha : '',
    draft,
    title,
    body,
    labels,
    newestComment,
    reviews.map((review) => [review.author, review.state, review.at]),
  ])
  return createHash('sha256').update(facts).digest('hex').slice(0, 16)
}

async function inParallel<Item>(items: Item[], act: (item: Item) => Promise<void>): Promise<void> {
  const left = [...items]
  const lane = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await act(item)
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, lane))
}
