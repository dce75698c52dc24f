import { ApplicationFailure } from '@temporalio/activity'
import { evidenceKey, isReusable, type Evidence } from '#domain/evidence'
import { pinnedChecks, proofsOf, type Candidate, type QueueEntry } from '#domain/merge-queue'
import { policyFileName, type PlannedCheck } from '#domain/policy'
import type { Merged, Sha } from '#domain/pull-request'
import { forbiddenPaths } from '#domain/review'
import { oneLine, plainText } from '#domain/text'
import type { Ledger } from '#ledger/port'
import { recallHold } from '../forge/commands.ts'
import type { Forge, MergeRefusal } from '../forge/port.ts'
import type { GitRepository } from '../git/port.ts'
import { pathMatcher } from '../review/paths.ts'
import type { CommandRunner } from '../tests/port.ts'
import { landingCommit, type LandingRefusal } from './landing-commit.ts'

/** Characters of a path in a reason. */
const MAX_PATH = 200

export type MergeTools = {
  forge: Forge
  ledger: Ledger
  repository: (repo: string) => GitRepository
  /** What checks run in on this host: a pass of other surroundings is left to a worker that has them. */
  runner: Pick<CommandRunner, 'surroundings'>
}

export type BuildRequest = {
  repo: string
  branch: string
  entry: QueueEntry
  /** The base as the queue knows it; saves a look at its tree. */
  knownBase: { sha: Sha; tree: Sha } | null
}

export type BuiltCandidate = { outcome: 'built'; candidate: Candidate; base: { sha: Sha; tree: Sha } }

export type BuildOutcome = BuiltCandidate | LandingRefusal | { outcome: 'no-base' }

export type LandRequest = {
  repo: string
  branch: string
  entry: QueueEntry
  candidate: Candidate
  /** The entry behind it, whose candidate is built on the new base in the same step: that saves a dispatch. */
  next?: QueueEntry | null
}

export type LandOutcome =
  /** `next`: the candidate of the entry that was named as the next one, where it could be built at once. */
  | { outcome: 'landed'; merged: Merged; next?: BuiltCandidate | null }
  | { outcome: 'refused'; reason: MergeRefusal; detail: string }

export type MergeActivities = ReturnType<typeof createMergeActivities>

export function createMergeActivities(tools: MergeTools) {
  const { forge, ledger } = tools
  return {
    /**
     * Makes the commit that would become the base, on the base of this moment, and looks for a pass of its tree.
     * The same entry on the same base is the same commit, so an attempt may be repeated.
     */
    async buildCandidate(request: BuildRequest): Promise<BuildOutcome> {
      return build(tools, request)
    },

    /**
     * Moves the base to the candidate in one step, if its own tree passed and head and base are where it was made;
     * then builds the next candidate. The forge reads before it acts, so an attempt that follows a landing recognises it.
     */
    async landCandidate(request: LandRequest): Promise<LandOutcome> {
      const { repo, branch, entry, candidate, next } = request
      await requireProof(ledger, request)
      const refusal = await requireApproval(ledger, request)
      if (refusal !== null) return { outcome: 'refused', ...refusal }
      const result = await forge.merge(repo, entry.number, {
        commit: candidate.commit,
        tree: candidate.tree,
        base: branch,
        expectedHead: candidate.head,
        expectedBase: candidate.base,
        method: candidate.method,
        at: new Date().toISOString(),
        actor: entry.enqueuedBy,
      })
      if (result.outcome === 'refused') return { outcome: 'refused', reason: result.reason, detail: result.detail }
      const { sha, tree, at } = result
      const knownBase = { sha: candidate.commit, tree: candidate.tree }
      const [built] = await Promise.all([
        next ? buildNext(tools, { repo, branch, entry: next, knownBase }) : null,
        record(ledger, request, at),
      ])
      return { outcome: 'landed', merged: { sha, tree, method: candidate.method, at }, next: built }
    },
  }
}

async function build(tools: MergeTools, { repo, branch, entry, knownBase }: BuildRequest): Promise<BuildOutcome> {
  const { forge, ledger, repository } = tools
  const git = repository(repo)
  const baseSha = await forge.branch(repo, branch)
  if (baseSha === null) return { outcome: 'no-base' }
  const base = knownBase?.sha === baseSha ? knownBase : { sha: baseSha, tree: await git.treeOf(baseSha) }
  const made = await landingCommit({ ledger, git }, { entry, branch, base })
  if (made.outcome !== 'made') return made
  const { commit, tree, method, forbidden } = made
  const refusal = refusalOfPaths(await git.changedPaths(base.sha, commit), { entry, branch, forbidden })
  if (refusal !== null) return refusal
  const candidate: Candidate = {
    number: entry.number,
    head: entry.head,
    base: base.sha,
    commit,
    tree,
    method,
    proofs: await findProofs(tools, repo, entry, tree),
  }
  return { outcome: 'built', candidate, base }
}

/**
 * The review looked at the range of the pull request. What lands may change more: by a merge in the head, or a rename on
 * the base. What nobody decided as a change of the policy is none, and what the policy forbids is forbidden.
 */
