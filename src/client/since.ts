import { parseDuration } from '#config/units'
import type { CommandContext } from './context.ts'
import { usageError } from './errors.ts'

/** `7d` before now, or an instant of its own, as the ledger keeps it. */
export function sinceFlag(context: Pick<CommandContext, 'now'>, text: string): string {
  const ago = parseDuration(text)
  if (ago !== null) return new Date(context.now().getTime() - ago).toISOString()
  const at = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(at))
    throw usageError(`--since takes a duration or an instant, not "${text}".`, 'For example 7d, or 2026-05-01T12:00Z.')
  return new Date(at).toISOString()
}

/** A count of things to show, from 1 to `most`. */
export function limitFlag(text: string, flag: string, most: number): number {
  const limit = Number(text)
  if (Number.isInteger(limit) && limit >= 1 && limit <= most) return limit
  throw usageError(`${flag} takes a number from 1 to ${most}.`)
}
