import { clarificationType } from '#contracts/clarification'
import { mergeQueueType } from '#contracts/merge-queue'
import { pullRequestType } from '#contracts/pull-request'
import { repositoryWatchType } from '#contracts/repository-watch'
import type { CommandContext, ExitCode } from '../context.ts'
import { usageError } from '../errors.ts'
import { relative } from '../output.ts'
import { phaseText } from '../render.ts'
import { nearest, selectRepository } from '../select.ts'
import { withInstallation, withServer } from '../session.ts'
import { listWorkflows } from '../workflow-view.ts'

export type Runs = { pipeline?: string; state: 'open' | 'closed' | 'all'; limit: string }

const pipelines = [pullRequestType, mergeQueueType, repositoryWatchType, clarificationType]
const MOST = 1000

export async function run(context: CommandContext, input: Runs): Promise<ExitCode> {
  const limit = Number(input.limit)
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST)
    throw usageError(`--limit takes a number from 1 to ${MOST}.`)
  return await withInstallation(context, async (installation) => {
    const repo = context.flags.repo === undefined ? null : await selectRepository(context, installation)
    const query = visibilityQuery(input, repo)
    const views = await withServer(context, installation, (connected) => listWorkflows(connected, query, limit))
    if (views.length === 0) context.output.line('No runs.')
    else {
      context.output.table(
        ['id', 'pipeline', 'status', 'phase', 'waits for', 'started'],
        views.map((view) => [
          view.workflowId,
          view.pipeline,
          view.status,
          phaseText(view.phase ?? ''),
          view.waitingOn ?? '',
          relative(view.startedAt, context.now()),
        ]),
      )
    }
    context.output.document(views)
    return 0
  })
}

/** Only values that we know are put into it. */
function visibilityQuery({ pipeline, state }: Runs, repo: string | null): string {
  if (pipeline !== undefined && !pipelines.includes(pipeline)) {
    throw usageError(
      `There is no pipeline "${pipeline}".`,
      nearest(pipeline, pipelines) ?? `Give one of ${pipelines.join(', ')}.`,
    )
  }
  const clauses = [
    pipeline === undefined ? 'Pipeline IS NOT NULL' : `Pipeline = '${pipeline}'`,
    ...(repo === null ? [] : [`Repo = '${repo.replaceAll("'", "''")}'`]),
    ...(state === 'all' ? [] : [state === 'open' ? "ExecutionStatus = 'Running'" : "ExecutionStatus != 'Running'"]),
  ]
  return clauses.join(' AND ')
}
