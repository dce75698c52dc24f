import type { Kysely } from 'kysely'
import type { Decision } from '#domain/decision'
import type { Evidence, Subject } from '#domain/evidence'
import type { CheckName, Policy } from '#domain/policy'
import type { Instant, Sha, Snapshot } from '#domain/pull-request'
import type { ForgeTables, Tables } from './schema.ts'

export type { ForgeTables }

/** A ledger with its database, in which the local forge keeps its records too. */
export type DatabaseLedger = Ledger & { tables: LedgerTables }

/** The ledger's database, for the local forge, which keeps its records in the same store. */
export type LedgerTables = Kysely<Tables>

/** Who did what, when, through what, on which snapshot. Append-only. */
export type AuditEntry = {
  /** A key that makes a repeated write of the same act one entry. */
  key: string
  at: Instant
  actor: string
  /** `pr.created`, `pr.decided`, `pr.landed`, `branch.pushed-direct`, … */
  action: string
  repo: string
  number: number | null
  snapshotId: string | null
  details: Record<string, string | number | boolean | null>
}

export type AuditFilter = {
  repo?: string
  number?: number
  actor?: string
  action?: string
  since?: Instant
  limit?: number
}

/** One commit that became the tip of a base branch through the queue. */
export type Landing = {
  repo: string
  branch: string
  number: number
  head: Sha
  base: Sha
  commit: Sha
  tree: Sha
  /** The evidence that proves `tree`. */
  evidenceId: string
  at: Instant
}

/**
 * Reviewed: PRs with a decision; merged: PRs landed; approved and rejected: PRs whose newest decision is `approve` or
 * `reject`, landed or not. A PR whose newest decision is `wait`, such as a draft, is neither.
 */
export type PullRequestCounts = { reviewed: number; merged: number; approved: number; rejected: number }

/** A test that failed, and whose check then passed on the same subject and digest: nothing but chance had changed. */
export type FlakyTest = {
  repo: string
  check: CheckName
  test: string
  /** How many of its failures were of this kind. */
  failures: number
  lastFailedAt: Instant
}

export type StatisticsFilter = { repo?: string; since: Instant }

/** What happened at `since` or later. Durations are in milliseconds, of the newest 10,000 cases at most. */
export type Statistics = {
  /** PRs with a decision, and PRs that landed. */
  reviewed: number
  landed: number
  /** PRs whose newest decision is `reject`, by the path to its first failed criterion, most first. */
  refused: { reason: string; count: number }[]
  /** Ejections from the merge queue by their kind, most first. */
  ejected: { kind: string; count: number }[]
  /** From when a PR was opened until it landed. */
  toLand: number[]
  /** From a PR's last approval by the policy until it landed. */
  approvedToLand: number[]
  /** How long runs of each check took, whatever they ended in but infrastructure. */
  checks: { check: CheckName; durations: number[] }[]
  /** How often a decision or a landing rested on a piece of evidence, and how often that was not its first use. */
  evidence: { uses: number; reuses: number }
}

/** What makes two questions the same, where an answer to one may answer the other. `repo`: null for the installation. */
export type SameQuestion = {
  scope: 'repository' | 'installation'
  repo: string | null
  title: string
  /** The asker's key of what the answer depends on. */
  context: string
}

/** An answer that is used again where the same is asked. */
export type RememberedAnswer = SameQuestion & {
  /** 12 hex digits of the SHA-256 of scope, repository, title and context. */
  id: string
  /** The id of the workflow that got it. */
  clarification: string
  value: string
  by: string[]
  comment: string
  at: Instant
}

/** `place`: its file, or its server and database without a password. `bytes`: what it takes on disk. */
export type LedgerFacts = { store: 'sqlite' | 'postgres'; version: string; place: string; bytes: number }

export type RecordedDecision = Decision & { repo: string; number: number; workflowId: string }

