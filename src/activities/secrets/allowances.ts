import { createContext, Script } from 'node:vm'
import type { SecretAllowance } from '#domain/policy'
import type { Instant } from '#domain/pull-request'

const longestPattern = 512
const longestSubject = 512
/** Milliseconds that one allowance may take for one finding. */
const patience = 100

export type Allowances = {
  expired: SecretAllowance[]
  /** Whether an allowance covers the value, or `path:rule`. */
  allows(value: string, place: string): boolean
  notes(): string[]
}

/** What the base's policy accepts, at `now`. An allowance counts on its whole last day (UTC). */
export function createAllowances(allow: readonly SecretAllowance[], now: Instant): Allowances {
  const expired = allow.filter((entry) => isExpired(entry.until, now))
  const usable = new Map<SecretAllowance, Script>()
  const notes = new Set<string>()
  for (const entry of allow) {
    if (expired.includes(entry)) continue
    const script = compile(entry.pattern)
    if (script === null) notes.add(`the allowance "${entry.reason}" has no usable pattern`)
    else usable.set(entry, script)
  }
  const matches = (entry: SecretAllowance, script: Script, subject: string): boolean => {
    try {
      const context = createContext({ subject: subject.slice(0, longestSubject) })
      return script.runInContext(context, { timeout: patience }) === true
    } catch {
      notes.add(`the pattern of the allowance "${entry.reason}" takes too long and is left out`)
      usable.delete(entry)
      return false
    }
  }
  return {
    expired,
    allows: (value, place) =>
      [...usable].some(([entry, script]) => matches(entry, script, value) || matches(entry, script, place)),
    notes: () => [...notes],
  }
}

function isExpired(until: string, now: Instant): boolean {
  return until.length > 10 ? Date.parse(until) < Date.parse(now) : until < now.slice(0, 10)
}

/**
 * A catastrophic pattern on even 40 characters never ends, and V8 only interrupts a regular expression through the
 * time limit of `vm`. The script holds the pattern as a string literal, so it runs nothing of the policy's.
 */
function compile(pattern: string): Script | null {
  if (pattern === '' || pattern.length > longestPattern) return null
  try {
    new RegExp(pattern)
    return new Script(`new RegExp(${JSON.stringify(pattern)}).test(subject)`)
  } catch {
    return null
  }
}
