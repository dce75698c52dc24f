import type { Milliseconds } from './policy.ts'
import type { Instant } from './pull-request.ts'

/** An instant so many milliseconds after another. */
export function after(instant: Instant, milliseconds: Milliseconds): Instant {
  return new Date(Date.parse(instant) + milliseconds).toISOString()
}
