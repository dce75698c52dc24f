import type { Sha } from '#domain/pull-request'
import { withTrailer } from '#domain/trailers'
import { commitTree, identityLine } from './commits.ts'
import { mergeTree } from './merge-tree.ts'
import type { Rebase, RebaseInput } from './port.ts'
import { sha } from './revisions.ts'
import { GitError, runGit } from './run.ts'

/** Two processes of git for each. Above this a squash says more, and GitHub rebases no more than a hundred. */
export const MAX_REBASED_COMMITS = 1_000

/** A root commit's parent. */
const emptyTree = '4b825dc642cb6eb9a060e54bf8d69288fbee4904'

/** The parts of a commit that stay as they are, each byte a character: neither name nor message need be UTF-8. */
type Picked = {
  commit: Sha
  tree: Sha
  parent: Sha | null
  /** As git writes it, with its time zone. */
  author: string
  encoding: string | null
  message: string
}

type Tip = { commit: Sha; tree: Sha }

/**
 * `git rebase --empty=drop` without a working tree: each commit of `onto..head` that is no merge is made anew on the
 * one before. One that changes nothing any more is left out; one that never did is kept. A commit that the base has by
 * another name is no special case: it changes nothing any more.
 */
export async function rebase(objects: string, { onto, head, committer, trailer }: RebaseInput): Promise<Rebase> {
  const commits = await commitsToPick(objects, onto, head)
  if (commits.length > MAX_REBASED_COMMITS) return { outcome: 'too-many', limit: MAX_REBASED_COMMITS }
  const picks = await readPicks(objects, commits)
  const trees = await treesOf(objects, [sha(onto), ...picks.flatMap(({ parent }) => parent ?? [])])
  const signature = identityLine(committer)
  let tip: Tip = { commit: onto, tree: trees.get(onto)! }
  let count = 0
  for (const pick of picks) {
    const before = pick.parent === null ? emptyTree : trees.get(pick.parent)!
    const applied = await apply(objects, tip, pick, before)
    if (applied.outcome === 'conflict') return { ...applied, commit: pick.commit, subject: subjectOf(pick) }
    if (applied.tree === tip.tree && pick.tree !== before) continue
    const commit = await write(objects, pick, { tree: applied.tree, parent: tip.commit, committer: signature, trailer })
    tip = { commit, tree: applied.tree }
    count += 1
  }
  return { outcome: 'rebased', ...tip, count }
}

async function commitsToPick(objects: string, onto: Sha, head: Sha): Promise<Sha[]> {
  const limit = `--max-count=${MAX_REBASED_COMMITS + 1}`
  const args = ['rev-list', '--topo-order', '--no-merges', '--reverse', limit, sha(head), `^${sha(onto)}`]
  const { stdout } = await runGit({ objects, args })
  return stdout.toString('latin1').split('\n').slice(0, -1)
}

/** The tree of the tip with what a commit changed. Where nothing else changed, nothing needs to be merged. */
async function apply(objects: string, tip: Tip, pick: Picked, before: Sha) {
  if (before === tip.tree) return { outcome: 'clean' as const, tree: pick.tree }
  if (before === pick.tree) return { outcome: 'clean' as const, tree: tip.tree }
  return mergeTree(objects, await besides(objects, tip, pick), pick.commit, { unrelated: pick.parent === null })
}

/** `merge-tree` takes no merge base before git 2.40: a commit of the tip's tree whose only parent is the wanted one. */
function besides(objects: string, tip: Tip, { parent }: Picked): Promise<Sha> {
  const nobody = { name: 'Switchyard', email: 'switchyard@localhost', at: new Date(0).toISOString() }
  const parents = parent === null ? [] : [parent]
  return commitTree(objects, { tree: tip.tree, parents, message: '', author: nobody, committer: nobody })
}

async function write(
  objects: string,
  pick: Picked,
  { tree, parent, committer, trailer }: { tree: Sha; parent: Sha; committer: string; trailer: string },
): Promise<Sha> {
  const lines = [
    `tree ${tree}`,
    `parent ${parent}`,
    `author ${pick.author}`,
    `committer ${bytes(committer)}`,
    ...(pick.encoding === null ? [] : [`encoding ${pick.encoding}`]),
    '',
    withTrailer(pick.message, bytes(trailer)),
  ]
  const stdin = Buffer.from(lines.join('\n'), 'latin1')
  const { stdout } = await runGit({ objects, args: ['hash-object', '-t', 'commit', '-w', '--stdin'], stdin })
  return stdout.toString('latin1').trim()
}

function bytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}

/** A signature is left behind: it is of the commit that was. */
async function readPicks(objects: string, commits: Sha[]): Promise<Picked[]> {
  if (commits.length === 0) return []
  const args = ['cat-file', '--batch', '--buffer']
  const { stdout, truncated } = await runGit({ objects, args, stdin: `${commits.join('\n')}\n` })
  if (truncated) throw new GitError(args, null, 'more text in commits than can be read at once')
  let at = 0
  return commits.map((commit) => {
    const start = stdout.indexOf(0x0a, at) + 1
    const [, size] = /^[0-9a-f]{40} commit (\d+)\n$/.exec(stdout.toString('latin1', at, start)) ?? []
    if (size === undefined) throw new GitError(args, null, `${commit} is not a commit`)
    at = start + Number(size) + 1
    return pickOf(commit, stdout.toString('latin1', start, at - 1))
  })
}

function pickOf(commit: Sha, content: string): Picked {
  const end = content.indexOf('\n\n')
  const lines = (end < 0 ? content : content.slice(0, end)).split('\n')
  const value = (key: string) => lines.find((line) => line.startsWith(`${key} `))?.slice(key.length + 1) ?? null
  return {
    commit,
    tree: value('tree') ?? '',
    parent: value('parent'),
    author: value('author') ?? '',
    encoding: value('encoding'),
    message: end < 0 ? '' : content.slice(end + 2),
  }
}

function subjectOf({ message }: Picked): string {
  return Buffer.from(message.trimStart().split('\n')[0] ?? '', 'latin1').toString('utf8')
}

async function treesOf(objects: string, commits: Sha[]): Promise<Map<Sha, Sha>> {
  const distinct = [...new Set(commits)]
  const args = ['cat-file', '--batch-check=%(objectname)', '--buffer']
  const stdin = distinct.map((commit) => `${commit}^{tree}\n`).join('')
  const { stdout } = await runGit({ objects, args, stdin })
  const trees = stdout.toString('latin1').split('\n')
  return new Map(distinct.map((commit, index) => [commit, sha(trees[index] ?? '')]))
}
