import { describe } from 'vitest'
import { emptiedLedger } from '../../ledger/postgres-fixtures.ts'
import { hasPostgres } from '../../support/postgres-database.ts'
import { forgeContract } from './contract.ts'
import { localWorld } from './worlds.ts'

describe.skipIf(!hasPostgres)('with its records in PostgreSQL', () => {
  forgeContract('local', () => localWorld(() => emptiedLedger()))
})
