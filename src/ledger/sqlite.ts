import { stat } from 'node:fs/promises'
import { openDatabase } from './database.ts'
import type { NodeSqliteOptions } from './node-sqlite.ts'
import type { DatabaseLedger, LedgerFacts } from './port.ts'
import { createRecord } from './record.ts'

/** The embedded ledger: one file, in which the local forge keeps its records too. */
export type SqliteLedger = DatabaseLedger

/**
 * Opens the ledger, making or migrating its file first. Safe for several processes at once. In one process all that
 * open the same file share its connection, with the options of the first; each closes its own.
 */
export async function openLedger(path: string, options: Partial<NodeSqliteOptions> = {}): Promise<SqliteLedger> {
  const { tables, close } = await openDatabase(path, { busyTimeout: 5_000, synchronous: 'full', ...options })
  return { ...createRecord(tables), tables, about: () => about(path), close }
}

async function about(path: string): Promise<LedgerFacts> {
  const sizes = [path, `${path}-wal`].map((file) =>
    stat(file).then(
      ({ size }) => size,
      () => 0,
    ),
  )
  const [main = 0, log = 0] = await Promise.all(sizes)
  return { store: 'sqlite', version: process.versions.sqlite ?? '', place: path, bytes: main + log }
}
