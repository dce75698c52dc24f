import type { CheckName, Milliseconds } from './policy.ts'
import type { Instant, Sha } from './pull-request.ts'

/** What a piece of evidence is about. `base` of a range is the merge base, so that a moving base does not void it. */
export type Subject = { kind: 'tree'; tree: Sha } | { kind: 'range'; base: Sha; head: Sha }

/**
 * How a check ended. `failed` and `timed-out` are the change's fault, `infrastructure` is ours (no disk, no slot, a
 * sandbox that can't start) and `interrupted` means that it was stopped before its end.
 */
export type CheckConclusion = 'passed' | 'failed' | 'timed-out' | 'infrastructure' | 'interrupted'

/** One thing a linter, scanner or reviewer reported. Its message never contains a secret. */
export type Finding = {
  rule: string
  message: string
  path: string | null
  /** 1-based. */
  line: number | null
  /** The commit in which it was found, for findings of a range. */
  commit: Sha | null
}

/** A log file outside history: where, what, and its masked last lines (≤ 4 KB). */
export type LogReference = { uri: string; sha256: string; bytes: number; tail: string }

/**
 * A test that failed. `since`: when it failed first after it last passed, in the runs of this check for the same pull
 * request; null where this is the first.
 */
export type TestFailure = { name: string; message: string; since: Instant | null }

/** What a check's own report (JUnit) says of its tests; at most 200 failures are kept, `failed` counts all. */
export type TestReport = { total: number; failed: number; skipped: number; failures: TestFailure[] }

/** The record of one finished check, in the ledger under `id`. */
export type Evidence = {
  id: string
  repo: string
  /** The PR that it was run for, by its own pipeline or the merge queue. Absent in what an earlier version recorded. */
  number?: number
  check: CheckName
  subject: Subject
  /** Digest of what was asked to run: command, setup, environment. */
  digest: string
  /** Digest of what it ran in: isolation and toolchain. null or absent: they don't decide its outcome. */
  surroundings?: string | null
  conclusion: CheckConclusion
  reason: string
  findings: Finding[]
  log: LogReference | null
  /** null or absent: the check writes no report. */
  tests?: TestReport | null
  startedAt: Instant
  finishedAt: Instant
  /** The workflow that asked for it. */
  workflowId: string
}

/**
 * What a check activity answers: the evidence, with at most 20 findings, and whether it was there before. A check that
 * could not run at all left no evidence: its `id` is empty.
 */
export type CheckResult = Omit<Evidence, 'repo' | 'number' | 'workflowId'> & { findingsTotal: number; reused: boolean }

/** The ledger's key for evidence about a subject. */
export function subjectKey(subject: Subject): string {
  return subject.kind === 'tree' ? `tree:${subject.tree}` : `range:${subject.base}..${subject.head}`
}

/** The ledger's key for what ran: a pass of other surroundings is not found. */
export function evidenceKey({ digest, surroundings }: Pick<Evidence, 'digest' | 'surroundings'>): string {
  return surroundings ? `${digest}+${surroundings}` : digest
}

/** Only passes are reused, never failures, and not after `maxAge`. */
export function isReusable(
  evidence: Pick<Evidence, 'conclusion' | 'finishedAt'>,
  now: Instant,
  maxAge: Milliseconds,
): boolean {
  return evidence.conclusion === 'passed' && Date.parse(now) - Date.parse(evidence.finishedAt) <= maxAge
}
