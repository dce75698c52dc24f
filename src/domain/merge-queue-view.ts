import { attemptLimits } from './check-subjects.ts'
import { nextQueueStep, pinnedChecks, type MergeQueueState } from './merge-queue.ts'
import type { Instant, Sha, Waiting } from './pull-request.ts'
import { escapeMarkdown } from './text.ts'

export type QueueView = {
  repo: string
  branch: string
  base: { sha: Sha; tree: Sha } | null
  paused: { reason: string; until: Instant | null } | null
  entries: {
    number: number
    title: string
    head: Sha
    position: number
    state: 'waiting' | 'building' | 'testing' | 'landing'
    waiting: Waiting
  }[]
}

/**
 * What `queue show` prints: every entry, its place, and what it waits for. Serial: until the entries ahead and its own
 * checks have had one attempt each, from now or from the end of a pause.
 */
export function describeQueue(
  { repo, branch }: { repo: string; branch: string },
  state: MergeQueueState,
  now: Instant,
): QueueView {
  const step = nextQueueStep(state)
  let until = Math.max(Date.parse(now), Date.parse(state.paused?.until ?? now))
  const frontState =
    step.kind === 'wait' ? 'waiting' : ({ build: 'building', test: 'testing', land: 'landing' } as const)[step.kind]
  return {
    repo,
    branch,
    base: state.base,
    paused: state.paused,
    entries: state.entries.map((entry, index) => ({
      number: entry.number,
      title: entry.title,
      head: entry.head,
      position: index + 1,
      state: index === 0 ? frontState : 'waiting',
      waiting: {
        for: index === 0 ? frontReason(step) : `#${state.entries[index - 1]!.number} ahead of it`,
        since: entry.enqueuedAt,
        until: new Date((until += attemptLimits(pinnedChecks(entry)))).toISOString(),
        who: ['switchyard'],
        command: null,
      },
    })),
  }
}

function frontReason(step: ReturnType<typeof nextQueueStep>): string {
  switch (step.kind) {
    case 'wait':
      return step.for
    case 'build':
      return 'its candidate on the current base'
    case 'test':
      return `${step.checks.map(({ name }) => name).join(', ')} of candidate ${step.candidate.commit.slice(0, 12)}`
    case 'land':
      return `landing candidate ${step.candidate.commit.slice(0, 12)}`
  }
}

const SHOWN = 50

/** The queue's page in the Temporal Web UI. */
export function renderQueue(view: QueueView): string {
  const lines = [`**${escapeMarkdown(view.repo)}@${escapeMarkdown(view.branch)}**: ${view.entries.length} waiting`]
  if (view.base) lines.push('', `Base \`${view.base.sha}\``)
  if (view.paused) lines.push('', `Paused: ${escapeMarkdown(view.paused.reason)}`)
  for (const entry of view.entries.slice(0, SHOWN)) {
    lines.push(`${entry.position}. #${entry.number} ${entry.state}: ${escapeMarkdown(entry.waiting.for)}`)
  }
  if (view.entries.length > SHOWN) lines.push(`… and ${view.entries.length - SHOWN} more`)
  return lines.join('\n')
}
