import type { Milliseconds } from '#domain/policy'
import type { NotifyTarget } from '../notify/port.ts'

/** A delivery that failed after so long kept a slot of the worker from others. */
const HANGS_AFTER: Milliseconds = 3_000
/** So long nobody else waits for it; then one tries. */
const REST: Milliseconds = 30_000
const MAX_TARGETS = 1_000

export type HangingTargets = {
  has(target: NotifyTarget): boolean
  /** `took`: until it was delivered, or failed. */
  note(target: NotifyTarget, result: { delivered: boolean; took: Milliseconds }): void
}

/**
 * The targets that hung when they were last tried by this process: while one of them keeps a hundred questions waiting,
 * those who are told through another are told at once.
 */
export function createHangingTargets(clock: () => Milliseconds = Date.now): HangingTargets {
  const until = new Map<string, Milliseconds>()
  return {
    has: (target) => (until.get(JSON.stringify(target)) ?? 0) > clock(),
    note(target, { delivered, took }) {
      const key = JSON.stringify(target)
      until.delete(key)
      if (delivered || took < HANGS_AFTER) return
      const [oldest] = until.keys()
      if (oldest !== undefined && until.size >= MAX_TARGETS) until.delete(oldest)
      until.set(key, clock() + REST)
    },
  }
}
