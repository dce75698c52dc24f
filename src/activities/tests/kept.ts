import { createHash, randomUUID } from 'node:crypto'
import { chmod, mkdir, readdir, rename, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { CommandPolicy } from '#domain/policy'
import type { Sha } from '#domain/pull-request'
import { openRepository } from '../git/repository.ts'
import { runGit } from '../git/run.ts'
import { kindOf, removeFolder } from './folders.ts'
import { hostId } from './host.ts'
import { identify, isAlive } from './leftovers.ts'
import { whenAborted } from './slots.ts'

/** Kept paths of one lockfile, ready to be shown in a tree. */
export type KeptPath = {
  source: string
  path: string
  /** Whether it has a place for what tools write between their runs, of which each run of ours gets an empty one. */
  hasCache: boolean
}

/** Babel, webpack, ESLint, Vite and others write here, and fail where they can't. */
export const cacheFolder = '.cache'

export type KeptPlan = {
  key: string
  /** The commit in whose checkout `setup` makes them. */
  madeAt: Sha
  paths: string[]
}

/** Days after which paths that no run used are removed. */
const unusedDays = 14
const dayMs = 86_400_000
const making = '.making-'

/**
 * Which kept paths a commit gets. Those that several PRs share are made by `setup` in a landed commit with the same
 * lockfile; a PR that changes the lockfile gets paths of its own tree, which no other tree's key names.
 */
export async function planKept(input: {
  repo: string
  gitDir: string
  commit: Sha
  trusted: Sha
  setup: string
  keep: NonNullable<CommandPolicy['keep']>
  /** What else decides what `setup` makes: the tools on PATH, the isolation. */
  surroundings: string
}): Promise<KeptPlan> {
  const { gitDir, commit, trusted, keep } = input
  const lockfile = await blobAt(gitDir, commit, keep.lockfile)
  // Without a lockfile nothing says which paths these are: one tree's are not another's.
  const named = lockfile !== null && (await blobAt(gitDir, trusted, keep.lockfile)) === lockfile
  const landed = commit === trusted || named
  const provenance = named ? 'landed' : `tree:${await openRepository(gitDir).treeOf(commit)}`
  const parts = [input.repo, lockfile, input.setup, keep.paths, input.surroundings, provenance]
  const key = createHash('sha256').update(JSON.stringify(parts)).digest('hex')
  return { key, madeAt: landed ? trusted : commit, paths: keep.paths }
}

export type KeptStore = {
  find(plan: KeptPlan): Promise<KeptPath[] | null>
  /** Moves the paths out of the tree in which `setup` ran. Answers what is wrong with them, or null. */
  store(plan: KeptPlan, tree: string): Promise<string | null>
  /** One after the other per plan in this process. Between processes, the first to store wins. */
  alone<Result>(plan: KeptPlan, signal: AbortSignal, make: () => Promise<Result>): Promise<Result>
}

export function createKeptStore(folder: string): KeptStore {
  const turns = new Map<string, Promise<void>>()

  async function alone<Result>({ key }: KeptPlan, signal: AbortSignal, make: () => Promise<Result>): Promise<Result> {
    const before = turns.get(key) ?? Promise.resolve()
    const turn = Promise.withResolvers<void>()
    const ended = before.then(() => turn.promise)
    turns.set(key, ended)
    // Not when this run ends: one that is cancelled while it waits must not let the next overtake whom it waited for.
    void ended.then(() => turns.get(key) === ended && turns.delete(key))
    try {
      await Promise.race([before, whenAborted(signal)])
      return await make()
    } finally {
      turn.resolve()
    }
  }

  async function find(plan: KeptPlan): Promise<KeptPath[] | null> {
    const entry = join(folder, plan.key)
    if ((await kindOf(entry)) !== 'folder') return null
    await utimes(entry, new Date(), new Date())
    const found: KeptPath[] = []
    for (const path of plan.paths) {
      const source = join(entry, path)
      if ((await kindOf(source)) === 'absent') continue
      // What `setup` itself put there is needed, and stays to be read.
      const inCache = await readdir(join(source, cacheFolder)).catch(() => null)
      found.push({ source, path, hasCache: inCache?.length === 0 })
    }
    return found
  }

  async function store(plan: KeptPlan, tree: string): Promise<string | null> {
    await prune(folder)
    const draft = join(folder, draftName())
    await mkdir(draft, { recursive: true, mode: 0o700 })
    try {
      for (const path of plan.paths) {
        const problem = await move(tree, draft, path)
        if (problem) return problem
      }
      // A competitor's are as good as ours.
      await rename(draft, join(folder, plan.key)).catch(async (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
      })
      return null
    } finally {
      await removeFolder(draft)
    }
  }

  return { find, store, alone }
}

/** A symbolic link is refused: bound into a sandbox, it would show whatever it points to. */
async function move(tree: string, draft: string, path: string): Promise<string | null> {
  const kind = await kindBelow(tree, path)
  if (kind === 'absent') return null
  if (kind === 'other') return `kept path ${JSON.stringify(path)} is not a folder or file`
  if (kind === 'folder') await chmod(join(tree, path), 0o755)
  // In a folder that is bound read-only no mount point can be made any more.
  if (basename(path) === 'node_modules' && (await kindBelow(tree, join(path, cacheFolder))) === 'absent')
    await mkdir(join(tree, path, cacheFolder))
  await mkdir(dirname(join(draft, path)), { recursive: true })
  await rename(join(tree, path), join(draft, path))
  return null
}

/** Makes the places in a tree where kept paths will be bound. Answers what is in the way, or null. */
export async function makeMountPoints(tree: string, kept: readonly KeptPath[]): Promise<string | null> {
  for (const { source, path } of kept) {
    const wanted = await kindOf(source)
    const found = await kindBelow(tree, path)
    if (found === 'absent') {
      await mkdir(dirname(join(tree, path)), { recursive: true })
      if (wanted === 'folder') await mkdir(join(tree, path))
      else await writeFile(join(tree, path), '')
    } else if (found !== wanted) {
      return `kept path ${JSON.stringify(path)} is something else in this commit`
    }
  }
  return null
}

/** Without a sandbox: links to the store, which trusted code alone may follow. */
export async function linkKept(tree: string, kept: readonly KeptPath[]): Promise<string | null> {
  const problem = await makeMountPoints(tree, kept)
  if (problem) return problem
  for (const { source, path } of kept) {
    await removeFolder(join(tree, path))
    await symlink(source, join(tree, path))
  }
  return null
}

/** Looks at every step of the way, so that a link in the tree leads nowhere. */
async function kindBelow(tree: string, path: string): Promise<Awaited<ReturnType<typeof kindOf>>> {
  let at = tree
  let kind: Awaited<ReturnType<typeof kindOf>> = 'folder'
  for (const part of path.split('/')) {
    if (kind !== 'folder') return 'other'
    at = join(at, part)
    kind = await kindOf(at)
    if (kind === 'absent') return 'absent'
  }
  return kind
}

/** `null` when the path may name something inside a tree, else why not. */
export function problemOfPath(path: string): string | null {
  const parts = path.split('/')
  const bad = path === '' || /\p{Cc}/u.test(path) || parts.some((part) => ['', '.', '..', '.git'].includes(part))
  return bad ? `${JSON.stringify(path)} is not a path inside the repository` : null
}

async function prune(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  for (const name of await readdir(folder)) {
    const path = join(folder, name)
    const age = Date.now() - (await stat(path).catch(() => ({ mtimeMs: Date.now() }))).mtimeMs
    if (name.startsWith(making)) {
      // Made within moments: after a day nobody is at it.
      if (isAbandoned(name) || age > dayMs) await removeFolder(path)
      continue
    }
    if (age < unusedDays * dayMs) continue
    // Renamed first: a run sees all of an entry or nothing.
    const doomed = join(folder, draftName())
    await rename(path, doomed).catch(() => {})
    await removeFolder(doomed)
  }
}

/** Names the host, too: the store is shared, and only there can be said whether its process lives. */
function draftName(): string {
  return `${making}${hostId()}-${process.pid}-${randomUUID()}`
}

function isAbandoned(draft: string): boolean {
  const [host, pid] = draft.slice(making.length).split('-')
  return host === hostId() && !isAlive(identify(Number(pid)))
}

async function blobAt(gitDir: string, commit: Sha, path: string): Promise<string | null> {
  const { stdout } = await runGit({
    args: ['ls-tree', '-z', commit, '--', path],
    objects: join(gitDir, 'objects'),
    env: { GIT_LITERAL_PATHSPECS: '1' },
  })
  return /^\d+ blob ([0-9a-f]+)\t/.exec(stdout.toString())?.[1] ?? null
}
