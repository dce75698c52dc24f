import type { Ladder } from './clarification/question.ts'
import type { Limits } from './limits.ts'
import type { OverrideFacts, OverridePolicy } from './override.ts'
import type { ApprovalsRequired, RulePolicy } from './rules/condition.ts'

import type { CommandPermissions } from './comment-command.ts'

/** Where a repository keeps its policy, from its root. */
export const policyFileName = '.switchyard.yaml'

/** A duration in milliseconds. */
export type Milliseconds = number

/** The four ways a PR's commits become one commit or a chain of them on the base. */
export type MergeMethod = 'merge' | 'squash' | 'rebase' | 'fast-forward'

/** A check of the repository's own, `tests` among them: its command and where it may run. */
export type CommandPolicy = {
  run: string
  /** What its evidence is about. Absent in policies of 0.1.0: their one command is of the tree. */
  subject?: SubjectKind
  setup: string | null
  /** Paths that `setup` makes, kept between runs and keyed by the lockfile's content. */
  keep: { lockfile: string; paths: string[] } | null
  timeout: Milliseconds
  /** Tries more after infrastructure failures; a red test is never tried again. */
  retries: number
  /** Path or glob of the report that the command writes: JUnit, or SARIF where it ends in `.sarif`. null: none. */
  report?: string | null
  /** Whether the command may use the network. `setup` always may. */
  network: boolean
  /** Of `setup` and of the command each. Absent: the defaults. */
  limits?: Limits
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
  /** People or groups by whom. Absent: by anybody. */
  approvers?: string[]
  /** Missing approvals are asked for once nothing else is missing. Absent: nobody is asked. */
  askForApprovals?: true
}

/** A repository's rules with every default filled in, as read from `.switchyard.yaml` on the base branch. */
export type Policy = {
  version: 1
  base: string[]
  checks: {
    /** null: the repository declares no tests; then nothing lands, unless another check is of the tree. */
    tests: CommandPolicy | null
    secrets: { allow: SecretAllowance[] }
    review: ReviewPolicy
    /** Beside the tests, by name. Absent where the policy declares none. */
    own?: Record<CheckName, CommandPolicy>
  }
  evidence: { maxAge: Milliseconds }
  /** `dry-run`: all is decided and shown, nothing lands and nobody is told on the forge. Absent: `live`. */
  mode?: 'dry-run'
  /** Criteria of the repository's own. Absent: none. */
  rules?: RulePolicy[]
  /** What a PR that changes the policy needs besides. Absent: nothing. */
  policyChange?: ApprovalsRequired
  /** Who may tell its pipelines what. Absent where the policy does not say it. */
  commands?: CommandPermissions
  /** When what nobody answers makes itself heard, as far as it is not the default. */
  questions?: { approval?: Partial<Ladder>; escalation?: Partial<Ladder> }
  /** Criteria that people may let pass. Absent: none. */
  overrides?: OverridePolicy
  merge: {
    auto: boolean
    method: MergeMethod
    message: string
    /** Lines of a PR's body below which nothing gets into a message. Absent in policies of 0.1.0. */
    cutMarks?: string[]
    deleteBranch: boolean
    staleAfter: Milliseconds
  }
}

/** Where the policy that applies came from. `last-good`: the base's file does not parse. */
export type PolicySource = 'base' | 'init' | 'last-good'

/** `tests`, `secrets`, `review`, or a name that the policy gives to a check of its own. */
export type CheckName = string

/** Who runs a check: a command of the policy's, the scan for secrets, or the review. */
export type CheckKind = 'command' | 'secrets' | 'review'

/** `tree`: run again for each new tree. `range`: holds for the PR's head. */
export type SubjectKind = 'tree' | 'range'

/** What a workflow knows of a policy: enough to run its pipeline; the whole stays in the ledger under `digest`. */
export type PolicyFacts = {
  digest: string
  source: PolicySource
  /** Why the base's own file does not apply, when it does not. */
  problem: string | null
  checks: PlannedCheck[]
  merge: Policy['merge']
  approvals: number
  /** Missing approvals are asked for, so. Absent: nobody is asked. */
  askForApprovals?: Partial<Ladder>
  /** Absent: nothing may be overridden. */
  overrides?: OverrideFacts
  /** Absent: `live`. */
  mode?: 'dry-run'
  evidenceMaxAge: Milliseconds
}

/** A check to run, as the policy asks for it. `digest` names its command, setup and environment. */
export type PlannedCheck = {
  name: CheckName
  /** Absent in what 0.1.0 planned, as is `subject`: read both with `checkKind` and `subjectKind`. */
  kind?: CheckKind
  subject?: SubjectKind
  digest: string
  timeout: Milliseconds
  retries: number
}

/** The command checks of a policy, by name: its tests first, then what it declares beside them. */
export function commandsOf({ checks: { tests, own } }: Policy): Map<CheckName, CommandPolicy> {
  return new Map([...(tests ? [['tests', tests] as const] : []), ...Object.entries(own ?? {})])
}
