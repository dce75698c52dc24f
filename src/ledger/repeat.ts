import { setTimeout as delay } from 'node:timers/promises'
import { Kysely, type TransactionBuilder } from 'kysely'
import { LedgerError } from './port.ts'

/** The store undid the whole step in favour of another one: the same again is safe, and likely to succeed. */
export class RolledBackError extends LedgerError {}

const MOST_TRIES = 5
/** Milliseconds; each further wait may be twice as long. */
const LONGEST_FIRST_WAIT = 20

export async function repeatRolledBack<T>(step: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await step()
    } catch (error) {
      if (!(error instanceof RolledBackError) || attempt >= MOST_TRIES) throw error
      // At random, so that two that stood in each other's way don't meet again.
      await delay(Math.random() * LONGEST_FIRST_WAIT * 2 ** attempt)
    }
  }
}

/** Repeats a transaction as a whole when it was rolled back: its callback does nothing but speak to the store. */
export class RepeatingKysely<Tables> extends Kysely<Tables> {
  override transaction(): TransactionBuilder<Tables> {
    const builder = super.transaction()
    const once = builder.execute.bind(builder)
    return Object.assign(builder, { execute: (work: never) => repeatRolledBack(() => once(work)) })
  }
}
