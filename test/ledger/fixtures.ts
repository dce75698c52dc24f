import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { openLedger } from '#ledger/sqlite'

export async function temporaryFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-ledger-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return join(folder, 'state', 'ledger.sqlite')
}

export async function temporaryLedger(options: Parameters<typeof openLedger>[1] = {}) {
  const ledger = await openLedger(await temporaryFile(), { synchronous: 'normal', ...options })
  onTestFinished(() => ledger.close())
  return ledger
}
