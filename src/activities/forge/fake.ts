import type { Mergeable, Sha } from '#domain/pull-request'
import type { AuditEntry } from '#ledger/port'
import { createForge, type ForgeEffect, type ForgeGit, type Push } from './engine.ts'
import { FakeGit } from './fake-git.ts'
import { createMemoryRecords } from './memory-records.ts'
import { ForgeError, type Forge } from './port.ts'

/** `done-but-5xx`: the effect happened and the answer is lost. `409`: refused as if something had moved. */
export type Failure = '5xx' | 'done-but-5xx' | '409' | { status: 429; retryAfter: number }

export type ForgeMethod = Exclude<keyof Forge, 'kind'>

export type FakeForgeOptions = {
  /** Names of the repositories; `shop` unless told. */
  repositories?: string[]
  /** Repositories on disk instead of those in memory. */
  git?: (repo: string) => ForgeGit
  protectedBranches?: (repo: string) => string[]
  now?: () => string
  /** Told what is done to PRs, as the audit trail of the local forge. */
  audit?: (entry: AuditEntry) => Promise<void>
}

export type FakeForge = Forge & {
  /** Every effect that truly happened, in order: what a test believes. */
  readonly journal: ForgeEffect[]
  /** The repository in memory. Throws when the fake stands on repositories on disk. */
  repository(repo: string): FakeGit
  /** Moves, creates or deletes a branch as a push would, with its hint. */
  setBranch(repo: string, name: string, sha: Sha | null): void
  /** What `mergeability` and `getPullRequest` say of this PR from now on; null: what git says. */
  setMergeable(repo: string, number: number, mergeable: Mergeable | null): void
  /** The next call of this method fails so; several of them queue up. */
  failNext(method: ForgeMethod, failure: Failure): void
  /** What becomes of the hints that wait now. */
  disturbHints(repo: string, how: 'lose' | 'double' | 'reverse'): void
}

/** A forge in memory that fails on request. */
export function createFakeForge(options: FakeForgeOptions = {}): FakeForge {
  const records = createMemoryRecords(options.audit ?? (async () => undefined))
  const journal: ForgeEffect[] = []
  const pushes = new Map<string, Push[]>()
  const mergeables = new Map<string, Mergeable>()
  const repositories = new Map((options.repositories ?? ['shop']).map((name) => [name, new FakeGit()]))
  let pushed = 0

  const honest = createForge({
    kind: 'fake',
    records,
    git: (repo) => (repositories.has(repo) ? (options.git?.(repo) ?? repositories.get(repo) ?? null) : null),
    protectedBranches: options.protectedBranches ?? (() => ['main']),
    takePushes: (repo, store) => store((pushes.get(repo) ?? []).splice(0)),
    now: options.now ?? (() => new Date().toISOString()),
    happened: (effect) => journal.push(effect),
  })

  function repository(repo: string): FakeGit {
    const found = repositories.get(repo)
    if (!found || options.git) throw new Error(`the fake has no repository ${repo} in memory`)
    return found
  }

  const { forge, failNext } = failing(withMergeables(honest, mergeables))
  return {
    ...forge,
    journal,
    repository,
    failNext,
    setBranch(repo, name, sha) {
      repository(repo).setBranch(name, sha)
      pushes.set(repo, [...(pushes.get(repo) ?? []), { id: `push:${(pushed += 1)}`, branch: name }])
    },
    setMergeable(repo, number, mergeable) {
      if (mergeable) mergeables.set(`${repo}#${number}`, mergeable)
      else mergeables.delete(`${repo}#${number}`)
    },
    disturbHints(repo, how) {
      const waiting = records.hints.get(repo) ?? []
      const pushesWaiting = pushes.get(repo) ?? []
      records.hints.set(repo, disturbed(waiting, how))
      pushes.set(repo, disturbed(pushesWaiting, how))
    },
  }
}

function disturbed<Item>(items: Item[], how: 'lose' | 'double' | 'reverse'): Item[] {
  switch (how) {
    case 'lose':
      return []
    case 'double':
      return items.flatMap((item) => [item, item])
    case 'reverse':
      return items.toReversed()
  }
}

function withMergeables(forge: Forge, mergeables: Map<string, Mergeable>): Forge {
  return {
    ...forge,
    async getPullRequest(repo, number) {
      const pullRequest = await forge.getPullRequest(repo, number)
      return pullRequest && { ...pullRequest, mergeable: mergeables.get(`${repo}#${number}`) ?? pullRequest.mergeable }
    },
    async mergeability(repo, number) {
      const mergeable = await forge.mergeability(repo, number)
      return mergeables.get(`${repo}#${number}`) ?? mergeable
    },
  }
}

function failing(forge: Forge): { forge: Forge; failNext: FakeForge['failNext'] } {
  const planned = new Map<string, Failure[]>()
  const methods = Object.entries(forge).filter(([, value]) => typeof value === 'function')
  const wrapped = methods.map(([name, method]) => [
    name,
    async (...args: unknown[]) => {
      const failure = planned.get(name)?.shift()
      if (!failure) return method(...args)
      if (failure === '409' && name === 'merge') return refusedMerge(forge, args as [string, number])
      if (failure === 'done-but-5xx') await method(...args)
      throw errorOf(failure)
    },
  ])
  return {
    forge: { ...(Object.fromEntries(wrapped) as Omit<Forge, 'kind'>), kind: forge.kind },
    failNext: (method, failure) => planned.set(method, [...(planned.get(method) ?? []), failure]),
  }
}

/** GitHub's 409 for a merge: "Head branch was modified. Review and try the merge again." */
async function refusedMerge(forge: Forge, [repo, number]: [string, number]) {
  const actual = (await forge.getPullRequest(repo, number))?.head.sha ?? null
  return { outcome: 'refused', reason: 'head-moved', detail: 'Head branch was modified.', actual }
}

function errorOf(failure: Failure): ForgeError {
  if (typeof failure === 'object') {
    return new ForgeError('unavailable', 'The forge answered 429.', { retryAfter: failure.retryAfter })
  }
  if (failure === '409') return new ForgeError('conflict', 'The forge answered 409.')
  return new ForgeError('unavailable', 'The forge answered 502.')
}
