import { roles } from '#contracts/roles'
import type { PullRequest } from '#domain/pull-request'
import type { Connected, Installation } from '#installation/installation'
import type { CommandContext, ExitCode } from '../context.ts'
import { viewPullRequest, type PullRequestView } from '../pull-request-view.ts'
import { printPullRequests } from '../render.ts'
import { durationFlag, noRepository, selectRepositories } from '../select.ts'
import { requireWorkers, withInstallation, withServer } from '../session.ts'
import { sleep } from '../sleep.ts'
import { waitUntilRests } from '../wait.ts'
import { counts } from './status.ts'

export type PullRequestWatch = { every?: string; once?: boolean }

/** `--once` waits this long for each PR at most: its tests have time limits of their own. */
const ONCE_LIMIT_MS = 60 * 60_000

/** Reviews every open PR in rounds, as a daemon; with `--once` one round, to its end. */
export async function run(context: CommandContext, input: PullRequestWatch): Promise<ExitCode> {
  return await withInstallation(context, async (installation) => {
    const every = input.every === undefined ? installation.config.watch.review : durationFlag(input.every, '--every')
    const repos = await selectRepositories(context, installation)
    if (repos.length === 0) throw noRepository()
    return await withServer(context, installation, async (connected) => {
      if (input.once) return await watchOnce(context, installation, connected, repos)
      for (;;) {
        await lookAtAll(context, installation, connected, repos)
        await report(context, installation, repos)
        await sleep(every, context.signal)
      }
    })
  })
}

async function watchOnce(
  context: CommandContext,
  installation: Installation,
  connected: Connected,
  repos: string[],
): Promise<ExitCode> {
  await requireWorkers(connected, roles)
  const looked = await lookAtAll(context, installation, connected, repos)
  const views: PullRequestView[] = []
  let timedOut = false
  const quiet = { ...context, isTerminal: false, stdout: context.stderr }
  for (const { repo, number } of looked) {
    timedOut = (await waitUntilRests(quiet, connected, { repo, number }, ONCE_LIMIT_MS)).timedOut || timedOut
    const pullRequest = await installation.forge.getPullRequest(repo, number)
    if (pullRequest !== null) views.push(await viewPullRequest(installation, connected, pullRequest))
  }
  printPullRequests(context.output, views)
  context.output.document(views)
  return timedOut ? 4 : 0
}

async function lookAtAll(
  context: CommandContext,
  installation: Installation,
  connected: Connected,
  repos: string[],
): Promise<PullRequest[]> {
  const looked: PullRequest[] = []
  for (const repo of repos) {
    await connected.pipelines.watchRepository(repo)
    for (const pullRequest of await installation.forge.listPullRequests(repo, { state: 'open' })) {
      const id = `cli:watch:${context.now().toISOString()}`
      await connected.pipelines.lookAtPullRequest(repo, pullRequest.number, { id, kind: 'watch' })
      looked.push(pullRequest)
    }
  }
  return looked
}

/** One line a round: with `--json`, one document a line. */
async function report(context: CommandContext, installation: Installation, repos: string[]): Promise<void> {
  const at = context.now().toISOString()
  for (const repo of repos) {
    const open = (await installation.forge.listPullRequests(repo, { state: 'open' })).length
    const count = await counts(installation, repo)
    if (context.output.json) {
      context.stdout.write(`${JSON.stringify({ at, repo, open, ...count })}\n`)
      continue
    }
    const { prsReviewed, prsMerged, prsRejected, approvalRate } = count
    context.output.line(
      { text: `${at}  `, style: 'dim' },
      `${repo}: ${open} open, ${prsReviewed} reviewed, ${prsMerged} landed, ${prsRejected} rejected, ${approvalRate} % approved`,
    )
  }
}
