import { pullRequestId } from '#contracts/ids'
import type { Connected, Installation } from '#installation/installation'
import { printClarification } from '../clarification-render.ts'
import { wholeClarification, type WholeClarification } from '../clarification-whole.ts'
import { findClarification } from '../clarifications.ts'
import type { CommandContext, ExitCode } from '../context.ts'
import { relative, type Text } from '../output.ts'
import { pendingLines } from '../pending.ts'
import { parsePipelineId } from '../pipeline-id.ts'
import { phaseText } from '../render.ts'
import { selectPullRequest } from '../select.ts'
import { withInstallation, withServer } from '../session.ts'
import { describeWorkflow, type DescribedWorkflow } from '../workflow-view.ts'

/** `view --json`. */
type View = DescribedWorkflow & { clarification?: WholeClarification }

/** One pipeline's run as the server knows it. */
export async function run(context: CommandContext, { id }: { id: string }): Promise<ExitCode> {
  return await withInstallation(context, async (installation) => {
    const view = await withServer(context, installation, (connected) => look(context, installation, connected, id))
    const { output } = context
    const field = (name: string, ...value: Text[]) => output.line({ text: name.padEnd(10), style: 'dim' }, ...value)
    output.line({ text: view.workflowId, style: 'bold' })
    field('pipeline', view.pipeline)
    field('status', view.status)
    if (view.phase !== null) field('phase', phaseText(view.phase))
    if (view.waitingOn !== null) field('waits for', view.waitingOn)
    field('started', `${view.startedAt} (${relative(view.startedAt, context.now())})`)
    if (view.endedAt !== null) field('ended', `${view.endedAt} (${relative(view.endedAt, context.now())})`)
    field('run', view.runId)
    if (view.webUrl !== null) field('page', view.webUrl)
    for (const line of pendingLines(view.pending)) output.line(...line)
    if (view.clarification !== undefined) printClarification(output, view.clarification, context.now())
    output.document(view)
    return 0
  })
}

async function look(
  context: CommandContext,
  installation: Installation,
  connected: Connected,
  id: string,
): Promise<View> {
  const parsed = parsePipelineId(id)
  switch (parsed.kind) {
    case 'pull-request': {
      const { repo, number } = await selectPullRequest(context, installation, id)
      return await describeWorkflow(connected, pullRequestId(repo, number))
    }
    case 'clarification': {
      const { row } = await findClarification(connected, parsed.id)
      const clarification = await wholeClarification(connected, installation.ledger, row)
      return { ...(await describeWorkflow(connected, row.id)), clarification }
    }
    default:
      return await describeWorkflow(connected, id)
  }
}
