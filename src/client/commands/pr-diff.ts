import type { CommandContext, ExitCode } from '../context.ts'
import { CliError } from '../errors.ts'
import { withPullRequest } from '../pull-request.ts'

const MAX_BYTES = 5 * 1024 * 1024

export type PullRequestDiff = { pullRequest: string; nameOnly?: boolean }

/** What the PR changes against the point where it left its base. */
export async function run(
  context: CommandContext,
  { pullRequest: text, nameOnly = false }: PullRequestDiff,
): Promise<ExitCode> {
  return await withPullRequest(context, text, async (installation, { repo, number, head, base, merged }) => {
    const repository = installation.repository(repo)
    const from =
      merged === null ? await repository.mergeBase(base.sha, head.sha) : await firstParent(repository, merged.sha)
    if (from === null) {
      throw new CliError(
        1,
        'no-merge-base',
        `${repo}#${number}: ${head.ref} and ${base.ref} have no commit in common.`,
        {
          hint: `Make the branch again from ${base.ref}.`,
        },
      )
    }
    const to = merged?.sha ?? head.sha
    if (nameOnly) {
      const paths = await repository.changedPaths(from, to)
      for (const path of paths) context.output.line(path)
      context.output.document({ repo, number, from, to, paths })
      return 0
    }
    const diff = await repository.diff(from, to, MAX_BYTES)
    if (diff.text !== '') context.output.block(diff.text)
    if (diff.truncated) context.output.note('The diff is cut at 5 MB; see the rest with git.')
    context.output.document({ repo, number, from, to, truncated: diff.truncated, diff: diff.text })
    return 0
  })
}

/** What a landed PR changed is what its landing commit changed. */
async function firstParent(
  repository: { commit(sha: string): Promise<{ parents: string[] }> },
  sha: string,
): Promise<string | null> {
  return (await repository.commit(sha)).parents[0] ?? null
}
