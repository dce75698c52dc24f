import type { Generated } from 'kysely'
import type { CheckConclusion } from '#domain/evidence'
import type { Outcome } from '#domain/decision'
import type { CheckName, MergeMethod } from '#domain/policy'
import type { Instant, PullRequestState, Review, Sha } from '#domain/pull-request'

/** Nested data as JSON text: no store needs to look into it, so both keep it alike. */
export type Json = string
/** 0 or 1: SQLite has no boolean. */
export type Flag = 0 | 1

/** The record's own tables. */
export type RecordTables = {
  policies: { digest: string; repo: string; policy: Json }
  good_policies: { repo: string; branch: string; digest: string; at: Instant }
  snapshots: { id: string; repo: string; number: number; snapshot: Json }
  evidence: {
    sequence: Generated<number>
    id: string
    repo: string
    check_name: CheckName
    subject: string
    digest: string
    conclusion: CheckConclusion
    finished_at: Instant
    evidence: Json
    started_at: Instant | null
    /** It tells of every test of the check whether it failed. */
    complete: Flag
    /** Null: of what an earlier version recorded. */
    number: number | null
  }
  test_failures: {
    evidence_id: string
    repo: string
    check_name: CheckName
    /** A name too long for an index is cut, with its digest. */
    test: string
    subject: string
    digest: string
    message: string
    at: Instant
  }
  /** Each decision and landing that rests on a piece of evidence. */
  evidence_uses: { evidence_id: string; used_by: string; repo: string; at: Instant }
  decisions: {
    sequence: Generated<number>
    workflow_id: string
    snapshot_id: string
    policy_digest: string
    repo: string
    number: number
    outcome: Outcome
    decided_at: Instant
    decision: Json
    /** The path to the first criterion that was not met: `firstFailing`. */
    failed_rule: string | null
  }
  landings: {
    sequence: Generated<number>
    repo: string
    branch: string
    commit_sha: Sha
    number: number
    head: Sha
    base: Sha
    tree: Sha
    evidence_id: string
    at: Instant
  }
  audit: {
    sequence: Generated<number>
    key: string
    at: Instant
    actor: string
    action: string
    repo: string
    number: number | null
    snapshot_id: string | null
    details: Json
  }
  /** What is too long for a workflow, by its SHA-256. */
  texts: { digest: string; text: string }
  remembered_answers: {
    id: string
    clarification: string
    scope: 'repository' | 'installation'
    repo: string | null
    title: string
    context: string
    value: string
    answered_by: Json
    comment: string
    at: Instant
  }
}

/** Where the local forge keeps what GitHub would keep. */
export type ForgeTables = {
  forge_pull_requests: {
    repo: string
    number: number
    title: string
    body: string
    author: string
    state: PullRequestState
    draft: Flag
    labels: Json
    head_ref: string
    head_sha: Sha
    base_ref: string
    base_sha: Sha
    merged_sha: Sha | null
    merged_tree: Sha | null
    merged_method: MergeMethod | null
    merged_at: Instant | null
    created_at: Instant
    updated_at: Instant
  }
  /** A row for each repository that has PRs: who opens one holds it, so that numbers are given one after the other. */
  forge_repositories: { repo: string }
  forge_reviews: {
    sequence: Generated<number>
    repo: string
    number: number
    author: string
    state: Review['state']
    head: Sha
    body: string
    at: Instant
  }
  forge_comments: {
    sequence: Generated<number>
    repo: string
    number: number
    key: string | null
    author: string
    body: string
    created_at: Instant
    updated_at: Instant
  }
  forge_reactions: {
    repo: string
    number: number
    /** The sequence of the comment. */
    comment: number
    reaction: '+1' | '-1' | 'eyes'
  }
  forge_checks: {
    repo: string
    head: Sha
    name: string
    status: 'queued' | 'in_progress' | 'completed'
    conclusion: 'success' | 'failure' | 'neutral' | null
    summary: string
    details_url: string | null
  }
  forge_hints: {
    sequence: Generated<number>
    repo: string
    id: string
    kind: 'push' | 'pull-request' | 'review' | 'comment'
    number: number | null
    ref: string | null
  }
}

export type Tables = RecordTables & ForgeTables
