import { createHash } from 'node:crypto'
import type { CommitInput, GitRepository, MergeTree, Rebase, RebaseInput, RefUpdate } from '#activities/git/port'
import type { Commit, Sha } from '#domain/pull-request'

/** Content by path. */
export type Files = Record<string, string>

type Kept = Commit & { tree: Sha }

/** What pipelines need of a repository. */
type Needed = Pick<
  GitRepository,
  | 'resolve'
  | 'refs'
  | 'isAncestor'
  | 'mergeBase'
  | 'treeOf'
  | 'mergeTree'
  | 'updateRefs'
  | 'commits'
  | 'changedLines'
  | 'readFile'
  | 'changedPaths'
  | 'messages'
  | 'rebase'
  | 'diff'
  | 'commitTree'
>

const author = { name: 'Ada Sample', email: 'ada@example.test' }

/** A repository in memory whose trees are files: what merges, what conflicts and which trees are equal is as in git. */
export class MemoryGit implements Needed {
  readonly gitDir: string
  readonly #refs = new Map<string, Sha>()
  readonly #commits = new Map<Sha, Kept>()
  readonly #trees = new Map<Sha, Files>()

  constructor(name: string) {
    this.gitDir = `memory:${name}`
  }

  /** Whatever else the port has is not used by pipelines on this repository. */
  asRepository(): GitRepository {
    return this as unknown as GitRepository
  }

  /** A commit of a person on top of `parent`; a path that is null goes. */
  add(parent: Sha | null, changes: Record<string, string | null>, subject: string, by = author): Sha {
    const files: Files = { ...(parent === null ? {} : this.files(parent)) }
    for (const [path, content] of Object.entries(changes)) {
      if (content === null) delete files[path]
      else files[path] = content
    }
    return this.#keep(this.#tree(files), parent === null ? [] : [parent], by, '2026-01-01T00:00:00.000Z', subject)
  }

  files(commit: Sha): Files {
    return this.#trees.get(this.#known(commit).tree)!
  }

  setBranch(name: string, sha: Sha | null): void {
    if (sha === null) this.#refs.delete(`refs/heads/${name}`)
    else this.#refs.set(`refs/heads/${name}`, sha)
  }

  branch(name: string): Sha | null {
    return this.#refs.get(`refs/heads/${name}`) ?? null
  }

  async resolve(ref: string): Promise<Sha | null> {
    return this.#refs.get(ref) ?? null
  }

  async refs(prefix: string): Promise<Map<string, Sha>> {
    return new Map([...this.#refs].filter(([ref]) => ref.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1)))
  }

  async isAncestor(ancestor: Sha, descendant: Sha): Promise<boolean> {
    return this.history(descendant).has(ancestor)
  }

  async mergeBase(a: Sha, b: Sha): Promise<Sha | null> {
    const ours = this.history(a)
    for (const sha of this.history(b)) if (ours.has(sha)) return sha
    return null
  }

  async treeOf(commit: Sha): Promise<Sha> {
    return this.#known(commit).tree
  }

  async commits(base: Sha, head: Sha): Promise<Commit[]> {
    const known = this.history(base)
    return [...this.history(head)]
      .filter((sha) => !known.has(sha))
      .reverse()
      .map((sha) => {
        const { tree: _tree, ...commit } = this.#known(sha)
        return commit
      })
  }

  async changedPaths(from: Sha, to: Sha): Promise<string[]> {
    const [before, after] = [this.files(from), this.files(to)]
    return [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((path) => before[path] !== after[path])
  }

  async readFile(commit: Sha, path: string): Promise<Buffer | null> {
    const content = this.files(commit)[path]
    return content === undefined ? null : Buffer.from(content)
  }

  /** Every line of a changed file counts. */
  async changedLines(from: Sha, to: Sha): Promise<number> {
    const files = [this.files(from), this.files(to)]
    const texts = (await this.changedPaths(from, to)).flatMap((path) => files.map((each) => each[path] ?? ''))
    return texts.reduce((sum, text) => sum + text.split('\n').length - 1, 0)
  }

  /** The names of what differs, as far as no pipeline looks into it. */
  async diff(from: Sha, to: Sha): Promise<{ text: string; truncated: boolean }> {
    return { text: (await this.changedPaths(from, to)).join('\n'), truncated: false }
  }

  async mergeTree(ours: Sha, theirs: Sha): Promise<MergeTree> {
    const base = await this.mergeBase(ours, theirs)
    const [ancestor, left, right] = [base === null ? {} : this.files(base), this.files(ours), this.files(theirs)]
    const merged: Files = {}
    const paths: string[] = []
    for (const path of new Set([...Object.keys(left), ...Object.keys(right)])) {
      const [was, l, r] = [ancestor[path], left[path], right[path]]
      if (l !== r && l !== was && r !== was) paths.push(path)
      const content = l === was ? r : l
      if (content !== undefined) merged[path] = content
    }
    return paths.length > 0 ? { outcome: 'conflict', paths } : { outcome: 'clean', tree: this.#tree(merged) }
  }

  async messages(base: Sha, head: Sha): Promise<Map<Sha, string>> {
    return new Map((await this.commits(base, head)).map(({ sha, subject }) => [sha, subject]))
  }

  async rebase({ onto, head, committer, trailer }: RebaseInput): Promise<Rebase> {
    let tip = onto
    let count = 0
    for (const { sha, parents, author: by, subject } of await this.commits(onto, head)) {
      if (parents.length > 1) continue
      const before = await this.treeOf(tip)
      const merged = await this.mergeTree(this.#keep(before, parents, by, '', 'beside'), sha)
      if (merged.outcome === 'conflict') return { ...merged, commit: sha, subject }
      if (merged.tree === before) continue
      tip = this.#keep(merged.tree, [tip], by, committer.at, `${subject}\n\n${trailer}`)
      count += 1
    }
    return { outcome: 'rebased', commit: tip, tree: await this.treeOf(tip), count }
  }

  async commitTree({ tree, parents, message, author: person, committer }: CommitInput): Promise<Sha> {
    return this.#keep(tree, parents, person, committer.at, message)
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
  history(sha: Sha): Set<Sha> {
    const seen = new Set([sha])
    for (const each of seen) for (const parent of this.#known(each).parents) seen.add(parent)
    return seen
  }

  #tree(files: Files): Sha {
    const sha = digest(JSON.stringify(Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1))))
    this.#trees.set(sha, files)
    return sha
  }

  #keep(tree: Sha, parents: Sha[], person: Commit['author'], at: string, subject: string): Sha {
    const sha = digest(JSON.stringify([tree, parents, person, at, subject]))
    this.#commits.set(sha, { sha, author: person, at, subject, parents, tree })
    return sha
  }

  #known(sha: Sha): Kept {
    const commit = this.#commits.get(sha)
    if (!commit) throw new Error(`there is no commit ${sha}`)
    return commit
  }
}

function digest(text: string): Sha {
  return createHash('sha1').update(text).digest('hex')
}
