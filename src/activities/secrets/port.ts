import type { Finding } from '#domain/evidence'
import type { SecretAllowance } from '#domain/policy'
import type { Instant } from '#domain/pull-request'
import type { GitRepository } from '../git/port.ts'

type ScanRules = {
  allow: SecretAllowance[]
  now: Instant
  signal: AbortSignal
}

export type SecretScan = ScanRules & {
  git: GitRepository
  /** Merge base and head: every commit between is scanned with its message, and the diff as a whole. */
  base: string
  head: string
}

/** Texts that belong to a PR but not to its commits; `name` is what a person calls one of them. */
export type TextScan = ScanRules & { texts: { name: string; text: string }[] }

/**
 * `allowed`: findings that an allowance covers. `expired`: allowances past their date, which no longer count.
 * `unscanned`: what was too large to scan, one phrase each; a scan with any of it found nothing out about the rest.
 * `notes`: which allowance is unusable, one sentence each.
 */
export type SecretScanOutcome = {
  findings: Finding[]
  allowed: number
  expired: SecretAllowance[]
  commits: number
  unscanned: string[]
  notes: string[]
}

/** Finds secrets in what a PR adds. A finding's message names the kind and shows at most 4 characters of the value. */
export interface SecretScanner {
  scan(input: SecretScan): Promise<SecretScanOutcome>
  scanTexts(input: TextScan): Promise<Omit<SecretScanOutcome, 'commits' | 'unscanned'>>
}
