import { createHash } from 'node:crypto'
import type { Sha } from '#domain/pull-request'
import type { MergeTree, RefUpdate } from '../git/port.ts'
import type { ForgeGit } from './engine.ts'

export type FakeCommit = { parents: Sha[]; tree: Sha }

/** A repository in memory: commits are names with parents, and whether two of them merge is what the test says. */
export class FakeGit implements ForgeGit {
  readonly #refs = new Map<string, Sha>()
  readonly #commits = new Map<Sha, FakeCommit>()
  readonly #conflicts = new Set<string>()

  /** Adds a commit. The same label is the same SHA. */
  commit(label: string, parents: Sha[] = []): Sha {
    const sha = digest(`commit ${label}`)
    this.#commits.set(sha, { parents, tree: digest(`tree ${label}`) })
    return sha
  }

  setBranch(name: string, sha: Sha | null): void {
    if (sha === null) this.#refs.delete(`refs/heads/${name}`)
    else this.#refs.set(`refs/heads/${name}`, sha)
  }

  /** From now on these two commits conflict. */
  setConflict(ours: Sha, theirs: Sha): void {
    this.#conflicts.add(`${ours} ${theirs}`)
  }

  async resolve(ref: string): Promise<Sha | null> {
    return this.#refs.get(ref) ?? null
  }

  async refs(prefix: string): Promise<Map<string, Sha>> {
    return new Map([...this.#refs].filter(([ref]) => ref.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1)))
  }

  async isAncestor(ancestor: Sha, descendant: Sha): Promise<boolean> {
    return this.#history(descendant).has(ancestor)
  }

  async mergeBase(a: Sha, b: Sha): Promise<Sha | null> {
    const ours = this.#history(a)
    for (const sha of this.#history(b)) if (ours.has(sha)) return sha
    return null
  }

  async treeOf(commit: Sha): Promise<Sha> {
    return this.#known(commit).tree
  }

  async mergeTree(ours: Sha, theirs: Sha): Promise<MergeTree> {
    if (this.#conflicts.has(`${ours} ${theirs}`)) return { outcome: 'conflict', paths: ['conflict.txt'] }
    return { outcome: 'clean', tree: digest(`merge ${ours} ${theirs}`) }
  }

  async updateRefs(updates: RefUpdate[]): Promise<boolean> {
    if (updates.some(({ ref, from }) => (this.#refs.get(ref) ?? null) !== from)) return false
    for (const { ref, to } of updates) {
      if (to === null) this.#refs.delete(ref)
      else this.#refs.set(ref, to)
    }
    return true
  }

  /** The commit and all before it, nearest first. */
  #history(sha: Sha): Set<Sha> {
    const seen = new Set([sha])
    for (const each of seen) for (const parent of this.#known(each).parents) seen.add(parent)
    return seen
  }

  #known(sha: Sha): FakeCommit {
    const commit = this.#commits.get(sha)
    if (!commit) throw new Error(`the fake has no commit ${sha}`)
    return commit
  }
}

function digest(text: string): Sha {
  return createHash('sha1').update(text).digest('hex')
}
