/**
 * The watch of one repository, for as long as the installation has it: sweeps the forge on a timer and starts what a
 * lost hint should have started.
 */
import {
  ActivityFailure,
  ApplicationFailure,
  allHandlersFinished,
  condition,
  continueAsNew,
  log,
  isCancellation,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow'
import {
  repositoryWatchStatus,
  sweep,
  type RepositoryWatchInput,
  type RepositoryWatchResult,
} from '#contracts/repository-watch'
import type { SweepOutcome } from '#activities/pipelines/activities'
import { pipelineActivities } from './proxies.ts'

export async function repositoryWatch(input: RepositoryWatchInput): Promise<RepositoryWatchResult> {
  const { repo, timings } = input
  let { seen, sweeps } = input.carried ?? { seen: {}, sweeps: 0 }
  let lastSweepAt: string | null = null
  let asked = false
  setHandler(sweep, () => void (asked = true), { description: 'Sweep the forge now' })
  setHandler(repositoryWatchStatus, () => ({ repo, sweeps, lastSweepAt }), { description: 'When it last looked' })
  for (;;) {
    asked = false
    const result = await sweepOnce(input, seen)
    if (result === 'gone') return { reason: `${repo} is no repository of this installation` }
    if (result !== 'failed') {
      seen = result.seen
      sweeps += 1
      lastSweepAt = new Date().toISOString()
    }
    await condition(() => asked || workflowInfo().continueAsNewSuggested, timings.sweep)
    if (workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished)
      await continueAsNew<typeof repositoryWatch>({ ...input, carried: { seen, sweeps } })
    }
  }
}

/** `gone`: every worker that tried knows no such repository. `failed`: every try did, and the next sweep tries again. */
async function sweepOnce(
  { repo, timings }: RepositoryWatchInput,
  seen: Record<number, string>,
): Promise<SweepOutcome | 'gone' | 'failed'> {
  try {
    return await pipelineActivities(timings).sweepForge({ repo, seen })
  } catch (error) {
    if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error
    const type = error.cause instanceof ApplicationFailure ? error.cause.type : null
    if (type === 'NotFound' || type === 'Unknown') return 'gone'
    log.warn('a sweep failed', { reason: error.cause?.message ?? error.message })
    return 'failed'
  }
}
