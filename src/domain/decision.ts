import type { CheckResult } from './evidence.ts'
import type { CheckName, PolicySource } from './policy.ts'
import type { Instant } from './pull-request.ts'
import type { RuleValues } from './rules/resolved.ts'

export type RuleOutcome = 'pass' | 'fail' | 'pending' | 'skipped'

/** One criterion: its outcome, why, and the id of the evidence it rests on. */
export type Rule = {
  rule: string
  outcome: RuleOutcome
  reason: string
  evidence: string | null
  rules?: Rule[]
  /** What a condition looked at and found; absent for criteria. */
  values?: RuleValues
  /** What somebody can do to make it pass; absent: nothing, or nothing is needed. */
  needs?: string
  /** People let it pass, and why. */
  overridden?: Overridden
}

export type Overridden = { by: string[]; reason: string; at: Instant }

export type Outcome = 'approve' | 'wait' | 'reject'

/** A policy evaluated on a snapshot. Stored with it, shown as stored, never made again at view time. */
export type Decision = {
  outcome: Outcome
  rules: Rule[]
  snapshotId: string
  policyDigest: string
  /** Where that policy came from, and why the base's own file did not apply. Absent in decisions of 0.1.0. */
  policy?: { source: PolicySource; problem: string | null }
  decidedAt: Instant
  /** When time alone would decide otherwise. Absent: never. */
  changesAt?: Instant
  /** It was only to be shown: nothing lands by it. */
  dryRun?: true
}

export type CheckResults = Record<CheckName, CheckResult>
