import type { Finding } from '#domain/evidence'
import type { SecretAllowance } from '#domain/policy'
import type { Instant } from '#domain/pull-request'
import type { GitRepository } from '../git/port.ts'

export type SecretScan = {
  git: GitRepository
  /** Merge base and head: every commit between is scanned, and the diff as a whole. */
  base: string
  head: string
  allow: SecretAllowance[]
  now: Instant
  signal: AbortSignal
}

/**
 * `allowed`: findings that an allowance covers. `expired`: allowances past their date, which no longer count.
 * `notes`: what was not scanned, or which allowance is unusable, one sentence each.
 */
export type SecretScanOutcome = {
  findings: Finding[]
  allowed: number
  expired: SecretAllowance[]
  commits: number
  notes: string[]
}

/** Finds secrets in what a PR adds. A finding's message names the kind and shows at most 4 characters of the value. */
export interface SecretScanner {
  scan(input: SecretScan): Promise<SecretScanOutcome>
}
