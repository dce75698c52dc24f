import type { CheckName, MergeMethod, PlannedCheck } from './policy.ts'
import type { Instant, Sha } from './pull-request.ts'

/** An entry as the queue keeps it. Criteria and checks are pinned by digest from when it entered. */
export type QueueEntry = {
  number: number
  head: Sha
  title: string
  snapshotId: string
  policyDigest: string
  /** Every check of the tree. Absent in entries of 0.1.0, as is `tests` in later ones: read with `pinnedChecks`. */
  checks?: PlannedCheck[]
  tests?: PlannedCheck
  evidenceMaxAge: number
  enqueuedAt: Instant
  enqueuedBy: string
  /**
   * It was decided as a change of the policy: no candidate holds it and another PR. Absent: it may land with others, and
   * a candidate that changes the policy is not made of it.
   */
  alone?: boolean
}

/** A commit made from the base and one PR, to be tested before it becomes the base. */
export type Candidate = {
  number: number
  head: Sha
  base: Sha
  commit: Sha
  tree: Sha
  method: MergeMethod
  /** By check, the pass that proves `tree`. Absent in candidates of 0.1.0, as is `evidenceId` in later ones: `proofsOf`. */
  proofs?: Record<CheckName, string>
  evidenceId?: string | null
}

export type MergeQueueState = {
  entries: QueueEntry[]
  candidate: Candidate | null
  base: { sha: Sha; tree: Sha } | null
  paused: { reason: string; until: Instant | null } | null
  /** By check that is left to prove, the tries of the entry at the front that ended in infrastructure failures. */
  attempts: Record<CheckName, number>
  /** How many PRs it landed. */
  landed: number
}

/** As an older version may have carried it: 0.1.0 counted the tries of its only check. */
export type CarriedQueue = Omit<MergeQueueState, 'attempts'> & { attempts: MergeQueueState['attempts'] | number }

/** What the queue does next; a closed list. */
export type QueueStep =
  | { kind: 'wait'; for: string }
  | { kind: 'build'; entry: QueueEntry }
  | { kind: 'test'; entry: QueueEntry; candidate: Candidate; checks: PlannedCheck[] }
  | { kind: 'land'; entry: QueueEntry; candidate: Candidate }

export function emptyQueue(): MergeQueueState {
  return { entries: [], candidate: null, base: null, paused: null, attempts: {}, landed: 0 }
}

export function carriedQueue({ attempts, ...state }: CarriedQueue): MergeQueueState {
  if (typeof attempts !== 'number') return { ...state, attempts }
  const checks = attempts > 0 && state.entries[0] ? pinnedChecks(state.entries[0]) : []
  return { ...state, attempts: Object.fromEntries(checks.map(({ name }) => [name, attempts])) }
}

/** Serial: the entry at the front is built on the current base, proven, landed; then the next. */
export function nextQueueStep(state: MergeQueueState): QueueStep {
  const entry = state.entries[0]
  if (state.paused) return { kind: 'wait', for: `paused: ${state.paused.reason}` }
  if (entry === undefined) return { kind: 'wait', for: 'a pull request' }
  const { candidate } = state
  if (candidate === null || !belongsTo(candidate, entry)) return { kind: 'build', entry }
  const checks = unprovenChecks(entry, candidate)
  return checks.length > 0 ? { kind: 'test', entry, candidate, checks } : { kind: 'land', entry, candidate }
}

/** The checks that a candidate of this entry must pass. An entry without any is refused when it would land. */
export function pinnedChecks({ checks, tests }: QueueEntry): PlannedCheck[] {
  return checks ?? (tests ? [tests] : [])
}

/** By check, the evidence that a candidate's tree passed. */
export function proofsOf({ proofs, evidenceId }: Candidate): Record<CheckName, string> {
  return proofs ?? (evidenceId ? { tests: evidenceId } : {})
}

/** What is left to prove of a candidate before it may land. */
export function unprovenChecks(entry: QueueEntry, candidate: Candidate): PlannedCheck[] {
  const proofs = proofsOf(candidate)
  return pinnedChecks(entry).filter(({ name }) => !Object.hasOwn(proofs, name))
}

export function withProof(candidate: Candidate, check: CheckName, evidenceId: string): Candidate {
  return { ...candidate, proofs: { ...proofsOf(candidate), [check]: evidenceId } }
}

/** The candidate passed a check, whose tries are over. */
export function withPass(state: MergeQueueState, candidate: Candidate, check: CheckName, id: string): MergeQueueState {
  const { [check]: _over, ...attempts } = state.attempts
  return { ...state, candidate: withProof(candidate, check, id), attempts }
}

export function attemptsOf({ attempts }: MergeQueueState, check: CheckName): number {
  return Object.hasOwn(attempts, check) ? attempts[check]! : 0
}

export function withAttempt(state: MergeQueueState, check: CheckName): MergeQueueState {
  return { ...state, attempts: { ...state.attempts, [check]: attemptsOf(state, check) + 1 } }
}

/** Whether something could not run and is to be tried again. */
export function hasAttempts({ attempts }: MergeQueueState): boolean {
  return Object.keys(attempts).length > 0
}

/** Who is at the front once the one at the front has landed. */
export function entryBehind(state: MergeQueueState): QueueEntry | null {
  return state.entries[1] ?? null
}

/** A candidate that was built ahead: taken if it is of the entry at the front and on the base that the queue knows. */
export function withCandidate(state: MergeQueueState, candidate: Candidate | null): MergeQueueState {
  const front = state.entries[0]
  if (candidate === null || front === undefined || !belongsTo(candidate, front)) return state
  return candidate.base === state.base?.sha ? { ...state, candidate } : state
}

function belongsTo(candidate: Candidate, entry: QueueEntry): boolean {
  return candidate.number === entry.number && candidate.head === entry.head
}

/** The same PR and head again changes nothing; a new head takes the place of the old one at the back. */
export function enqueueEntry(state: MergeQueueState, entry: QueueEntry): { state: MergeQueueState; position: number } {
  const present = state.entries.findIndex((other) => other.number === entry.number)
  if (present >= 0 && state.entries[present]!.head === entry.head) return { state, position: present + 1 }
  const entries = [...state.entries.filter((other) => other.number !== entry.number), entry]
  return { state: withEntries(state, entries), position: entries.length }
}

/** Takes an entry out; with another head than the one named it stays, for that message was about an older entry. */
export function removeEntry(state: MergeQueueState, number: number, head: Sha): MergeQueueState {
  const entries = state.entries.filter((entry) => entry.number !== number || entry.head !== head)
  return withEntries(state, entries)
}

/** Candidate and tries belong to the entry at the front, and go with it. */
function withEntries(state: MergeQueueState, entries: QueueEntry[]): MergeQueueState {
  const [before, after] = [state.entries[0], entries[0]]
  if (before?.number === after?.number && before?.head === after?.head) return { ...state, entries }
  return { ...state, entries, candidate: null, attempts: {} }
}
