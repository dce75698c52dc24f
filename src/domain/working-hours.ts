import type { Instant } from './pull-request.ts'
import type { TimeWindow } from './rules/condition.ts'

/** When somebody works, by the clocks of their zone. A window that ends before it begins ends on the next day. */
export type WorkingHours = TimeWindow & {
  /** An IANA name, such as Europe/Berlin. */
  zone: string
}

/** Minutes that clocks in a zone are ahead of UTC. The domain has no rules of zones: `Intl` has, outside of it. */
export type OffsetAt = (zone: string, instant: Instant) => number

const MINUTE = 60_000
const DAY = 86_400_000
const MINUTES_OF_DAY = 1_440
const MAX_DAYS_AHEAD = 8

/**
 * `now` itself while they work, else when they begin next. They work as long as the clocks of their zone say so: an hour
 * that a change of the clocks leaves out is none, one that comes twice is two. At most 8 days ahead, even where the
 * clocks leave out the only hours of a week.
 */
export function whenAtWork(hours: WorkingHours, now: Instant, offsetAt: OffsetAt): Instant {
  const start = Date.parse(now)
  const latest = start + MAX_DAYS_AHEAD * DAY
  const offset = (time: number) => offsetAt(hours.zone, toInstant(time)) * MINUTE
  if (isAtWork(hours, start + offset(start))) return now
  let time = start
  while (time < latest) {
    const current = offset(time)
    const next = Math.min(nextBeginning(hours, time + current) - current, time + DAY, latest)
    const reached = offset(next) === current ? next : changeBetween(time, next, offset)
    if (isAtWork(hours, reached + offset(reached))) return toInstant(reached)
    time = reached
  }
  return toInstant(latest)
}

/** Of what the clocks show, as if it were in UTC. */
function isAtWork({ days, from, to }: WorkingHours, shown: number): boolean {
  const minute = Math.floor((shown % DAY) / MINUTE)
  const works = (time: number) => days.includes(new Date(time).getUTCDay())
  if (from < to) return works(shown) && minute >= from && minute < to
  return (works(shown) && minute >= from) || (works(shown - DAY) && minute < to)
}

/** Of the next day on which they begin, after what the clocks show. */
function nextBeginning({ days, from }: WorkingHours, shown: number): number {
  const today = shown - (shown % DAY)
  for (let day = today; day <= today + 7 * DAY; day += DAY) {
    const beginning = day + (from % MINUTES_OF_DAY) * MINUTE
    if (beginning > shown && days.includes(new Date(day).getUTCDay())) return beginning
  }
  return Number.POSITIVE_INFINITY
}

/** The first moment with another offset than `from` has; `until` has another one. Clocks change at most once a day. */
function changeBetween(from: number, until: number, offset: (time: number) => number): number {
  const before = offset(from)
  let [low, high] = [from, until]
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (offset(middle) === before) low = middle
    else high = middle
  }
  return high
}

function toInstant(time: number): Instant {
  return new Date(time).toISOString()
}
