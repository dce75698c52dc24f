import { setImmediate } from 'node:timers/promises'
import type { Finding } from '#domain/evidence'
import { maskedText, maskValue } from '#domain/mask'
import type { SecretAllowance } from '#domain/policy'
import type { Instant, Sha } from '#domain/pull-request'
import type { SecretMatch } from '#domain/secret-patterns'
import { createAllowances } from './allowances.ts'

/** More than anybody reads; a scan that has as many ends there, for it has failed. */
const maxFindings = 1_000
/** Different values that look like secrets, allowed ones too, which are remembered to tell each of them once. */
const maxSeen = 10_000

export type Place = {
  /** Null for a text that is no file. */
  path: string | null
  /** What allowances call the place, and a person where there is no path. */
  name: string
  commit: Sha | null
  lineAt: ((position: number) => number) | null
}

export type Findings = ReturnType<typeof createFindings>

/** Collects findings, each secret once for its place: the earliest. */
export function createFindings(allow: readonly SecretAllowance[], now: Instant) {
  const allowances = createAllowances(allow, now)
  const list: Finding[] = []
  const seen = new Set<string>()
  let allowed = 0
  return {
    list,
    full: () => list.length >= maxFindings || seen.size >= maxSeen,
    /** Whether the policy accepts that this place is not scanned. */
    allowsUnscanned: (path: string) => allowances.allows(`${path}:unscanned`, `${path}:unscanned`),
    outcome: () => ({ findings: list, allowed, expired: allowances.expired, notes: allowances.notes() }),
    /** `own` tells whether a secret is the change's own; asked last, for it may read files. */
    async report(
      text: string,
      matches: SecretMatch[],
      place: Place,
      own: (value: string) => Promise<boolean> = async () => true,
    ): Promise<void> {
      for (const match of matches) {
        const value = text.slice(match.start, match.end)
        const key = JSON.stringify([place.path ?? place.name, value])
        if (seen.has(key) || this.full() || !(await own(value))) continue
        seen.add(key)
        if (allow.length > 0) await setImmediate()
        if (allowances.allows(value, `${place.name}:${match.rule}`)) allowed += 1
        else list.push(finding(match, value, place))
      }
    },
  }
}

function finding({ rule, kind, start }: SecretMatch, value: string, { path, name, commit, lineAt }: Place): Finding {
  return {
    rule,
    message: `${kind} ${maskValue(value)}${path === null ? ` in the ${name}` : ''}`,
    path: path === null ? null : maskedText(path),
    line: lineAt?.(start) ?? null,
    commit,
  }
}
