import { describe } from 'vitest'
import { hasPostgres } from '../support/postgres-database.ts'
import { answersContract } from './answers-contract.ts'
import { failuresContract } from './failures-contract.ts'
import { postgresLedger } from './postgres-fixtures.ts'
import { raceContract } from './race-contract.ts'
import { recordContract } from './record-contract.ts'
import { statisticsContract } from './statistics-contract.ts'

describe.skipIf(!hasPostgres)('the ledger in PostgreSQL', () => {
  recordContract(postgresLedger)
  failuresContract(postgresLedger)
  statisticsContract(postgresLedger)
  answersContract(postgresLedger)
  raceContract(postgresLedger)
})
