/**
 * The watch of one repository, for ever: sweeps the forge on a timer and starts what a lost hint should have started.
 */
import { allHandlersFinished, condition, continueAsNew, setHandler, workflowInfo } from '@temporalio/workflow'
import { repositoryWatchStatus, sweep, type RepositoryWatchInput } from '#contracts/repository-watch'
import { pipelineActivities } from './proxies.ts'

export async function repositoryWatch(input: RepositoryWatchInput): Promise<never> {
  const { repo, timings } = input
  let { seen, sweeps } = input.carried ?? { seen: {}, sweeps: 0 }
  let lastSweepAt: string | null = null
  let asked = false
  setHandler(sweep, () => void (asked = true), { description: 'Sweep the forge now' })
  setHandler(repositoryWatchStatus, () => ({ repo, sweeps, lastSweepAt }), { description: 'When it last looked' })
  for (;;) {
    asked = false
    const result = await pipelineActivities(timings).sweepForge({ repo, seen })
    seen = result.seen
    sweeps += 1
    lastSweepAt = new Date().toISOString()
    await condition(() => asked || workflowInfo().continueAsNewSuggested, timings.sweep)
    if (workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished)
      await continueAsNew<typeof repositoryWatch>({ ...input, carried: { seen, sweeps } })
    }
  }
}
