import { setTimeout } from 'node:timers/promises'
import { detached } from './errors.ts'

/** Sleeps, and ends with the interruption as soon as there is one. */
export async function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await setTimeout(milliseconds, undefined, { signal })
  } catch (error) {
    if (signal.aborted) throw detached()
    throw error
  }
}
