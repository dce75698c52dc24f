import type { Selectable } from 'kysely'
import type { ForgeTables, LedgerTables } from '#ledger/port'
import type { Comment, Reaction } from './port.ts'
import { insertHints } from './local-steps.ts'
import type { ForgeRecords, NewComment } from './records.ts'

type Comments = Pick<ForgeRecords, 'addComment' | 'putComment' | 'comments' | 'newestComment' | 'putReaction'>

export function comments(database: LedgerTables): Comments {
  return {
    addComment: (repo, number, comment) =>
      database.transaction().execute(async (transaction) => {
        await touch(transaction, repo, number, comment)
        const row = await transaction
          .insertInto('forge_comments')
          .values(commentRow(repo, number, comment))
          .returningAll()
          .executeTakeFirstOrThrow()
        await insertHints(transaction, repo, [{ kind: 'comment', number, ref: null }])
        return toComment(row, new Map())
      }),
    putComment: (repo, number, comment) =>
      database.transaction().execute(async (transaction) => {
        await touch(transaction, repo, number, comment)
        const row = await transaction
          .insertInto('forge_comments')
          .values(commentRow(repo, number, comment))
          .onConflict((conflict) =>
            conflict
              .columns(['repo', 'number', 'key'])
              .doUpdateSet({ body: comment.body, updated_at: comment.updatedAt }),
          )
          .returningAll()
          .executeTakeFirstOrThrow()
        return toComment(row, await reactionsTo(transaction, repo, number))
      }),
    async comments(repo, number) {
      const rows = await ofPullRequest(database, repo, number).selectAll().orderBy('sequence').execute()
      const reactions = await reactionsTo(database, repo, number)
      return rows.map((row) => toComment(row, reactions))
    },
    async newestComment(repo, number) {
      const written = ofPullRequest(database, repo, number).where('key', 'is', null)
      const { newest } = await written.select(({ fn }) => fn.max('sequence').as('newest')).executeTakeFirstOrThrow()
      return newest === null ? null : String(newest)
    },
    async putReaction(repo, number, commentId, reaction) {
      const sequence = Number(commentId)
      if (!Number.isSafeInteger(sequence)) return false
      const found = await ofPullRequest(database, repo, number)
        .select('sequence')
        .where('sequence', '=', sequence)
        .executeTakeFirst()
      if (found === undefined) return false
      await database
        .insertInto('forge_reactions')
        .values({ repo, number, comment: sequence, reaction })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
      return true
    },
  }
}

function ofPullRequest(database: LedgerTables, repo: string, number: number) {
  return database.selectFrom('forge_comments').where('repo', '=', repo).where('number', '=', number)
}

/**
 * As on GitHub a comment updates its PR. It also takes the row's lock before the comment gets its number, so that none
 * appears behind one that a reader has seen.
 */
async function touch(tables: LedgerTables, repo: string, number: number, { updatedAt }: NewComment): Promise<void> {
  await tables
    .updateTable('forge_pull_requests')
    .set({ updated_at: updatedAt })
    .where('repo', '=', repo)
    .where('number', '=', number)
    .execute()
}

async function reactionsTo(tables: LedgerTables, repo: string, number: number): Promise<Map<string, Reaction[]>> {
  const rows = await tables
    .selectFrom('forge_reactions')
    .select(['comment', 'reaction'])
    .where('repo', '=', repo)
    .where('number', '=', number)
    .orderBy('reaction')
    .execute()
  const byComment = new Map<string, Reaction[]>()
  for (const { comment, reaction } of rows) {
    byComment.set(String(comment), [...(byComment.get(String(comment)) ?? []), reaction])
  }
  return byComment
}

function commentRow(repo: string, number: number, { createdAt, updatedAt, ...comment }: NewComment) {
  return { repo, number, ...comment, created_at: createdAt, updated_at: updatedAt }
}

function toComment(row: Selectable<ForgeTables['forge_comments']>, reactions: Map<string, Reaction[]>): Comment {
  const { sequence, key, author, body, created_at: createdAt, updated_at: updatedAt } = row
  const id = String(sequence)
  return { id, key, author, body, reactions: reactions.get(id) ?? [], createdAt, updatedAt }
}
