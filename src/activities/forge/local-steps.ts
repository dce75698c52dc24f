import type { AuditEntry, LedgerTables } from '#ledger/port'
import type { NewHint } from './records.ts'

/** An empty id is named by its sequence when it is taken. */
export async function insertHints(tables: LedgerTables, repo: string, added: NewHint[]): Promise<void> {
  if (added.length === 0) return
  const rows = added.map((hint) => ({ ...hint, repo, id: hint.id ?? '' }))
  await tables.insertInto('forge_hints').values(rows).execute()
}

/** As `Ledger.appendAudit`, inside the transaction of the act itself. Answers how many were not there yet. */
export async function insertAudit(tables: LedgerTables, entries: AuditEntry[]): Promise<number> {
  let inserted = 0
  for (const { snapshotId, details, ...entry } of entries) {
    const { numInsertedOrUpdatedRows } = await tables
      .insertInto('audit')
      .values({ ...entry, snapshot_id: snapshotId, details: JSON.stringify(details) })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirstOrThrow()
    inserted += Number(numInsertedOrUpdatedRows ?? 0)
  }
  return inserted
}
