import type { Sha } from '#domain/pull-request'
import type { MergeTree } from './port.ts'
import { sha } from './revisions.ts'
import { GitError, runGit } from './run.ts'

/** `unrelated`: two histories without a common commit merge as if both had begun with nothing. */
export async function mergeTree(
  objects: string,
  ours: Sha,
  theirs: Sha,
  { unrelated = false } = {},
): Promise<MergeTree> {
  const allow = unrelated ? ['--allow-unrelated-histories'] : []
  const args = ['merge-tree', '--write-tree', '-z', '--name-only', '--no-messages', ...allow, sha(ours), sha(theirs)]
  const { exitCode, stdout, stderr } = await runGit({ objects, args, accept: [1, 128] })
  if (stderr.includes('refusing to merge unrelated histories')) return { outcome: 'conflict', paths: [] }
  // A missing commit has the exit code of a conflict too, but only a merge has a tree.
  if (stdout.length === 0) throw new GitError(args, exitCode, stderr)
  const [tree = '', ...paths] = stdout.toString('utf8').split('\0').slice(0, -1)
  return exitCode === 0 ? { outcome: 'clean', tree } : { outcome: 'conflict', paths }
}