/**
 * The durable record outside Temporal. Writes are idempotent by key: the same record again changes nothing, so an
 * activity may be repeated. Reads see every acknowledged write of any process on the same store.
 * Throws `LedgerError`; that is infrastructure, never an outcome. After `unavailable` a write may have happened.
 */
export interface Ledger {
  savePolicy(repo: string, digest: string, policy: Policy): Promise<void>
  policy(digest: string): Promise<Policy | null>
  /** The policy that last parsed on this base branch, for when the file there does not. */
  lastGoodPolicy(repo: string, branch: string): Promise<{ digest: string; policy: Policy } | null>
  markGoodPolicy(repo: string, branch: string, digest: string, at: Instant): Promise<void>

  saveSnapshot(snapshot: Snapshot): Promise<void>
  snapshot(id: string): Promise<Snapshot | null>

  /** With it, in one step, a row for each failure of `tests`. */
  saveEvidence(evidence: Evidence): Promise<void>
  evidence(id: string): Promise<Evidence | null>
  /**
   * Of each of these tests that failed in the runs of this check for this PR: when it failed first since the newest of
   * them, on any subject, that ended without its failure. A run tells that when it passed, or when it failed and its
   * report names every failure. What ran for other PRs counts neither way: they have nothing to do with this change.
   */
  failingSince(runs: { repo: string; number: number; check: CheckName }, tests: string[]): Promise<Map<string, Instant>>
  /** Those that failed at `since` (inclusive) or later, most failures first. */
  flakyTests(filter: { repo?: string; since?: Instant }): Promise<FlakyTest[]>
  /**
   * The newest pass for this subject and `evidenceKey`; failures are never found here. `inAnySurroundings`: `digest` is
   * that of the check alone, for those who only look; nothing may land on such a pass.
   */
  findPass(
    repo: string,
    check: CheckName,
    subject: Subject,
    digest: string,
    options?: { inAnySurroundings?: boolean },
  ): Promise<Evidence | null>

  /**
   * Keyed by workflow, snapshot and policy: each head is decided once per (base, policy). Checks that were run again
   * on the same facts may decide otherwise; then the decision with the later `decidedAt` takes the place of the other.
   */
  saveDecision(decision: RecordedDecision): Promise<void>
  /** Newest first. */
  decisions(repo: string, number: number): Promise<RecordedDecision[]>

  saveLanding(landing: Landing): Promise<void>
  /** Oldest first. */
  landings(repo: string, branch: string): Promise<Landing[]>

  appendAudit(entry: AuditEntry): Promise<void>
  /** Oldest first; with `limit` the newest ones. `since` is inclusive. */
  audit(filter: AuditFilter): Promise<AuditEntry[]>

  /** Under its SHA-256: what is there already stays. */
  saveText(digest: string, text: string): Promise<void>
  text(digest: string): Promise<string | null>

  /** One per id: the answer with the later `at` takes the place of the other. */
  rememberAnswer(answer: RememberedAnswer): Promise<void>
  rememberedAnswer(question: SameQuestion): Promise<RememberedAnswer | null>
  /** Newest first; of one repository, with those of the whole installation, or all. */
  rememberedAnswers(filter: { repo?: string }): Promise<RememberedAnswer[]>
  /** Whether there was one. */
  forgetAnswer(id: string): Promise<boolean>

  pullRequestCounts(repo: string | null): Promise<PullRequestCounts>
  statistics(filter: StatisticsFilter): Promise<Statistics>
  /** What it is, for people. */
  about(): Promise<LedgerFacts>
  close(): Promise<void>
}

/**
 * `full`: there is no room, or it can't be written. `busy`: another process is in the way for too long. `corrupt`: it is
 * damaged. `unavailable`: its server does not answer. `refused`: its server does not let us in.
 */
export type LedgerProblem = 'full' | 'busy' | 'corrupt' | 'unavailable' | 'refused'

export class LedgerError extends Error {
  readonly kind: LedgerProblem
  constructor(kind: LedgerProblem, message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'LedgerError'
    this.kind = kind
  }
}
