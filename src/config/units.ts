import { z } from 'zod'

const DURATION = /^(\d+(?:\.\d+)?) ?(ms|s|m|h|d|w)$/
const SIZE = /^(\d+(?:\.\d+)?) ?(B|KB|MB|GB|KiB|MiB|GiB)$/

const durationUnits: Record<string, number> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

const sizeUnits: Record<string, number> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
}

const TEN_YEARS = 3650 * 86_400_000

/** `15m` → 900000; null where it is not a duration. */
export function parseDuration(text: string): number | null {
  return parseUnit(text, DURATION, durationUnits)
}

/** `5MB` → 5000000, `5MiB` → 5242880; null where it is not a size. */
export function parseSize(text: string): number | null {
  return parseUnit(text, SIZE, sizeUnits)
}

function parseUnit(text: string, pattern: RegExp, units: Record<string, number>): number | null {
  const match = pattern.exec(text)
  if (!match) return null
  return Math.round(Number(match[1]) * (units[match[2] ?? ''] ?? Number.NaN))
}

/** A duration in text, milliseconds in the result. `min` and `max` in milliseconds. */
export function duration({ min = 1, max = TEN_YEARS, example = '15m' } = {}) {
  const error = `must be a duration such as ${example} (units ms, s, m, h, d, w)`
  return z
    .string({ error })
    .regex(DURATION, { error, abort: true })
    .refine((text) => inRange(parseDuration(text), min, max), {
      error: `must be a duration between ${formatDuration(min)} and ${formatDuration(max)}`,
    })
    .transform((text) => parseDuration(text) ?? 0)
}

/** A size in text, bytes in the result. */
export function size({ example = '5MB' } = {}) {
  const error = `must be a size such as ${example} (units B, KB, MB, GB, KiB, MiB, GiB)`
  return z
    .string({ error })
    .regex(SIZE, { error, abort: true })
    .refine((text) => inRange(parseSize(text), 1, 9e15), { error: 'must be a size between 1B and 9000000GB' })
    .transform((text) => parseSize(text) ?? 0)
}

function inRange(value: number | null, min: number, max: number): boolean {
  return value !== null && value >= min && value <= max
}

function formatDuration(milliseconds: number): string {
  const unit = ['d', 'h', 'm', 's'].find((name) => milliseconds % (durationUnits[name] ?? 1) === 0 && milliseconds > 0)
  return unit === undefined ? `${milliseconds}ms` : `${milliseconds / (durationUnits[unit] ?? 1)}${unit}`
}
