import type { Merged, Review } from '#domain/pull-request'
import type { AuditEntry } from '#ledger/port'
import type { Comment, Hint, NamedCheck } from './port.ts'
import type { ForgeRecords, NewComment, NewHint, PullRequestRecord } from './records.ts'

type Kept = PullRequestRecord & { reviews: Review[]; comments: Comment[] }

type Memory = {
  of(repo: string): Kept[]
  find(repo: string, number: number): Kept | undefined
  kept(repo: string, number: number): Kept
  hint(repo: string, added: NewHint[]): void
  audit(entry: AuditEntry): Promise<void>
  nextId(): number
}

/** Records in memory, for the fake. `hints` is open to the test, which loses, doubles and reorders them. */
export function createMemoryRecords(
  audit: (entry: AuditEntry) => Promise<void>,
): ForgeRecords & { hints: Map<string, Hint[]> } {
  const hints = new Map<string, Hint[]>()
  const memory = createMemory(hints, audit)
  return {
    hints,
    ...pullRequests(memory),
    ...conversation(memory),
    ...checks(),
    addHints: async (repo, added) => memory.hint(repo, added),
    takeHints: async (repo, limit) => getOrInsert(hints, repo, []).splice(0, limit),
  }
}

function createMemory(hints: Map<string, Hint[]>, audit: Memory['audit']): Memory {
  const pullRequests = new Map<string, Kept[]>()
  let sequence = 0
  const nextId = (): number => (sequence += 1)
  const of = (repo: string): Kept[] => getOrInsert(pullRequests, repo, [])
  const find = (repo: string, number: number): Kept | undefined => of(repo).find((each) => each.number === number)
  return {
    of,
    find,
    audit,
    nextId,
    kept(repo, number) {
      const record = find(repo, number)
      if (!record) throw new Error(`no record of ${repo}#${number}`)
      return record
    },
    hint(repo, added) {
      getOrInsert(hints, repo, []).push(...added.map((hint) => ({ ...hint, id: hint.id ?? `hint:${nextId()}` })))
    },
  }
}

function pullRequests(memory: Memory): Pick<ForgeRecords, 'insert' | 'get' | 'list' | 'update'> {
  const { of, find, kept, hint, audit } = memory
  return {
    async insert(record, entryOf) {
      const existing = of(record.repo).find((each) => each.state === 'open' && each.head.ref === record.head.ref)
      if (existing) return { existing: existing.number }
      const number = of(record.repo).length + 1
      of(record.repo).push({ ...structuredClone(record), number, reviews: [], comments: [] })
      await orUndo(audit(entryOf({ ...record, number })), () => of(record.repo).pop())
      hint(record.repo, [{ kind: 'pull-request', number, ref: record.head.ref }])
      return { number }
    },
    async get(repo, number) {
      const record = find(repo, number)
      return record ? publicPart(record) : null
    },
    list: async (repo, state) =>
      of(repo)
        .filter((each) => state === 'all' || each.state === state)
        .map(publicPart),
    async update(repo, number, from, { headSha, baseSha, baseRef, ...changes }, added, entries) {
      const record = kept(repo, number)
      if (!from.includes(record.state)) return false
      const before = structuredClone(record)
      Object.assign(record, structuredClone(changes))
      if (headSha) record.head.sha = headSha
      if (baseSha) record.base.sha = baseSha
      if (baseRef) record.base.ref = baseRef
      for (const entry of entries) await orUndo(audit(entry), () => Object.assign(record, before))
      hint(repo, added)
      return true
    },
  }
}

type Conversation = Pick<
  ForgeRecords,
  'addReview' | 'reviews' | 'addComment' | 'putComment' | 'comments' | 'newestComment' | 'putReaction'
>

function conversation({ find, kept, hint, audit, nextId }: Memory): Conversation {
  const reviewed = new Set<string>()
  function addComment(repo: string, number: number, comment: NewComment): Comment {
    const record = kept(repo, number)
    const added: Comment = { ...comment, id: String(nextId()), reactions: [] }
    record.comments.push(added)
    record.updatedAt = comment.createdAt
    return structuredClone(added)
  }
  return {
    async addReview(repo, number, review, entry, once) {
      const { reviews } = kept(repo, number)
      if (once && reviewed.has(entry.key)) return false
      reviewed.add(entry.key)
      reviews.push({ ...review })
      await orUndo(audit(entry), () => reviewed.delete(entry.key) && reviews.pop())
      hint(repo, [{ kind: 'review', number, ref: null }])
      return true
    },
    reviews: async (repo, number) => structuredClone(find(repo, number)?.reviews ?? []),
    async addComment(repo, number, comment) {
      hint(repo, [{ kind: 'comment', number, ref: null }])
      return addComment(repo, number, comment)
    },
    async putComment(repo, number, comment) {
      const existing = kept(repo, number).comments.find((each) => each.key === comment.key)
      if (!existing) return addComment(repo, number, comment)
      return structuredClone(Object.assign(existing, { body: comment.body, updatedAt: comment.updatedAt }))
    },
    comments: async (repo, number) => structuredClone(find(repo, number)?.comments ?? []),
    newestComment: async (repo, number) =>
      find(repo, number)?.comments.findLast((comment) => comment.key === null)?.id ?? null,
    async putReaction(repo, number, commentId, reaction) {
      const comment = find(repo, number)?.comments.find(({ id }) => id === commentId)
      if (comment) comment.reactions = [...new Set([...comment.reactions, reaction])].sort()
      return comment !== undefined
    },
  }
}

function checks(): Pick<ForgeRecords, 'putCheck' | 'checks'> {
  const byHead = new Map<string, NamedCheck[]>()
  return {
    async putCheck(repo, head, check) {
      const others = (byHead.get(`${repo} ${head}`) ?? []).filter((each) => each.name !== check.name)
      byHead.set(
        `${repo} ${head}`,
        [...others, { ...check }].sort((a, b) => (a.name < b.name ? -1 : 1)),
      )
    },
    checks: async (repo, head) => structuredClone(byHead.get(`${repo} ${head}`) ?? []),
  }
}

function publicPart({ reviews: _, comments: __, ...record }: Kept): PullRequestRecord {
  return structuredClone(record) as PullRequestRecord & { merged: Merged | null }
}

/** What can't be audited did not happen. */
async function orUndo(audited: Promise<void>, undo: () => unknown): Promise<void> {
  await audited.catch((error: unknown) => {
    undo()
    throw error
  })
}

function getOrInsert<Value>(map: Map<string, Value>, key: string, initial: Value): Value {
  const value = map.get(key) ?? initial
  map.set(key, value)
  return value
}
