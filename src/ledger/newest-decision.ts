import type { ExpressionBuilder } from 'kysely'
import type { RecordTables, Tables } from './schema.ts'

type Scope = Tables & { decision: RecordTables['decisions'] }

/** Of the rows `decisions as decision`, those that no later decision about the same PR took the place of. */
export function isNewest({ not, exists, selectFrom }: ExpressionBuilder<Scope, 'decision'>) {
  return not(
    exists(
      selectFrom('decisions as newer')
        .select('newer.sequence')
        .whereRef('newer.repo', '=', 'decision.repo')
        .whereRef('newer.number', '=', 'decision.number')
        .where(({ and, or, eb, ref }) =>
          or([
            eb('newer.decided_at', '>', ref('decision.decided_at')),
            and([
              eb('newer.decided_at', '=', ref('decision.decided_at')),
              eb('newer.sequence', '>', ref('decision.sequence')),
            ]),
          ]),
        ),
    ),
  )
}
