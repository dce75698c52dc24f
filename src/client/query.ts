import { setTimeout as delay } from 'node:timers/promises'
import type { Connected } from '#installation/installation'
import { askAgain } from '#contracts/query'

/** A query needs a worker; without one the server would hold it for long. */
const DEADLINE_MS = 5_000
const PAUSE_MS = 100

/** Sends a query, again where its worker was about to go on; after 5 seconds it throws as if no worker were there. */
export async function query<T>({ client }: Pick<Connected, 'client'>, ask: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + DEADLINE_MS
  for (;;) {
    try {
      return await client.withDeadline(deadline, ask)
    } catch (error) {
      const isEarly = error instanceof Error && error.message.includes(askAgain)
      if (!isEarly || Date.now() + PAUSE_MS >= deadline) throw error
      await delay(PAUSE_MS)
    }
  }
}
