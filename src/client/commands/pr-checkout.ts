import { checkBranchName } from '#domain/branch-name'
import type { CommandContext, ExitCode } from '../context.ts'
import { usageError } from '../errors.ts'
import { shortSha } from '../output.ts'
import { withPullRequest } from '../pull-request.ts'
import { checkOut, type CheckedOut } from '../pull-request-checkout.ts'
import { remoteOf } from '../select.ts'
import { topLevel } from '../user-git.ts'

export type PullRequestCheckout = { pullRequest: string; branch?: string; detach?: boolean }

/** Fetches the head from the installation's remote and switches the working copy here to it. */
export async function run(context: CommandContext, input: PullRequestCheckout): Promise<ExitCode> {
  const { branch, detach = false } = input
  if (detach && branch !== undefined) throw usageError('Give -b or --detach, not both.')
  const reason = branch === undefined ? null : checkBranchName(branch)
  if (reason !== null) throw usageError(`The name of a branch ${reason}.`)
  const folder = await topLevel(context)
  if (folder === null) throw usageError('This is no working copy of a git repository.', 'Run it inside one.')
  return await withPullRequest(context, input.pullRequest, async (installation, { repo, number, head }) => {
    const remote = await remoteOf(context, installation, repo)
    if (remote === null) {
      throw usageError(`No remote of this working copy is ${repo}.`, 'Make one: `switchyard init`, or git remote add.')
    }
    const wanted = { remote, head: head.ref, branch: detach ? null : (branch ?? head.ref) }
    const done = await checkOut({ cwd: folder, env: context.env }, wanted)
    context.output.line(`${repo}#${number}: ${inWords(done, `${remote}/${head.ref}`)}`)
    context.output.document({ repo, number, remote, ...done })
    return 0
  })
}

function inWords({ branch, sha, state }: CheckedOut, tracked: string): string {
  switch (state) {
    case 'created':
      return `on the new branch ${branch}, which follows ${tracked}`
    case 'forwarded':
      return `on ${branch}, brought forward to ${shortSha(sha)}`
    case 'ahead':
      return `on ${branch}, which has commits that are not pushed yet`
    case 'same':
      return `on ${branch}`
    case 'detached':
      return `at ${shortSha(sha)}, on no branch`
  }
}
