import { join, resolve } from 'node:path'
import type { Sha } from '#domain/pull-request'
import { readObject } from './blobs.ts'
import { commitTree, listCommits } from './commits.ts'
import { additions, changedFiles, changedLines, changedPaths, unifiedDiff } from './differences.ts'
import { looseCommit, looseMessages } from './loose.ts'
import { mergeTree } from './merge-tree.ts'
import type { GitRepository } from './port.ts'
import { rebase } from './rebase.ts'
import { listRefs, resolveRef, updateRefs } from './refs.ts'
import { sha } from './revisions.ts'
import { GitError, runGit } from './run.ts'

export { fetchInto, importBranch, initBareRepository } from './bare.ts'

/**
 * The repository in `gitDir`, a bare one or a working copy's `.git`, through git's command line. Nothing is opened or
 * kept: every method is one git process, or none where one small file of git's answers it.
 *
 * What works on objects runs in a git directory of our own that borrows the repository's objects. So git never sees
 * the repository's config there, and no filter, merge driver, diff command or replaced object in it has a say.
 */
export function openRepository(gitDir: string): GitRepository {
  const path = resolve(gitDir)
  const objects = join(path, 'objects')
  return {
    gitDir: path,
    resolve: (ref) => resolveRef(path, ref),
    refs: (prefix) => listRefs(path, prefix),
    updateRefs: (updates) => updateRefs(path, updates),
    mergeBase: (a, b) => mergeBase(objects, a, b),
    isAncestor: (ancestor, descendant) => isAncestor(objects, ancestor, descendant),
    treeOf: (commit) => treeOf(objects, commit),
    commit: (commit) => oneCommit(objects, commit),
    commits: (base, head) => commitsBetween(objects, base, head),
    messages: (base, head) => messagesBetween(objects, base, head),
    changedPaths: (from, to) => changedPaths(objects, from, to),
    changedLines: (from, to) => changedLines(objects, from, to),
    diff: (from, to, maxBytes) => unifiedDiff(objects, from, to, maxBytes),
    additions: (change, signal) => additions(objects, change, signal),
    changedFiles: (from, to) => changedFiles(objects, from, to),
    readFile: (commit, file, maxBytes) => readFile(objects, commit, file, maxBytes),
    readBlob: (blob, maxBytes) => readBlob(objects, blob, maxBytes),
    mergeTree: (ours, theirs) => mergeTree(objects, ours, theirs),
    rebase: (input) => rebase(objects, input),
    commitTree: (input) => commitTree(objects, input),
  }
}

async function mergeBase(objects: string, a: Sha, b: Sha): Promise<Sha | null> {
  const { exitCode, stdout } = await runGit({ objects, args: ['merge-base', sha(a), sha(b)], accept: [1] })
  return exitCode === 1 ? null : stdout.toString('latin1').trim()
}

async function isAncestor(objects: string, ancestor: Sha, descendant: Sha): Promise<boolean> {
  // The parent of a candidate, most times.
  const loose = await looseCommit(objects, descendant)
  if (loose?.parents.includes(sha(ancestor))) return true
  const args = ['merge-base', '--is-ancestor', sha(ancestor), sha(descendant)]
  return (await runGit({ objects, args, accept: [1] })).exitCode === 0
}

async function treeOf(objects: string, commit: Sha): Promise<Sha> {
  const loose = await looseCommit(objects, commit)
  if (loose) return loose.tree
  const { stdout } = await runGit({ objects, args: ['rev-parse', '--verify', `${sha(commit)}^{tree}`] })
  return stdout.toString('latin1').trim()
}

async function oneCommit(objects: string, commit: Sha) {
  const [found] = await listCommits(objects, ['--no-walk', sha(commit)])
  if (!found) throw new GitError(['rev-list'], null, `${commit} is not a commit`)
  return found
}

async function commitsBetween(objects: string, base: Sha, head: Sha) {
  const commits = await listCommits(objects, ['--topo-order', '--reverse', sha(head), `^${sha(base)}`])
  return commits.map(({ sha, author, at, subject, parents }) => ({ sha, author, at, subject, parents }))
}

async function messagesBetween(objects: string, base: Sha, head: Sha): Promise<Map<Sha, string>> {
  const loose = await looseMessages(objects, base, head)
  if (loose) return loose
  const commits = await listCommits(objects, [sha(head), `^${sha(base)}`])
  return new Map(commits.map(({ sha, message }) => [sha, message]))
}

async function readFile(objects: string, commit: Sha, file: string, maxBytes: number): Promise<Buffer | null> {
  // `<commit>:./x` would be relative to a working tree; a NUL would end the request.
  if (file === '' || (file.startsWith('.') && /^\.\.?(\/|$)/.test(file)) || file.includes('\0')) return null
  const found = await readObject(objects, `${sha(commit)}:${file}`, maxBytes)
  return found?.type === 'blob' ? found.content : null
}

async function readBlob(objects: string, blob: Sha, maxBytes: number): Promise<Buffer> {
  const found = await readObject(objects, sha(blob), maxBytes)
  if (found?.type !== 'blob')
    throw new GitError(['cat-file'], null, `${blob} is ${found ? `a ${found.type}` : 'missing'}`)
  return found.content
}
