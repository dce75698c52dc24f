import { createHash } from 'node:crypto'
import type { MergeQueueEntry } from '#contracts/merge-queue'
import type { PullRequest } from '#domain/pull-request'
import type { Forge } from '../forge/port.ts'
import type { Pipelines } from './port.ts'

export type PipelineActivities = ReturnType<typeof createPipelineActivities>

export type SweepOutcome = { seen: Record<number, string>; looked: number }

/** What workflows can't do themselves: start another pipeline that may not be there, and signal it. */
export function createPipelineActivities({ forge, pipelines }: { forge: Forge; pipelines: Pipelines }) {
  return {
    async enqueuePullRequest(entry: MergeQueueEntry): Promise<void> {
      await pipelines.enqueue(entry)
    },

    /** Wakes the pipeline of a PR that could not be signalled, because it had ended. */
    async wakePullRequest({ repo, number, id }: { repo: string; number: number; id: string }): Promise<void> {
      await pipelines.lookAtPullRequest(repo, number, { id, kind: 'queue' })
    },

    /** Starts what a lost hint should have started: every PR that differs from what the last sweep saw. */
    async sweepForge({ repo, seen }: { repo: string; seen: Record<number, string> }): Promise<SweepOutcome> {
      const open = await forge.listPullRequests(repo, { state: 'open' })
      const now = Object.fromEntries(open.map((pullRequest) => [pullRequest.number, fingerprint(pullRequest)]))
      const changed = open.map(({ number }) => number).filter((number) => now[number] !== seen[number])
      const ended = Object.keys(seen)
        .map(Number)
        .filter((number) => now[number] === undefined)
      for (const number of changed) {
        await pipelines.lookAtPullRequest(repo, number, { id: `sweep:${now[number]}`, kind: 'sweep' })
      }
      for (const number of ended) await pipelines.remindPullRequest(repo, number, { id: 'sweep:ended', kind: 'sweep' })
      return { seen: now, looked: changed.length + ended.length }
    },
  }
}

function fingerprint({ head, base, draft, title, labels, reviews }: PullRequest): string {
  const facts = JSON.stringify([
    head.sha,
    base.ref,
    draft,
    title,
    labels,
    reviews.map((review) => [review.author, review.state, review.at]),
  ])
  return createHash('sha256').update(facts).digest('hex').slice(0, 16)
}
