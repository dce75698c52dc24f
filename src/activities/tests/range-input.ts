import type { CheckRequest } from '../evidence.ts'
import type { GitRepository } from '../git/port.ts'
import type { CommandRun } from './port.ts'

/** Bytes of the diff that a check of the range gets. */
const diffLimit = 20 * 1024 * 1024

/**
 * What a check of the range is told of it. It has no git directory, so the diff, the changed paths and the commits are
 * files. A check of the tree is told nothing: its evidence counts for every PR that makes the same tree.
 */
export async function rangeInput(
  git: GitRepository,
  { repo, number, subject }: CheckRequest,
): Promise<Pick<CommandRun, 'env' | 'files'>> {
  if (subject.kind === 'tree') return { env: {}, files: [] }
  const { base, head } = subject
  const [diff, paths, commits] = await Promise.all([
    git.diff(base, head, diffLimit),
    git.changedPaths(base, head),
    commitsOf(git, base, head),
  ])
  return {
    env: {
      SWITCHYARD_REPO: repo,
      SWITCHYARD_PR: `${number}`,
      SWITCHYARD_BASE_SHA: base,
      SWITCHYARD_HEAD_SHA: head,
      SWITCHYARD_DIFF_TRUNCATED: `${diff.truncated}`,
    },
    files: [
      { variable: 'SWITCHYARD_DIFF', name: 'range.diff', content: diff.text },
      { variable: 'SWITCHYARD_CHANGED_PATHS', name: 'changed-paths', content: paths.map(asLine).join('') },
      { variable: 'SWITCHYARD_COMMITS', name: 'commits.json', content: `${JSON.stringify(commits, null, 2)}\n` },
    ],
  }
}

/** One path a line: one with a line break in it is a JSON text, which is how a path never begins otherwise. */
function asLine(path: string): string {
  return /[\n\r]|^"/.test(path) ? `${JSON.stringify(path)}\n` : `${path}\n`
}

/** Oldest first. */
async function commitsOf(git: GitRepository, base: string, head: string) {
  const commits = await git.commits(base, head)
  const messages = await git.messages(base, head)
  return commits.map(({ sha, author, at, parents, subject }) => {
    return { sha, author, at, parents, message: messages.get(sha) ?? subject }
  })
}
