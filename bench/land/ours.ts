import { rm, writeFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { checkDigest, parsePolicy, policyFileName } from '#config/policy'
import { mergeQueueId, pullRequestId } from '#contracts/ids'
import { mergeQueueStatus } from '#contracts/merge-queue'
import { updatePipeline } from '#client/update'
import { openRepository } from '#activities/git/repository'
import { createCommandRunner } from '#activities/tests/runner'
import type { CheckName, Policy } from '#domain/policy'
import type { Subject } from '#domain/evidence'
import type { Bench } from '../installation.ts'
import { cpuTime } from '../cpu.ts'
import { partsOf, type Parts } from './parts.ts'
import { followBase } from './follow-base.ts'
import { AUTHOR, openPullRequest } from '../pull-requests.ts'
import type { Change, Template } from '../template.ts'

const AT_ONCE = 10
const POLL_MS = 100

/**
 * Milliseconds for all the PRs of a round. `enterMs`: from the first `pr merge` until the queue holds all; `closeMs`:
 * from the last landing until every pipeline has ended; `cpuMs`: CPU time of every process, from the gate to that end.
 */
export type OursTimed = {
  ms: number
  enterMs: number
  closeMs: number
  cpuMs: number | null
  tree: string
  parts: Parts
}

export type Round = Bench & {
  repo: string
  gitDir: string
  template: Template
  policy: string
  /** The file that the gate's test waits for. */
  gateFile: string
  surroundings: string
  say: (line: string) => void
  signal: AbortSignal
}

/**
 * PRs open, approved and waiting for `pr merge`; then `pr merge` for all while the queue stands behind a PR whose test
 * waits; then the evidence of every candidate's tree, in the order in which they entered; then the gate opens.
 */
export async function landThroughQueue(round: Round): Promise<OursTimed> {
  const { template, gateFile, gitDir } = round
  const { changes, gate } = template
  await rm(gateFile, { force: true })
  const numbers = await openAll(round, [...changes, gate])
  await openRepository(gitDir).updateRefs([{ ref: 'refs/heads/main', from: template.root, to: template.moved }])
  await closeGate(round, numbers.get(gate)!)
  const enterMs = await enterAll(
    round,
    changes.map((change) => numbers.get(change)!),
  )
  const { tip, tree } = await recordCandidates(round, numbers)
  const following = followBase(round, { from: template.moved, tree })
  const cpuBefore = cpuTime()
  await writeFile(gateFile, '')
  const { ms } = await following
  const closeMs = await untilClosed(round)
  const cpuAfter = cpuTime()
  const cpuMs = cpuBefore === null || cpuAfter === null ? null : cpuAfter - cpuBefore
  const runs = await countOf(round, `Repo = "${round.repo}" AND Pipeline = "pullRequest"`)
  if (runs > numbers.size) round.say(`  ${runs} pipelines ran for ${numbers.size} pull requests`)
  const landings = await round.installation.ledger.landings(round.repo, 'main')
  if (landings.length !== changes.length + 1)
    throw new Error(`${landings.length} landings of ${changes.length + 1} PRs`)
  if (landings.at(-1)?.tree !== tip) throw new Error('the last landing has another tree than the last candidate')
  const parts = partsOf(
    await round.connected.client.workflow.getHandle(mergeQueueId(round.repo, 'main')).fetchHistory(),
  )
  return { ms, enterMs, closeMs, cpuMs, tree, parts }
}

async function openAll(round: Round, changes: Change[]): Promise<Map<Change, number>> {
  const { repo, say, template } = round
  const policy = policyOf(round)
  const git = openRepository(template.gitDir)
  const numbers = new Map<Change, number>()
  for (const change of changes) {
    const { head, branch } = change
    const merged = await git.mergeTree(template.root, head)
    if (merged.outcome === 'conflict') throw new Error(`${branch} conflicts`)
    await pass(round, policy, 'tests', { kind: 'tree', tree: merged.tree })
    await pass(round, policy, 'secrets', { kind: 'range', base: template.root, head })
    await pass(round, policy, 'review', { kind: 'range', base: template.root, head })
    numbers.set(change, await openPullRequest(round, repo, change))
  }
  say(`  ${repo}: ${changes.length} pull requests are open`)
  const approved = `Repo = "${repo}" AND Pipeline = "pullRequest" AND WaitingOn = "pr merge: merge.auto is off"`
  await until(round, 'approved', async () => (await countOf(round, approved)) === changes.length)
  return numbers
}

async function closeGate(round: Round, number: number): Promise<void> {
  await merge(round, number)
  await until(round, 'the gate is being tested', async () => (await queueOf(round))?.entries[0]?.state === 'testing')
}

async function enterAll(round: Round, numbers: number[]): Promise<number> {
  const start = performance.now()
  const left = [...numbers]
  const lane = async () => {
    for (let number = left.shift(); number !== undefined; number = left.shift()) await merge(round, number)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
  await until(round, 'queued', async () => (await queueOf(round))?.entries.length === numbers.length + 1)
  return performance.now() - start
}

/** `pr merge`, without the start of a process for it. */
async function merge({ connected, repo }: Round, number: number): Promise<void> {
  const at = new Date().toISOString()
  await updatePipeline(connected, { repo, number }, { id: `bench:${at}`, kind: 'merge' }, (handle) =>
    handle.executeUpdate('merge', { args: [{ by: AUTHOR, at }] }),
  )
}

/** A pass for each tree that the base will have, but for the gate's, which its test proves. */
async function recordCandidates(round: Round, numbers: Map<Change, number>): Promise<{ tip: string; tree: string }> {
  const { template, gitDir } = round
  const policy = policyOf(round)
  const git = openRepository(gitDir)
  const heads = new Map([...numbers].map(([{ head }, number]) => [number, head]))
  const person = { name: 'Ada Sample', email: AUTHOR, at: '2026-01-01T00:00:00.000Z' }
  let base = template.moved
  let tree = ''
  for (const { number, position } of (await queueOf(round))?.entries ?? []) {
    const head = heads.get(number)!
    const merged = await git.mergeTree(base, head)
    if (merged.outcome === 'conflict') throw new Error(`#${number} conflicts`)
    tree = merged.tree
    if (position > 1) await pass(round, policy, 'tests', { kind: 'tree', tree })
    base = await git.commitTree({ tree, parents: [base, head], message: 'chain\n', author: person, committer: person })
  }
  return { tip: tree, tree }
}

function policyOf({ policy }: Round): Policy {
  const parsed = parsePolicy(policy, policyFileName)
  if (!parsed.ok) throw new Error(`the policy of the benchmark is wrong: ${JSON.stringify(parsed.problems)}`)
  return parsed.policy
}

/** What the workers of this installation find out about themselves: a pass of other surroundings is not reused. */
export async function surroundingsOf({ installation }: Pick<Bench, 'installation'>): Promise<string> {
  const { config, paths, logs } = installation
  return createCommandRunner({ home: paths.home, isolation: config.isolation, logs, env: process.env }).surroundings()
}

async function pass(round: Round, policy: Policy, check: CheckName, subject: Subject): Promise<void> {
  const { repo, installation } = round
  const at = new Date().toISOString()
  const id = `bench:${check}:${JSON.stringify(subject)}:${repo}`
  const found = { conclusion: 'passed' as const, reason: 'recorded beforehand', findings: [], log: null }
  const digest = checkDigest(policy, check)
  await installation.ledger.saveEvidence({
    id,
    repo,
    check,
    subject,
    digest,
    surroundings: check === 'tests' ? round.surroundings : null,
    ...found,
    startedAt: at,
    finishedAt: at,
    workflowId: 'bench',
  })
}

async function untilClosed(round: Round): Promise<number> {
  const start = performance.now()
  const running = `Repo = "${round.repo}" AND Pipeline = "pullRequest" AND ExecutionStatus = "Running"`
  await until(round, 'closed', async () => (await countOf(round, running)) === 0)
  return performance.now() - start
}

async function countOf({ connected }: Round, query: string): Promise<number> {
  return (await connected.client.workflow.count(query)).count
}

async function queueOf({ connected, repo }: Round) {
  try {
    return await connected.client.workflow.getHandle(mergeQueueId(repo, 'main')).query(mergeQueueStatus)
  } catch {
    return null
  }
}

/** Two seconds for each PR, and at least two minutes: far beyond any target, and still an end. */
async function until(round: Round, what: string, reached: () => Promise<boolean>): Promise<void> {
  const { repo, signal, template } = round
  const deadline = Date.now() + Math.max(120_000, template.changes.length * 2_000)
  while (!(await reached())) {
    signal.throwIfAborted()
    if (Date.now() > deadline) throw new Error(`${repo}: not all ${what} in time; see ${pullRequestId(repo, 1)}`)
    await delay(POLL_MS)
  }
}
