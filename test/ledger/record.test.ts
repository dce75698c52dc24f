import { describe } from 'vitest'
import { answersContract } from './answers-contract.ts'
import { failuresContract } from './failures-contract.ts'
import { temporaryLedger } from './fixtures.ts'
import { raceContract } from './race-contract.ts'
import { recordContract } from './record-contract.ts'
import { statisticsContract } from './statistics-contract.ts'

describe('the ledger in SQLite', () => {
  recordContract(temporaryLedger)
  failuresContract(temporaryLedger)
  statisticsContract(temporaryLedger)
  answersContract(temporaryLedger)
  raceContract(temporaryLedger)
})
