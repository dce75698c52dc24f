import type { Insertable, Kysely, Selectable } from 'kysely'
import { parse } from './json.ts'
import type { RememberedAnswer, SameQuestion } from './port.ts'
import type { RecordTables, Tables } from './schema.ts'

type Row = RecordTables['remembered_answers']

export function answers(tables: Kysely<Tables>) {
  return {
    async saveText(digest: string, text: string): Promise<void> {
      await tables
        .insertInto('texts')
        .values({ digest, text })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    },
    async text(digest: string): Promise<string | null> {
      const row = await tables.selectFrom('texts').select('text').where('digest', '=', digest).executeTakeFirst()
      return row?.text ?? null
    },
    async rememberAnswer(answer: RememberedAnswer): Promise<void> {
      const { id, ...content } = rowOf(answer)
      await tables
        .insertInto('remembered_answers')
        .values({ id, ...content })
        .onConflict((conflict) =>
          conflict
            .column('id')
            .doUpdateSet(content)
            // A late repetition of an older answer must not bring it back.
            .where('remembered_answers.at', '<=', content.at),
        )
        .execute()
    },
    async rememberedAnswer({ scope, repo, title, context }: SameQuestion): Promise<RememberedAnswer | null> {
      const row = await tables
        .selectFrom('remembered_answers')
        .selectAll()
        .where('scope', '=', scope)
        .where('title', '=', title)
        .where('context', '=', context)
        .where('repo', repo === null ? 'is' : '=', repo)
        .orderBy('at', 'desc')
        .limit(1)
        .executeTakeFirst()
      return row ? answerOf(row) : null
    },
    async rememberedAnswers({ repo }: { repo?: string }): Promise<RememberedAnswer[]> {
      let query = tables.selectFrom('remembered_answers').selectAll().orderBy('at', 'desc').orderBy('id')
      if (repo !== undefined) query = query.where(({ or, eb }) => or([eb('repo', '=', repo), eb('repo', 'is', null)]))
      return (await query.execute()).map(answerOf)
    },
    async forgetAnswer(id: string): Promise<boolean> {
      const { numDeletedRows } = await tables.deleteFrom('remembered_answers').where('id', '=', id).executeTakeFirst()
      return numDeletedRows > 0n
    },
  }
}

function rowOf({ by, ...answer }: RememberedAnswer): Insertable<Row> {
  return { ...answer, answered_by: JSON.stringify(by) }
}

function answerOf({ answered_by: by, ...row }: Selectable<Row>): RememberedAnswer {
  return { ...row, by: parse(by) }
}
