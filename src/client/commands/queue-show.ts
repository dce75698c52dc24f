import type { MergeQueueStatus } from '#contracts/merge-queue'
import type { Installation } from '#installation/installation'
import { defaultBase } from '../base.ts'
import type { CommandContext, ExitCode } from '../context.ts'
import { CliError, usageError } from '../errors.ts'
import { shortSha } from '../output.ts'
import { waitingLines } from '../render.ts'
import { selectRepository } from '../select.ts'
import { withInstallation, withServer } from '../session.ts'
import { readQueueStatus } from '../status.ts'

export type QueueShow = { branch?: string }

/** A queue that nothing entered yet is an empty queue. */
export async function run(context: CommandContext, input: QueueShow): Promise<ExitCode> {
  return await withInstallation(context, async (installation) => {
    const repo = await selectRepository(context, installation)
    const branch = input.branch ?? (await defaultBase(installation, repo))
    if (!branch) throw usageError('Which branch?', 'Say it with --branch <name>.')
    const base = await tipOf(installation, repo, branch)
    const status = await withServer(context, installation, (connected) => readQueueStatus(connected, repo, branch))
    const queue = status ?? { repo, branch, base, paused: null, entries: [] }
    print(context, { ...queue, base: queue.base ?? base })
    const entries = queue.entries.map(({ number, position, state, waiting }) => ({ number, position, state, waiting }))
    context.output.document({ repo, branch, base: queue.base ?? base, paused: queue.paused, entries })
    return 0
  })
}

async function tipOf(installation: Installation, repo: string, branch: string): Promise<{ sha: string; tree: string }> {
  const repository = installation.repository(repo)
  const sha = await repository.resolve(`refs/heads/${branch}`)
  if (sha !== null) return { sha, tree: await repository.treeOf(sha) }
  throw new CliError(2, 'unknown-base', `${repo} has no branch ${branch}.`, {
    details: { repo, branch },
    hint: 'Give one with --branch.',
  })
}

function print({ output, now }: CommandContext, { repo, branch, base, paused, entries }: MergeQueueStatus): void {
  output.line({ text: `${repo}@${branch}`, style: 'bold' }, base === null ? '' : `  at ${shortSha(base.sha)}`)
  if (paused !== null) output.line({ text: 'paused: ', style: 'yellow' }, paused.reason)
  if (entries.length === 0) return output.line('The queue is empty.')
  for (const entry of entries) {
    output.line(`${entry.position}. `, { text: `#${entry.number} `, style: 'bold' }, `${entry.title}  `, {
      text: entry.state,
      style: 'cyan',
    })
    for (const line of waitingLines(entry.waiting, now())) output.line('   ', ...line)
  }
}
