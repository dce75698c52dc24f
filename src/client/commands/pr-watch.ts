import { review, type LookHint } from '#contracts/pull-request'
import { roles } from '#contracts/roles'
import type { PullRequest } from '#domain/pull-request'
import type { Connected, Installation } from '#installation/installation'
import type { CommandContext, ExitCode } from '../context.ts'
import { toCliError } from '../errors.ts'
import { viewPullRequest, type PullRequestView } from '../pull-request-view.ts'
import { printPullRequests } from '../render.ts'
import { durationFlag, noRepository, selectActor, selectRepositories } from '../select.ts'
import { requireWorkers, withInstallation, withServer } from '../session.ts'
import { sleep } from '../sleep.ts'
import { readPullRequestStatusIfAny } from '../status.ts'
import { updatePipeline } from '../update.ts'
import { waitUntilRests } from '../wait.ts'
import { counts } from './status.ts'

export type PullRequestWatch = { every?: string; once?: boolean }

/** `--once` waits this long for each PR at most: its tests have time limits of their own. */
const ONCE_LIMIT_MS = 60 * 60_000

/** Reviews every open PR in rounds, as a daemon that only Ctrl-C ends; with `--once` one round, to its end. */
export async function run(context: CommandContext, input: PullRequestWatch): Promise<ExitCode> {
  return await withInstallation(context, async (installation) => {
    const every = input.every === undefined ? installation.config.watch.review : durationFlag(input.every, '--every')
    const repos = await selectRepositories(context, installation)
    if (repos.length === 0) throw noRepository()
    if (input.once) {
      return await withServer(context, installation, (connected) => watchOnce(context, installation, connected, repos))
    }
    for (;;) {
      await tolerate(context, 'this round', () => watchRound(context, installation, repos))
      await sleep(every, context.signal)
    }
  })
}

/** Connects anew: a server that was started again may listen elsewhere. */
async function watchRound(context: CommandContext, installation: Installation, repos: string[]): Promise<void> {
  await withServer(context, installation, async (connected) => {
    for (const repo of repos) {
      await connected.pipelines.watchRepository(repo)
      for (const pullRequest of await installation.forge.listPullRequests(repo, { state: 'open' })) {
        const what = `${repo}#${pullRequest.number}`
        await tolerate(context, what, () => lookAt(context, connected, pullRequest))
      }
    }
    await report(context, installation, repos)
  })
}

/** What fails now, such as a server that is starting again, is tried again in the next round. */
async function tolerate(context: CommandContext, what: string, act: () => Promise<void>): Promise<void> {
  try {
    await act()
  } catch (error) {
    if (context.signal.aborted) throw error
    const text = `${context.now().toISOString()}  ${what} failed, the next round tries again: ${toCliError(error).message}`
    context.output.note({ text, style: 'yellow' })
  }
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
      await lookAt(context, connected, pullRequest)
      looked.push(pullRequest)
    }
  }
  return looked
}

/** A check that ended in infrastructure says nothing about the PR, and nothing but a new run of it helps. */
async function lookAt(context: CommandContext, connected: Connected, pullRequest: PullRequest): Promise<void> {
  const { repo, number } = pullRequest
  const hint: LookHint = { id: `cli:watch:${context.now().toISOString()}`, kind: 'watch' }
  const status = await readPullRequestStatusIfAny(connected, repo, number)
  if (!status?.resting || !status.checks.some(({ state }) => state === 'infrastructure')) {
    await connected.pipelines.lookAtPullRequest(repo, number, hint)
    return
  }
  const by = await selectActor(context, undefined)
  await updatePipeline(connected, pullRequest, hint, (handle) => handle.executeUpdate(review, { args: [{ by }] }))
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
