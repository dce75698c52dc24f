import { mergeQueueId } from '#contracts/ids'
import type { MergeQueueStatus } from '#contracts/merge-queue'
import type { Waiting } from '#domain/pull-request'
import type { Installation } from '#installation/installation'
import { findClarification } from '../clarifications.ts'
import { waitingFor } from '../clarification-render.ts'
import type { CommandContext, ExitCode } from '../context.ts'
import { CliError } from '../errors.ts'
import { pendingLines, type PendingActivity } from '../pending.ts'
import { parsePipelineId } from '../pipeline-id.ts'
import { getPullRequest, noteNoServer } from '../pull-request.ts'
import { viewPullRequest, type DecisionView } from '../pull-request-view.ts'
import { phaseText, ruleMark, waitingLines } from '../render.ts'
import { selectPullRequest } from '../select.ts'
import { withInstallation, withServer, withServerIfAny } from '../session.ts'
import { readQueueStatus } from '../status.ts'
import { describeWorkflow, readPending } from '../workflow-view.ts'

/** `why --json`. */
export type Why = {
  workflowId: string
  phase: string
  waiting: Waiting | null
  decision: DecisionView | null
  pending: PendingActivity[]
}

/** What a pipeline waits for, since when, until when, who can act and with which command. */
export async function run(context: CommandContext, { id }: { id: string }): Promise<ExitCode> {
  return await withInstallation(context, async (installation) => {
    const why = await explain(context, installation, id)
    print(context, why)
    context.output.document(why)
    return 0
  })
}

async function explain(context: CommandContext, installation: Installation, id: string): Promise<Why> {
  const parsed = parsePipelineId(id)
  switch (parsed.kind) {
    case 'pull-request':
      return await explainPullRequest(context, installation, id)
    case 'queue':
      return await explainQueue(context, installation, parsed)
    case 'clarification':
      return await explainClarification(context, installation, parsed.id)
    default:
      return await withServer(context, installation, async (connected) => {
        const { workflowId, phase, status, waitingOn, startedAt, pending } = await describeWorkflow(connected, id)
        const waiting =
          waitingOn === null ? null : { for: waitingOn, since: startedAt, until: null, who: [], command: null }
        return { workflowId, phase: phase ?? status, waiting, decision: null, pending }
      })
  }
}

async function explainPullRequest(context: CommandContext, installation: Installation, id: string): Promise<Why> {
  const { repo, number } = await selectPullRequest(context, installation, id)
  const pullRequest = await getPullRequest(installation, repo, number)
  return await withServerIfAny(context, installation, async (connected) => {
    const view = await viewPullRequest(installation, connected, pullRequest)
    if (connected === null) noteNoServer(context, view)
    const { workflowId, phase, waiting, decision } = view
    return { workflowId, phase, waiting, decision, pending: await readPending(connected, workflowId) }
  })
}

async function explainQueue(
  context: CommandContext,
  installation: Installation,
  { repo, branch }: { repo: string; branch: string },
): Promise<Why> {
  const workflowId = mergeQueueId(repo, branch)
  return await withServer(context, installation, async (connected) => {
    const status = await readQueueStatus(connected, repo, branch)
    if (status === null) {
      throw new CliError(2, 'unknown-pipeline', `Nothing has entered the queue of ${repo}@${branch} yet.`, {
        details: { repo, branch },
        hint: 'See `switchyard runs`.',
      })
    }
    const waiting = status.entries[0]?.waiting ?? null
    const pending = await readPending(connected, workflowId)
    return { workflowId, phase: queuePhase(status), waiting, decision: null, pending }
  })
}

/** From visibility: it says what it waits for while no worker runs, too. */
async function explainClarification(context: CommandContext, installation: Installation, id: string): Promise<Why> {
  return await withServer(context, installation, async (connected) => {
    const { row, ended } = await findClarification(connected, id)
    const pending = await readPending(connected, row.id)
    const waiting = ended === null ? waitingFor(row) : null
    return { workflowId: row.id, phase: row.state, waiting, decision: null, pending }
  })
}

function queuePhase({ paused, entries }: MergeQueueStatus): string {
  if (paused !== null) return 'paused'
  return entries[0]?.state ?? 'idle'
}

/** Phases of pipelines that have ended. */
const ends = new Set(['landed', 'closed', 'answered', 'defaulted', 'expired', 'cancelled'])

function print({ output, now }: CommandContext, { workflowId, phase, waiting, decision, pending }: Why): void {
  output.line({ text: `${workflowId}  `, style: 'bold' }, phaseText(phase))
  const isForAnybody = waiting?.who.length === 0 && parsePipelineId(workflowId).kind === 'clarification'
  const shown = isForAnybody ? { ...waiting, who: ['anybody'] } : waiting
  if (shown !== null) for (const line of waitingLines(shown, now())) output.line(...line)
  else if (ends.has(phase)) output.line('It has ended: it waits for nothing and nobody.')
  else if (pending.length === 0) output.line('It waits for nothing and nobody.')
  for (const line of pendingLines(pending)) output.line(...line)
  for (const rule of decision?.rules ?? []) output.line('  ', ruleMark(rule.outcome), ` ${rule.rule}  `, rule.reason)
}
