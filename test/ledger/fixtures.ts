import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { DatabaseLedger } from '#ledger/port'
import { openLedger } from '#ledger/sqlite'

/** An empty ledger that is closed when the test ends; `address`: what opens it once more. */
export type TestLedger = DatabaseLedger & { address: string }
export type MakeLedger = () => Promise<TestLedger>

export async function temporaryFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-ledger-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return join(folder, 'state', 'ledger.sqlite')
}

export async function temporaryLedger(options: Parameters<typeof openLedger>[1] = {}): Promise<TestLedger> {
  const address = await temporaryFile()
  const ledger = await openLedger(address, { synchronous: 'normal', ...options })
  onTestFinished(() => ledger.close())
  return { ...ledger, address }
}
