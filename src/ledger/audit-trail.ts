import type { Insertable, Kysely } from 'kysely'
import { parse } from './json.ts'
import type { AuditEntry, AuditFilter } from './port.ts'
import type { RecordTables, Tables } from './schema.ts'

export function auditTrail(tables: Kysely<Tables>) {
  return {
    async appendAudit(entry: AuditEntry): Promise<void> {
      await tables
        .insertInto('audit')
        .values(auditRow(entry))
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    },
    async audit({ since, limit, ...same }: AuditFilter): Promise<AuditEntry[]> {
      let query = tables.selectFrom('audit').selectAll().orderBy('at', 'desc').orderBy('sequence', 'desc')
      for (const column of ['repo', 'number', 'actor', 'action'] as const) {
        const value = same[column]
        if (value !== undefined) query = query.where(column, '=', value)
      }
      if (since !== undefined) query = query.where('at', '>=', since)
      if (limit !== undefined) query = query.limit(limit)
      const rows = await query.execute()
      return rows.reverse().map(({ sequence: _, snapshot_id, details, ...entry }) => ({
        ...entry,
        snapshotId: snapshot_id,
        details: parse(details),
      }))
    },
  }
}

function auditRow({ snapshotId, details, ...entry }: AuditEntry): Insertable<RecordTables['audit']> {
  return { ...entry, snapshot_id: snapshotId, details: JSON.stringify(details) }
}
