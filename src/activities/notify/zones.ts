import type { OffsetAt } from '#domain/working-hours'

const MINUTE = 60_000

const formats = new Map<string, Intl.DateTimeFormat>()

/** By the rules that this machine knows. Throws a `RangeError` for a zone that it does not. */
export const offsetAt: OffsetAt = (zone, instant) => {
  const time = Math.floor(Date.parse(instant) / 1_000) * 1_000
  const parts = Object.fromEntries(
    formatOf(zone)
      .formatToParts(time)
      .map(({ type, value }) => [type, Number(value)]),
  )
  const { year, month, day, hour, minute, second } = parts as Record<string, number>
  return (Date.UTC(year!, month! - 1, day, hour, minute, second) - time) / MINUTE
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone)
  if (known) return known
  const numeric = 'numeric'
  const made = new Intl.DateTimeFormat('en-u-ca-gregory-nu-latn', {
    ...{ timeZone, hourCycle: 'h23', year: numeric, month: numeric, day: numeric },
    ...{ hour: numeric, minute: numeric, second: numeric },
  })
  formats.set(timeZone, made)
  return made
}
