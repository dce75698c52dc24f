import type { Commit, Person, Sha } from '#domain/pull-request'

export type MergeTree = { outcome: 'clean'; tree: Sha } | { outcome: 'conflict'; paths: string[] }

/** All that decides a commit's SHA: the same input is the same commit, so a retry makes nothing new. */
export type CommitInput = {
  tree: Sha
  parents: Sha[]
  message: string
  author: Person & { at: string }
  committer: Person & { at: string }
}

export type RebaseInput = {
  onto: Sha
  head: Sha
  committer: Person & { at: string }
  /** A line such as `Key: value`, added to the trailers of each commit that lacks it. */
  trailer: string
}

export type Rebase =
  /** `count`: how many commits were made; without any, `commit` is `onto`. */
  | { outcome: 'rebased'; commit: Sha; tree: Sha; count: number }
  /** `commit` is the first one that does not apply. */
  | { outcome: 'conflict'; commit: Sha; subject: string; paths: string[] }
  | { outcome: 'too-many'; limit: number }

/** A blob that a commit adds or changes, as the scanners read it. `text` is null for binary or oversized content. */
export type ChangedFile = { commit: Sha; path: string; size: number; binary: boolean; blob: Sha }

/**
 * Lines that a commit adds to a file, as one text of at most 64 KB. A longer one comes in pieces, each of which begins
 * with the last 16 KB of the one before. An empty line stands between lines that are not neighbours in the file.
 */
export type AddedText = {
  kind: 'text'
  commit: Sha
  path: string
  text: string
  /** The line in the new file, 1-based, of a position in `text`. Cheap when asked in ascending order. */
  lineAt(position: number): number
}

/** A blob that a commit adds or alters, and of which git shows no lines: it, or what it replaces, is binary. */
export type AddedBlob = { kind: 'binary'; commit: Sha; path: string; blob: Sha; size: number }

/** Each commit against its first parent (a root against the empty tree), or one tree or commit against another. */
export type Change = { commits: Sha[] } | { from: Sha; to: Sha; findRenames: boolean }

export type RefUpdate = { ref: string; to: Sha | null; from: Sha | null }

/**
 * Reads and writes objects and refs of one bare repository. Never uses a working tree, never runs a hook, a filter or
 * a command that the repository names (guides of git hardening: empty environment, one global file of our own).
 * Revisions are full SHAs or full ref names; anything else is refused before git sees it.
 *
 * Every method throws `GitError` (with argv, exit code and masked stderr) for what it doesn't name as an outcome.
 */
export interface GitRepository {
  readonly gitDir: string
  /** The commit a full ref points to, or null. */
  resolve(ref: string): Promise<Sha | null>
  /** All refs below a prefix such as `refs/heads/`, by full name. */
  refs(prefix: string): Promise<Map<string, Sha>>
  mergeBase(a: Sha, b: Sha): Promise<Sha | null>
  isAncestor(ancestor: Sha, descendant: Sha): Promise<boolean>
  treeOf(commit: Sha): Promise<Sha>
  commit(sha: Sha): Promise<Commit & { message: string; tree: Sha; committedAt: string }>
  /** The commits of `base..head`, oldest first. */
  commits(base: Sha, head: Sha): Promise<Commit[]>
  /** Whole messages of the commits of `base..head`. */
  messages(base: Sha, head: Sha): Promise<Map<Sha, string>>
  /** Paths that differ between two trees or commits, raw bytes decoded as UTF-8 with replacement. */
  changedPaths(from: Sha, to: Sha): Promise<string[]>
  /** Lines added and removed between two trees or commits; of a binary file none. */
  changedLines(from: Sha, to: Sha): Promise<number>
  /** Unified diff between two commits, cut at `maxBytes` (then `truncated`). */
  diff(from: Sha, to: Sha, maxBytes: number): Promise<{ text: string; truncated: boolean }>
  /** All that a change adds, however much: git goes on as it is taken, in memory that does not grow. */
  additions(change: Change, signal?: AbortSignal): AsyncIterable<AddedText | AddedBlob>
  /** Files that differ between two commits with the size and blob on the `to` side; deletions are left out. */
  changedFiles(from: Sha, to: Sha): Promise<ChangedFile[]>
  /** A file's content at a commit, or null when there is none. Throws over `maxBytes`. */
  readFile(commit: Sha, path: string, maxBytes: number): Promise<Buffer | null>
  readBlob(blob: Sha, maxBytes: number): Promise<Buffer>
  /** `git merge-tree --write-tree`: the merge of `theirs` into `ours`. */
  mergeTree(ours: Sha, theirs: Sha): Promise<MergeTree>
  /**
   * Makes the commits of `onto..head` anew on `onto`, without those that merge and those that change nothing any more.
   * Each keeps its author, its date and its message. The same input is the same commits.
   */
  rebase(input: RebaseInput): Promise<Rebase>
  commitTree(input: CommitInput): Promise<Sha>
  /**
   * One atomic `update-ref --stdin` transaction. `from: null` means "must not exist", `to: null` deletes;
   * `to` equal to `from` only verifies. Answers false, with nothing changed, when any old value differs.
   */
  updateRefs(updates: RefUpdate[]): Promise<boolean>
}
