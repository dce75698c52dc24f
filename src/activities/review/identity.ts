import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import type { ReviewerPolicy } from '#domain/policy'
import type { Sha } from '#domain/pull-request'
import type { GitRepository } from '../git/port.ts'

/** Bytes. What is larger is known by the tree that it is in. */
const largestProgram = 5 * 1024 * 1024

/**
 * What reviewers are on a base: the content of each file of it that their commands name. A pass of other reviewers is
 * no pass. Rejected: the base's whole tree, for each landing would ask every reviewer again about every open PR, and
 * slow ones would never end on a busy branch. So what a program reads besides must be named in its command to count.
 */
export async function reviewersOn(
  git: Pick<GitRepository, 'readFile' | 'treeOf'>,
  base: Sha,
  reviewers: readonly Pick<ReviewerPolicy, 'run'>[],
): Promise<string> {
  const digest = createHash('sha256')
  for (const path of new Set(reviewers.flatMap(({ run }) => namedPaths(run)))) {
    const content = await git.readFile(base, path, largestProgram).catch(() => git.treeOf(base))
    if (content !== null) digest.update(`${path}\0${content.length}\0`).update(content)
  }
  return digest.digest('hex')
}

/** Every word of a command that could be the path of a file: its program, a script, the value of an option. */
function namedPaths(command: string): string[] {
  const words = command.split(/[\s'"`=;|&<>()]+/).map((word) => posix.normalize(word))
  return words.filter((word) => /^[^-/]/.test(word) && word !== '.' && !word.startsWith('..'))
}
