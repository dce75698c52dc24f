import type { Instant } from '#domain/pull-request'
import type { TimeCondition, TimeWindow } from '#domain/rules/condition'
import type { Interval, OpenTimes } from '#domain/rules/resolved'

const MINUTE = 60_000
const DAY = 86_400_000
/** Local days that are looked ahead: every window of a week comes twice. */
const MAX_DAYS = 15
const MAX_INTERVALS = 16

const dayNames = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

/** `Mon-Fri 09:00-17:00`, `Sat,Sun 22:00-06:00`, or `09:00-17:00` for every day; null where it is neither. */
export function parseWindow(text: string): TimeWindow | null {
  const match = /^(?:([a-z,-]+) +)?(\d\d):(\d\d)-(\d\d):(\d\d)$/i.exec(text.trim())
  if (!match) return null
  const days = match[1] === undefined ? [0, 1, 2, 3, 4, 5, 6] : parseDays(match[1])
  const from = minutesOf(match[2]!, match[3]!)
  const to = minutesOf(match[4]!, match[5]!)
  if (days === null || from === null || to === null || from === to || from === 24 * 60) return null
  return { days, from, to }
}

function parseDays(text: string): number[] | null {
  const days = new Set<number>()
  for (const part of text.toLowerCase().split(',')) {
    const [first, last = first, ...more] = part.split('-').map((name) => dayNames.indexOf(name))
    if (first === undefined || last === undefined || more.length > 0 || first < 0 || last < 0) return null
    for (let day = first; ; day = (day + 1) % 7) {
      days.add(day)
      if (day === last) break
    }
  }
  return [...days].sort()
}

function minutesOf(hours: string, minutes: string): number | null {
  const value = Number(hours) * 60 + Number(minutes)
  return Number(minutes) < 60 && value <= 24 * 60 ? value : null
}

/** Whether this machine knows the rules of a time zone. */
export function isZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

/** A date (its first moment in the zone), or a time with or without an offset; null where it is neither. */
export function parseInstant(text: string, zone: string): Instant | null {
  const match = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d))?(Z|[+-]\d\d:\d\d)?)?$/.exec(text.trim())
  if (!match) return null
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0)) as number[]
  const calendar = new Date(Date.UTC(year!, month! - 1, day!))
  if (calendar.getUTCMonth() !== month! - 1 || hour! > 23 || minute! > 59 || second! > 59) return null
  if (match[7] !== undefined) {
    const time = Date.parse(text.trim())
    return Number.isNaN(time) ? null : toInstant(time)
  }
  return toInstant(localTime(zone, calendar.getTime(), hour! * 60 + minute!) + second! * 1_000)
}

/**
 * When a condition of time holds from an instant on. A time of day that a change of the clocks leaves out is the
 * moment as long after it as it would have been; one that comes twice is the first.
 */
export function openTimes({ windows, zone, after, before }: TimeCondition, from: Instant): OpenTimes {
  const start = after === null ? 0 : Date.parse(after)
  const end = before === null ? Number.POSITIVE_INFINITY : Date.parse(before)
  const now = Date.parse(from)
  const bounded = (spans: Span[]) =>
    spans
      .map((span) => ({ from: Math.max(span.from, start), until: Math.min(span.until, end) }))
      .filter((span) => span.from < span.until && span.until > now)
  if (windows.length === 0) {
    return { open: bounded([{ from: 0, until: Number.POSITIVE_INFINITY }]).map(toInterval), knownUntil: null }
  }
  const firstDay = localDay(zone, Math.max(now, start)) - DAY
  const lookedAt = localTime(zone, firstDay + MAX_DAYS * DAY, 0)
  const spans = bounded(merged(spansOf(windows, zone, firstDay)))
  const known = spans.length > MAX_INTERVALS ? spans[MAX_INTERVALS]!.from : lookedAt
  return {
    open: spans.slice(0, MAX_INTERVALS).map(toInterval),
    knownUntil: known >= end ? null : toInstant(known),
  }
}

type Span = { from: number; until: number }

function spansOf(windows: TimeWindow[], zone: string, firstDay: number): Span[] {
  return Array.from({ length: MAX_DAYS }, (_, index) => firstDay + index * DAY).flatMap((day) =>
    windows
      .filter(({ days }) => days.includes(new Date(day).getUTCDay()))
      .map(({ from, to }) => ({
        from: localTime(zone, day, from),
        until: localTime(zone, to > from ? day : day + DAY, to),
      })),
  )
}

/** In order, and those that touch each other as one. */
function merged(spans: Span[]): Span[] {
  const joined: Span[] = []
  for (const span of [...spans].sort((a, b) => a.from - b.from)) {
    const last = joined.at(-1)
    if (last && span.from <= last.until) last.until = Math.max(last.until, span.until)
    else joined.push({ ...span })
  }
  return joined
}

/** Local midnight before an instant, as if it were in UTC. */
function localDay(zone: string, time: number): number {
  return Math.floor((time + offsetAt(zone, time)) / DAY) * DAY
}

/** The instant at which clocks in the zone show so many minutes of a local day. */
function localTime(zone: string, day: number, minutes: number): number {
  const shown = day + minutes * MINUTE
  const [earlier, later] = [offsetAt(zone, shown - DAY), offsetAt(zone, shown + DAY)]
  const found = [shown - earlier, shown - later].filter((time) => time + offsetAt(zone, time) === shown)
  return found.length > 0 ? Math.min(...found) : shown - earlier
}

const formats = new Map<string, Intl.DateTimeFormat>()

/** Milliseconds that clocks in the zone are ahead of UTC. */
function offsetAt(zone: string, time: number): number {
  const format = formats.get(zone) ?? formatOf(zone)
  formats.set(zone, format)
  const parts = Object.fromEntries(format.formatToParts(time).map(({ type, value }) => [type, Number(value)]))
  const { year, month, day, hour, minute, second } = parts as Record<string, number>
  const shown = Date.UTC(year!, month! - 1, day, hour, minute, second)
  return shown - Math.floor(time / 1_000) * 1_000
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const numeric = 'numeric'
  return new Intl.DateTimeFormat('en-u-ca-gregory-nu-latn', {
    ...{ timeZone, hourCycle: 'h23', year: numeric, month: numeric, day: numeric },
    ...{ hour: numeric, minute: numeric, second: numeric },
  })
}

function toInterval({ from, until }: Span): Interval {
  return { from: toInstant(from), until: Number.isFinite(until) ? toInstant(until) : null }
}

function toInstant(time: number): Instant {
  return new Date(time).toISOString()
}
