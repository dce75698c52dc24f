import { LedgerError } from './port.ts'
import { RolledBackError } from './repeat.ts'

/** Classes and codes of https://www.postgresql.org/docs/15/errcodes-appendix.html. */
const ROLLED_BACK = ['40001', '40P01']
const BUSY = ['55P03', '57014']
const FULL = ['53100', '58030']
const CORRUPT = ['XX001', 'XX002']
const REFUSED = ['28000', '28P01', '3D000', '42501']

/** The connection itself is of no more use, whatever it may answer. */
export function fatal(error: unknown): boolean {
  return isUnavailable(error)
}

/** What the ledger's users know, of what the driver or the server said. `place`: the server, without a password. */
export function postgresError(error: unknown, place: string): unknown {
  if (error instanceof LedgerError || !(error instanceof Error)) return error
  const code = codeOf(error)
  const says = error.message
  if (ROLLED_BACK.includes(code)) {
    return new RolledBackError('busy', `The ledger at ${place} preferred another step to ours: ${says}.`, error)
  }
  if (BUSY.includes(code)) return new LedgerError('busy', `The ledger at ${place} is in use: ${says}.`, error)
  if (FULL.includes(code)) {
    return new LedgerError('full', `The ledger at ${place} can't be written: ${says}. Is its disk full?`, error)
  }
  if (CORRUPT.includes(code)) {
    return new LedgerError('corrupt', `The ledger at ${place} is damaged: ${says}. Restore it from a copy.`, error)
  }
  if (isRefused(error)) return new LedgerError('refused', `The ledger at ${place} refuses us: ${says}.`, error)
  if (isUnavailable(error)) {
    return new LedgerError('unavailable', `The ledger at ${place} does not answer: ${says || code}.`, error)
  }
  return error
}

/** Who we are, where we want in, or how we came is not right: the same again helps nothing. */
function isRefused(error: Error): boolean {
  const code = codeOf(error)
  return REFUSED.includes(code) || /CERT|SELF_SIGNED|UNABLE_TO/.test(code) || /^SASL|support SSL/.test(error.message)
}

/** Lost or never made connections, as the server (08, 53, 57P, 25P03), the system and the driver name them. */
function isUnavailable(error: unknown): boolean {
  const code = codeOf(error)
  if (/^(?:08...|57P..|53200|53300|53400|25006|25P03)$/.test(code)) return true
  if (/^E(?!RR_)[A-Z_]+$/.test(code)) return true
  return DRIVER.test(error instanceof Error ? error.message : '')
}

const DRIVER =
  /^(?:Connection terminated|Client (?:has encountered|was closed)|timeout e(?:xceeded|xpired)|Query read timeout)/

function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? code : ''
}
