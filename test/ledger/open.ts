import type { DatabaseLedger } from '#ledger/port'
import { openPostgresLedger } from '#ledger/postgres'
import { openLedger } from '#ledger/sqlite'

/** Opens a test's ledger by its address: a file, or the URL of a database. */
export function openAt(address: string): Promise<DatabaseLedger> {
  return address.startsWith('postgres:') ? openPostgresLedger(address) : openLedger(address)
}
