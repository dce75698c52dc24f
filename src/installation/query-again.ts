import { setTimeout as delay } from 'node:timers/promises'
import type { WorkflowClientInterceptor } from '@temporalio/client'
import { askAgain } from '#contracts/query'

const TRIES = 20
const PAUSE_MS = 100

/** Sends a query again that its worker refused because it was about to go on. */
export const queryAgain: WorkflowClientInterceptor = {
  async query(input, next) {
    for (let tried = 1; ; tried += 1) {
      try {
        return await next(input)
      } catch (error) {
        if (!(error instanceof Error) || !error.message.includes(askAgain) || tried >= TRIES) throw error
        await delay(PAUSE_MS)
      }
    }
  },
}
