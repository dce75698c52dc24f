import { pullRequestId } from '#contracts/ids'
import type { PullRequestStatus } from '#contracts/pull-request'
import type { PullRequest } from '#domain/pull-request'
import type { Connected, Installation } from '#installation/installation'
import type { CommandContext, ExitCode } from './context.ts'
import { readEndedRun, reviewCommand } from './ended-run.ts'
import { CliError } from './errors.ts'
import type { Text } from './output.ts'
import { viewPullRequest } from './pull-request-view.ts'
import { checklist, printPullRequest } from './render.ts'
import { durationFlag } from './select.ts'
import { sleep } from './sleep.ts'
import { isUnanswered, readPullRequestStatus } from './status.ts'

const POLL_MS = 250
/** Workers and the server are started again when they die; only a longer silence is an error. */
const SILENCE_MS = 60_000
/** A pipeline that failed or was terminated answers as before: so often the server is asked whether it still runs. */
const LIFE_MS = 2_000

export type Rested = { status: PullRequestStatus | null; timedOut: boolean }

/**
 * Blocks until the PR's pipeline rests, or `limit` milliseconds passed (null: until it rests). Shows a live checklist
 * on a terminal and a line per change elsewhere.
 */
export async function waitUntilRests(
  context: CommandContext,
  connected: Connected,
  pullRequest: { repo: string; number: number },
  limit: number | null,
): Promise<Rested> {
  const started = performance.now()
  const show = await createDisplay(context)
  const requireLife = lifeline(connected, pullRequest)
  let status: PullRequestStatus | null = null
  let answeredAt = started
  try {
    for (;;) {
      const answer = await readPullRequestStatus(connected, pullRequest.repo, pullRequest.number).catch(unanswered)
      if (answer !== undefined) answeredAt = performance.now()
      status = answer ?? status
      if (status !== null) show.update(checklist(status))
      await requireLife(answer ?? null)
      if (answer?.resting) return { status, timedOut: false }
      if (limit !== null && performance.now() - started >= limit) return { status, timedOut: true }
      if (performance.now() - answeredAt > SILENCE_MS) throw silence()
      await sleep(POLL_MS, context.signal)
    }
  } finally {
    show.done()
  }
}

/** Throws where the pipeline failed or was ended from outside. A completed one says itself where it rests. */
function lifeline(connected: Connected, { repo, number }: Pick<PullRequest, 'repo' | 'number'>) {
  let askedAt = -Infinity
  return async (answer: PullRequestStatus | null): Promise<void> => {
    if (answer?.phase === 'landed' || answer?.phase === 'closed') return
    if (!answer?.resting && performance.now() - askedAt < LIFE_MS) return
    askedAt = performance.now()
    const ended = await readEndedRun(connected, pullRequestId(repo, number)).catch(unanswered)
    if (!ended || ended.status === 'completed') return
    const { status, reason } = ended
    throw new CliError(1, 'pipeline-ended', `The pipeline of ${repo}#${number} ended (${status}): ${reason}`, {
      details: { repo, number, status, reason },
      hint: `Start it again: ${reviewCommand({ repo, number })}`,
    })
  }
}

/** `--wait`: undefined when it is not asked for, null for no limit. */
export function waitLimit(wait: string | true | undefined): number | null | undefined {
  if (wait === undefined) return undefined
  return wait === true || wait === '' ? null : durationFlag(wait, '--wait')
}

/** Waits, prints where the PR rests, and answers the exit code. */
export async function followPullRequest(
  context: CommandContext,
  installation: Installation,
  connected: Connected,
  { repo, number }: Pick<PullRequest, 'repo' | 'number'>,
  limit: number | null,
): Promise<ExitCode> {
  const rested = await waitUntilRests(context, connected, { repo, number }, limit)
  const pullRequest = await installation.forge.getPullRequest(repo, number)
  if (pullRequest === null) throw new CliError(1, 'not-found', `${repo}#${number} is no longer there.`)
  const view = await viewPullRequest(installation, connected, pullRequest)
  printPullRequest(context.output, view, context.now())
  context.output.document(view)
  if (rested.timedOut)
    context.output.note({ text: 'The time of --wait passed; the pipeline goes on.', style: 'yellow' })
  return outcomeCode(rested)
}

function unanswered(error: unknown): undefined {
  if (isUnanswered(error)) return undefined
  throw error
}

function silence(): CliError {
  return new CliError(3, 'no-worker', 'The pipeline has not answered for a minute: no worker polls its role.', {
    hint: 'Start the workers with `switchyard up`. The pipeline goes on where it was.',
  })
}

/** Landed 0; rejected or closed 1; a person's turn or time passed 4. */
export function outcomeCode({ status, timedOut }: Rested): ExitCode {
  if (timedOut || status === null) return 4
  switch (status.phase) {
    case 'landed':
      return 0
    case 'rejected':
    case 'closed':
      return 1
    default:
      return 4
  }
}

type Display = { update(lines: Text[][]): void; done(): void }

async function createDisplay({ output, stdout, stderr, isTerminal }: CommandContext): Promise<Display> {
  if (isTerminal && !output.json) {
    const { createLogUpdate } = await import('log-update')
    const log = createLogUpdate(stdout as NodeJS.WriteStream)
    return {
      update: (lines) => log(lines.map((line) => output.render(...line)).join('\n')),
      done: () => log.done(),
    }
  }
  const stream = output.json ? stderr : stdout
  let seen = new Set<string>()
  return {
    update(lines) {
      const rendered = lines.map((line) => output.render(...line))
      for (const line of rendered) if (!seen.has(line)) stream.write(`${line}\n`)
      seen = new Set(rendered)
    },
    done() {},
  }
}
