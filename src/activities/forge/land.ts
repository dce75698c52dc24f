import { setTimeout as delay } from 'node:timers/promises'
import type { Merged, Sha } from '#domain/pull-request'
import { effect, type Engine, type ForgeGit } from './engine.ts'
import { ForgeError, type MergeOutcome, type MergeRefusal, type MergeRequest } from './port.ts'
import type { PullRequestRecord } from './records.ts'

const TRIES = 5
/** Milliseconds. */
const PAUSE = 20

type Step =
  { step: 'finish' } | { step: 'move' } | { step: 'refuse'; reason: MergeRefusal; detail: string; actual: Sha | null }

/**
 * Lands a commit: reads first, and recognises its own earlier effect; then moves the base in one transaction of refs
 * that also verifies the head. The ref is the truth, the record follows it: a kill in between is mended by a repetition.
 */
export async function merge(
  engine: Engine,
  repo: string,
  number: number,
  request: MergeRequest,
): Promise<MergeOutcome> {
  const git = engine.repository(repo)
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const record = await engine.record(repo, number)
    const next = await nextStep(git, record, request)
    if (next.step === 'refuse') return { outcome: 'refused', ...refusal(next) }
    if (next.step === 'finish') return finish(engine, record, request)
    if (await moveBase(git, record, request)) {
      engine.happened(effect(record, 'landed', request.base, { from: request.expectedBase, to: request.commit }))
      return finish(engine, record, request)
    }
    await delay(PAUSE)
  }
  throw new ForgeError('unavailable', `The refs of ${repo} are locked by another process.`)
}

function refusal({ reason, detail, actual }: Extract<Step, { step: 'refuse' }>) {
  return { reason, detail, actual }
}

function refuse(reason: MergeRefusal, detail: string, actual: Sha | null = null): Step {
  return { step: 'refuse', reason, detail, actual }
}

async function nextStep(git: ForgeGit, record: PullRequestRecord, request: MergeRequest): Promise<Step> {
  const { commit, expectedBase, expectedHead } = request
  const { number, merged } = record
  if (merged && merged.sha === commit) return { step: 'finish' }
  if (merged) return refuse('already-merged', `#${number} was merged as ${merged.sha}.`, merged.sha)
  const [head, base, descends, tree] = await Promise.all([
    git.resolve(`refs/heads/${record.head.ref}`),
    git.resolve(`refs/heads/${request.base}`),
    git.isAncestor(expectedBase, commit),
    git.treeOf(commit),
  ])
  if (!descends || commit === expectedBase) {
    return refuse('conflict', `${commit} does not descend from the expected base ${expectedBase}.`)
  }
  if (request.method === 'fast-forward' && commit !== expectedHead) {
    return refuse('conflict', `${commit} is not the head ${expectedHead}, which a fast-forward lands.`)
  }
  if (tree !== request.tree)
    return refuse('conflict', `The tree of ${commit} is ${tree}, not the tested ${request.tree}.`)
  // A strict descendant of the base's tip can't be in the base yet.
  if (base && base !== expectedBase && (await git.isAncestor(commit, base))) return { step: 'finish' }
  if (record.state === 'closed' || !head) return refuse('closed', `#${number} is closed.`)
  if (record.base.ref !== request.base) return refuse('retargeted', `The base of #${number} is ${record.base.ref} now.`)
  if (record.draft) return refuse('blocked', `#${number} is a draft.`)
  if (head !== expectedHead) return refuse('head-moved', `${record.head.ref} moved to ${head}.`, head)
  if (base !== expectedBase) return refuse('base-moved', `${request.base} is at ${base ?? 'nothing'}.`, base)
  return { step: 'move' }
}

function moveBase(git: ForgeGit, { head }: PullRequestRecord, request: MergeRequest): Promise<boolean> {
  const { commit, base, expectedBase, expectedHead } = request
  return git.updateRefs([
    { ref: `refs/heads/${head.ref}`, from: expectedHead, to: expectedHead },
    { ref: `refs/heads/${base}`, from: expectedBase, to: commit },
  ])
}

/** Marks the PR merged, also one that was closed between the ref's move and here: the base has its commit. */
async function finish(engine: Engine, record: PullRequestRecord, request: MergeRequest): Promise<MergeOutcome> {
  const { repo, number } = record
  const { commit, tree, base, expectedHead, expectedBase, method, at } = request
  const merged: Merged = { sha: commit, tree, method, at }
  const marked = await engine.records.update(
    repo,
    number,
    ['open', 'closed'],
    { state: 'merged', merged, headSha: expectedHead, baseRef: base, baseSha: expectedBase, updatedAt: engine.now() },
    [
      { kind: 'pull-request', number, ref: record.head.ref },
      { kind: 'push', number: null, ref: base },
    ],
    // The lander audits a landing, with the evidence that it stands on.
    [],
  )
  if (marked) engine.happened(effect(record, 'marked-merged', record.head.ref, { to: commit }))
  const recorded = marked ? merged : (await engine.record(repo, number)).merged
  if (recorded && recorded.sha !== commit) {
    const detail = `#${number} was merged as ${recorded.sha}.`
    return { outcome: 'refused', reason: 'already-merged', detail, actual: recorded.sha }
  }
  return { outcome: 'merged', sha: commit, tree: recorded?.tree ?? tree, at: recorded?.at ?? at }
}
