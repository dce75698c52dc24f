import { setTimeout as delay } from 'node:timers/promises'

const POLL_MS = 20

/** Polls until the answer is neither false, null nor undefined, and answers it; fails after `within` milliseconds. */
export async function until<T>(
  what: string,
  look: () => T | Promise<T>,
  within = 30_000,
): Promise<Exclude<T, false | null | undefined>> {
  const deadline = Date.now() + within
  for (;;) {
    const answer = await look()
    if (answer !== false && answer !== null && answer !== undefined) {
      return answer as Exclude<T, false | null | undefined>
    }
    if (Date.now() >= deadline) throw new Error(`after ${within} ms still not: ${what}`)
    await delay(POLL_MS)
  }
}
