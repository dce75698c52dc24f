import { roles } from '#contracts/roles'
import type { Phase } from '#domain/pull-request'
import type { Connected, Installation } from '#installation/installation'
import { countClarifications } from '../clarifications.ts'
import type { CommandContext, ExitCode } from '../context.ts'
import { usageError } from '../errors.ts'
import type { Text } from '../output.ts'
import { viewPullRequest } from '../pull-request-view.ts'
import { ruleMark } from '../render.ts'
import { nearest, selectRepositories } from '../select.ts'
import { withInstallation, withServerIfAny } from '../session.ts'

export type Status = { what?: string }

export type Counts = {
  worker: 'pr-review'
  prsReviewed: number
  prsMerged: number
  prsRejected: number
  /** Percent of the reviewed PRs whose newest decision is `approve`. */
  approvalRate: number
}

export async function run(context: CommandContext, { what }: Status): Promise<ExitCode> {
  if (what !== undefined && what !== 'pr') {
    throw usageError(`There is no status of "${what}".`, nearest(what, ['pr']) ?? 'Ask for `status` or `status pr`.')
  }
  return await withInstallation(context, async (installation) => {
    if (what === 'pr') {
      await showCounts(context, installation)
      return 0
    }
    await withServerIfAny(context, installation, (connected) => showOverview(context, installation, connected))
    return 0
  })
}

/** Of one repository, or of all (null). */
export async function counts(installation: Installation, repo: string | null): Promise<Counts> {
  const { reviewed, merged, approved, rejected } = await installation.ledger.pullRequestCounts(repo)
  const rate = reviewed === 0 ? 0 : (100 * approved) / reviewed
  return {
    worker: 'pr-review',
    prsReviewed: reviewed,
    prsMerged: merged,
    prsRejected: rejected,
    approvalRate: Math.round(rate * 10) / 10,
  }
}

async function showCounts(context: CommandContext, installation: Installation): Promise<void> {
  const [only, ...others] = await selectRepositories(context, installation)
  const count = await counts(installation, context.flags.repo !== undefined && others.length === 0 ? only! : null)
  const { output } = context
  output.line({ text: 'pull requests', style: 'bold' })
  output.table(
    ['reviewed', 'landed', 'rejected', 'approved'],
    [[String(count.prsReviewed), String(count.prsMerged), String(count.prsRejected), `${count.approvalRate} %`]],
  )
  output.document(count)
}

async function showOverview(
  context: CommandContext,
  installation: Installation,
  connected: Connected | null,
): Promise<void> {
  const { output } = context
  const workers: Record<string, boolean> = {}
  for (const role of roles) workers[role] = connected !== null && (await connected.hasWorker(role))
  const repositories = []
  for (const repo of await selectRepositories(context, installation)) {
    repositories.push({ repo, ...(await phasesOf(installation, connected, repo)) })
  }
  const inbox = connected === null ? null : await countClarifications(connected)
  const server = connected === null ? null : { address: connected.address, namespace: connected.namespace }
  output.line(
    'server   ',
    server === null ? { text: 'not running: switchyard up', style: 'red' } : `${server.address} (${server.namespace})`,
  )
  const polled = Object.entries(workers).flatMap(([role, polls]): Text[] => [
    ruleMark(polls ? 'pass' : 'fail'),
    ` ${role}  `,
  ])
  output.line('workers  ', ...polled)
  for (const { repo, open, phases } of repositories) {
    const parts = Object.entries(phases).map(([phase, count]) => `${count} ${phase}`)
    output.line({ text: repo, style: 'bold' }, `  ${open} open${parts.length === 0 ? '' : `: ${parts.join(', ')}`}`)
  }
  if (inbox !== null && inbox.open + inbox.parked > 0) {
    output.line('inbox    ', `${inbox.open} open, ${inbox.parked} parked: switchyard inbox`)
  }
  output.document({ server, workers, repositories, inbox })
}

async function phasesOf(installation: Installation, connected: Connected | null, repo: string) {
  const phases: Partial<Record<Phase, number>> = {}
  const open = await installation.forge.listPullRequests(repo, { state: 'open' })
  for (const pullRequest of open) {
    const { phase } = await viewPullRequest(installation, connected, pullRequest)
    phases[phase] = (phases[phase] ?? 0) + 1
  }
  return { open: open.length, phases }
}
