/** A duration in milliseconds. */
export type Milliseconds = number

/** The four ways a PR's commits become one commit or a chain of them on the base. */
export type MergeMethod = 'merge' | 'squash' | 'rebase' | 'fast-forward'

/** The command of a `tests` check and where it may run. */
export type TestsPolicy = {
  run: string
  setup: string | null
  /** Paths that `setup` makes, kept between runs and keyed by the lockfile's content. */
  keep: { lockfile: string; paths: string[] } | null
  timeout: Milliseconds
  /** Tries more after infrastructure failures; a red test is never tried again. */
  retries: number
  /** Whether the command may use the network. `setup` always may. */
  network: boolean
  /** Names of variables passed through from the worker's environment. */
  env: string[]
}

/** A finding that the repository accepts: why, and until when (ISO date, exclusive of later days). */
export type SecretAllowance = { pattern: string; reason: string; until: string }

export type ReviewerPolicy = { name: string; run: string; timeout: Milliseconds }

export type ReviewPolicy = {
  maxFileSize: number
  forbiddenPaths: string[]
  reviewers: ReviewerPolicy[]
  /** Approvals of the PR's head by people other than its author. */
  approvals: number
}

/** A repository's rules with every default filled in, as read from `.switchyard.yaml` on the base branch. */
export type Policy = {
  version: 1
  base: string[]
  checks: {
    /** null: the repository declares no tests; then nothing lands. */
    tests: TestsPolicy | null
    secrets: { allow: SecretAllowance[] }
    review: ReviewPolicy
  }
  evidence: { maxAge: Milliseconds }
  merge: {
    auto: boolean
    method: MergeMethod
    message: string
    deleteBranch: boolean
    staleAfter: Milliseconds
  }
}

/** Where the policy that applies came from. `last-good`: the base's file does not parse. */
export type PolicySource = 'base' | 'init' | 'last-good'

export type CheckName = 'tests' | 'secrets' | 'review'

/** What a workflow knows of a policy: enough to run its pipeline; the whole stays in the ledger under `digest`. */
export type PolicyFacts = {
  digest: string
  source: PolicySource
  /** Why the base's own file does not apply, when it does not. */
  problem: string | null
  checks: PlannedCheck[]
  merge: Policy['merge']
  approvals: number
  evidenceMaxAge: Milliseconds
}

/** A check to run, as the policy asks for it. `digest` names its command, setup and environment. */
export type PlannedCheck = {
  name: CheckName
  digest: string
  timeout: Milliseconds
  retries: number
}