function refusalOfPaths(
  paths: string[],
  { entry, branch, forbidden }: { entry: QueueEntry; branch: string; forbidden: string[] },
): LandingRefusal | null {
  const blocked = (what: string): LandingRefusal => {
    return { outcome: 'refused', kind: 'blocked', reason: `on ${branch} as it is now it changes ${what}` }
  }
  if (!entry.alone && paths.includes(policyFileName))
    return blocked(`${policyFileName}, and it was not decided as a change of the policy`)
  const [found] = forbiddenPaths(paths, pathMatcher(forbidden))
  return found ? blocked(`${oneLine(plainText(found.path ?? ''), MAX_PATH)}, and ${found.message}`) : null
}

/** The passes that the tree has already, by check. */
async function findProofs(
  { ledger, runner }: Pick<MergeTools, 'ledger' | 'runner'>,
  repo: string,
  entry: QueueEntry,
  tree: Sha,
): Promise<Record<string, string>> {
  const now = new Date().toISOString()
  const surroundings = await runner.surroundings()
  const found = await Promise.all(
    pinnedChecks(entry).map(async ({ name, digest }) => {
      const pass = await ledger.findPass(repo, name, { kind: 'tree', tree }, evidenceKey({ digest, surroundings }))
      return pass && isReusable(pass, now, entry.evidenceMaxAge) ? [[name, pass.id] as const] : []
    }),
  )
  return Object.fromEntries(found.flat())
}

/** A merge that takes longer is not waited for: what has landed must be told. */
const AHEAD_MS = 1_000

/** Whatever hinders it must not make a landing fail: the queue then builds the candidate as a step of its own. */
async function buildNext(tools: MergeTools, request: BuildRequest): Promise<BuiltCandidate | null> {
  try {
    const late = new Promise<null>((resolve) => setTimeout(resolve, AHEAD_MS, null).unref())
    const result = await Promise.race([build(tools, request), late])
    return result?.outcome === 'built' ? result : null
  } catch {
    return null
  }
}

/** What lands has a pass of its own tree by each of the very checks that the entry entered with, and by one at least. */
async function requireProof(ledger: Ledger, { repo, entry, candidate }: LandRequest): Promise<void> {
  const checks = pinnedChecks(entry)
  if (checks.length === 0) throw unproven(`#${entry.number} names no check that proves ${candidate.tree}`)
  const proofs = proofsOf(candidate)
  await Promise.all(
    checks.map(async (check) => {
      const id = proofs[check.name]
      const evidence = id === undefined ? null : await ledger.evidence(id)
      if (!proves(evidence, { repo, check, tree: candidate.tree })) {
        throw unproven(`evidence ${id ?? 'missing'} of ${check.name} does not prove ${candidate.tree}`)
      }
    }),
  )
}

function proves(
  evidence: Evidence | null,
  { repo, check, tree }: { repo: string; check: PlannedCheck; tree: Sha },
): boolean {
  return (
    evidence?.conclusion === 'passed' &&
    evidence.repo === repo &&
    evidence.check === check.name &&
    evidence.digest === check.digest &&
    evidence.subject.kind === 'tree' &&
    evidence.subject.tree === tree
  )
}

function unproven(message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, 'Unproven')
}

/**
 * An enqueue whose attempt timed out may arrive after its PR was decided otherwise, and any program of this host can
 * signal the queue: only the ledger's newest decision lets an entry land, at its head and into its base. Null when it
 * does.
 */
async function requireApproval(
  ledger: Ledger,
  { repo, branch, entry: { number, head } }: LandRequest,
): Promise<{ reason: MergeRefusal; detail: string } | null> {
  const [newest] = await ledger.decisions(repo, number)
  if (newest?.outcome !== 'approve') return blocked(`#${number} is not approved: ${newest?.outcome ?? 'undecided'}`)
  if (newest.dryRun) return blocked(`#${number} was approved in a dry run only`)
  const decided = await ledger.snapshot(newest.snapshotId)
  if (decided?.head.sha !== head) return blocked(`#${number} was approved at another head`)
  const base = decided.base.ref
  return base === branch ? null : { reason: 'retargeted', detail: `#${number} was approved for ${base}, not ${branch}` }
}

function blocked(detail: string): { reason: MergeRefusal; detail: string } {
  return { reason: 'blocked', detail }
}

async function record(ledger: Ledger, { repo, branch, entry, candidate }: LandRequest, at: string): Promise<void> {
  const { number, head, snapshotId } = entry
  const { base, commit, tree, method } = candidate
  const proofs = proofsOf(candidate)
  const [first] = pinnedChecks(entry)
  const evidenceId = proofs[first!.name]!
  // A hold that came while it landed was too late: the trail says so.
  const hold = await recallHold(ledger, { repo, number })
  const held = hold ? { heldBy: hold.by } : {}
  await ledger.saveLanding({ repo, branch, number, head, base, commit, tree, evidenceId, at })
  await ledger.appendAudit({
    key: `landed:${repo}:${branch}:${commit}`,
    at,
    actor: entry.enqueuedBy,
    action: 'pr.landed',
    repo,
    number,
    snapshotId,
    details: { commit, tree, base, head, method, evidence: Object.values(proofs).join(' '), ...held },
  })
}
