import type { CreateOutcome, CreateRefusal, NewPullRequest } from '#activities/forge/port'
import type { PullRequest } from '#domain/pull-request'
import { oneLine } from '#domain/text'
import type { Connected, Installation } from '#installation/installation'
import { defaultBase } from '../base.ts'
import type { CommandContext, ExitCode } from '../context.ts'
import { CliError, usageError } from '../errors.ts'
import { refusePolicyThatDoesNotParse } from '../policy-view.ts'
import { bodyText } from '../pull-request-body.ts'
import { referTo } from '../pull-request-view.ts'
import { selectActor, selectRepository } from '../select.ts'
import { requireWorkers, rolesFor, withInstallation, withServer } from '../session.ts'
import { currentBranch } from '../user-git.ts'
import { followPullRequest, waitLimit } from '../wait.ts'

export type PullRequestCreate = {
  head?: string
  base?: string
  title?: string
  body?: string
  bodyFile?: string
  draft?: boolean
  label?: string[]
  as?: string
  /** `true` for `--wait` alone, else its duration. */
  wait?: string | true
}

/** Every refusal comes before the first write; the server is asked for first, so that a PR never waits unseen. */
export async function run(context: CommandContext, input: PullRequestCreate): Promise<ExitCode> {
  const limit = waitLimit(input.wait)
  const body = (await bodyText(context, input)) ?? ''
  return await withInstallation(context, async (installation) => {
    const repo = await selectRepository(context, installation)
    const request = { ...(await completeRequest(context, installation, repo, input)), body }
    return await withServer(context, installation, async (connected) => {
      if (limit !== undefined) await requireWorkers(connected, rolesFor(limit))
      const created = await installation.forge.createPullRequest(repo, request)
      if (created.outcome === 'refused') throw refusal(repo, request, created)
      const workflowId = await startPipeline(context, connected, created.pullRequest)
      if (limit !== undefined)
        return await followPullRequest(context, installation, connected, created.pullRequest, limit)
      await report(context, connected, created.pullRequest, workflowId)
      return 0
    })
  })
}

async function completeRequest(
  context: CommandContext,
  installation: Installation,
  repo: string,
  input: PullRequestCreate,
): Promise<Omit<NewPullRequest, 'body'>> {
  const head = input.head ?? (await currentBranch(context))
  if (!head) throw usageError('Which branch is to be proposed?', 'Say it with --head <branch>.')
  const base = input.base ?? (await defaultBase(installation, repo))
  if (!base)
    throw usageError(`Which branch is it for? ${repo} has no usual default branch.`, 'Say it with --base <branch>.')
  await refusePolicyThatDoesNotParse(installation, repo, base)
  return {
    head,
    base,
    title: input.title ?? (await lastSubject(installation, repo, head)) ?? head,
    author: await selectActor(context, input.as),
    draft: input.draft ?? false,
    labels: input.label ?? [],
  }
}

/** What a forge takes; a subject may be longer. */
const LONGEST_TITLE = 256

/** An invalid or unknown name is the forge's to refuse, with its reason. */
async function lastSubject(installation: Installation, repo: string, head: string): Promise<string | null> {
  const repository = installation.repository(repo)
  try {
    const sha = await repository.resolve(`refs/heads/${head}`)
    return sha === null ? null : oneLine((await repository.commit(sha)).subject, LONGEST_TITLE) || null
  } catch {
    return null
  }
}

async function startPipeline(context: CommandContext, connected: Connected, pullRequest: PullRequest): Promise<string> {
  const { repo, number, head } = pullRequest
  await connected.pipelines.watchRepository(repo)
  const hint = { id: `cli:created:${number}@${head.sha}`, kind: 'pull-request' }
  const { workflowId } = await connected.pipelines.lookAtPullRequest(repo, number, hint)
  if (!(await connected.hasWorker('pr-review'))) {
    context.output.note({
      text: 'No worker polls the role pr-review now: start one with `switchyard up`.',
      style: 'yellow',
    })
  }
  return workflowId
}

async function report(
  context: CommandContext,
  connected: Connected,
  pullRequest: PullRequest,
  workflowId: string,
): Promise<void> {
  const { output } = context
  const reference = { ...referTo(pullRequest, connected), workflowId }
  const { repo, number, head, base, title } = pullRequest
  output.line({ text: `${repo}#${number} `, style: 'bold' }, title)
  output.line(`${head.ref} → ${base.ref}`)
  if (reference.webUrl !== null) output.line({ text: reference.webUrl, style: 'dim' })
  output.line({ text: 'Follow it with ', style: 'dim' }, `switchyard pr view ${number} --repo ${repo}`)
  output.document(reference)
}

const HINTS: Record<CreateRefusal, (request: NewPullRequest, repo: string) => string> = {
  'invalid-branch-name': () => 'Give a branch as `git check-ref-format --branch` accepts it, without a leading "-".',
  'unknown-head': ({ head }) => `Push it first: git push switchyard ${head}`,
  'unknown-base': (_, repo) => `Give a branch of ${repo} with --base.`,
  'base-not-protected': (_, repo) => `Give a protected branch of ${repo} with --base.`,
  'same-branch': () => 'Commit on a branch of its own: git switch -c <name>',
  'no-commits-between': ({ head, base }) =>
    `Commit on ${head}, push it, and try again: it has nothing that ${base} has not.`,
  duplicate: (_, repo) => `Push to the branch to change the open one: switchyard pr list --repo ${repo}`,
  'invalid-title': () => 'Give one of at most 256 characters with --title.',
  'invalid-body': () => 'Give a shorter one with --body.',
  'invalid-labels': () => 'Give at most 20 labels, of at most 50 characters each, with --label.',
}

function refusal(
  repo: string,
  request: NewPullRequest,
  created: Extract<CreateOutcome, { outcome: 'refused' }>,
): CliError {
  const { head, base } = request
  const details = { repo, head, base, ...(created.existing === undefined ? {} : { existing: created.existing }) }
  return new CliError(2, created.reason, created.detail, { details, hint: HINTS[created.reason](request, repo) })
}
