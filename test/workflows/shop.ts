import { WorkflowNotFoundError, WorkflowUpdateFailedError, type Client, type WorkflowHandle } from '@temporalio/client'
import { createFakeForge, type FakeForge } from '#activities/forge/fake'
import type { ForgeEffect } from '#activities/forge/engine'
import type { PullRequestChanges } from '#activities/forge/port'
import { createPipelines } from '#activities/pipelines/temporal'
import type { Pipelines } from '#activities/pipelines/port'
import { parsePolicy, policyDigest, policyFacts } from '#config/policy'
import { mergeQueueId, pullRequestId, repositoryWatchId } from '#contracts/ids'
import type { MergeQueueEntry } from '#contracts/merge-queue'
import { mergeQueueStatus, type MergeQueueStatus } from '#contracts/merge-queue'
import {
  hold,
  merge,
  pullRequestStatus,
  review,
  type PullRequestResult,
  type PullRequestStatus,
} from '#contracts/pull-request'
import type { Timings } from '#contracts/timings'
import { treeChecks } from '#domain/check-subjects'
import type { Policy, PolicyFacts } from '#domain/policy'
import type { Phase, Review, Sha } from '#domain/pull-request'
import type { Ledger } from '#ledger/port'
import { MemoryGit } from './memory-git.ts'
import { ScriptedCheck } from './scripted-check.ts'
import { until } from './until.ts'

/** Short, so that no test waits for a deadline that it isn't about; a heartbeat that a busy machine can keep. */
export const shortTimings: Timings = {
  sweep: 60_000,
  enqueueAcknowledgement: 20_000,
  mergeableRetry: 100,
  heartbeat: 2_000,
  shortActivity: 10_000,
  infrastructureRetry: 20,
}

export type Opened = { branch?: string; files?: Record<string, string>; title?: string; draft?: boolean }
/** A lost hint never reaches a pipeline. */
export type Hinted = { hint?: 'sent' | 'lost' }

/** One repository of the test's own: its forge, its git, its checks, its policy, and its pipelines. */
export class Shop {
  readonly repo: string
  readonly git: MemoryGit
  readonly forge: FakeForge
  readonly tests = new ScriptedCheck()
  readonly secrets = new ScriptedCheck()
  readonly review = new ScriptedCheck()
  readonly ledger: Ledger
  readonly client: Client
  readonly timings: Timings
  /** What activities act through; a test puts itself in between. */
  pipelines: Pipelines
  policy: { policy: Policy; facts: PolicyFacts }
  /** Whether the file on the base counts, and not `policy`. */
  policyOnBase = false
  protectedBranches = ['main']
  private branches = 0
  private readonly own = new Map<string, ScriptedCheck>()

  constructor(parts: { repo: string; ledger: Ledger; client: Client; timings?: Partial<Timings> }) {
    this.repo = parts.repo
    this.ledger = parts.ledger
    this.client = parts.client
    this.timings = { ...shortTimings, ...parts.timings }
    this.git = new MemoryGit(this.repo)
    this.git.setBranch('main', this.git.add(null, { 'README.md': '# Shop\n' }, 'first'))
    this.forge = createFakeForge({
      ...{ repositories: [this.repo], git: () => this.git, protectedBranches: () => this.protectedBranches },
      audit: (entry) => this.ledger.appendAudit(entry),
    })
    this.pipelines = createPipelines(this.client, this.timings)
    this.policy = resolvePolicy('')
  }

  /** A check of the policy's own, by its command; every other command is of the tests. */
  command(run: string): ScriptedCheck {
    const known = this.own.get(run) ?? new ScriptedCheck()
    this.own.set(run, known)
    return known
  }

  commandOr(run: string, other: ScriptedCheck): ScriptedCheck {
    return this.own.get(run) ?? other
  }

  /** The policy on the base from now on: the lines of the file below `version` and the tests. */
  setPolicy(lines: string, problem: string | null = null): void {
    this.policy = resolvePolicy(lines, problem)
  }

  /** The policy is the file on the base from now on, and what lands there changes it. */
  commitPolicy(text: string): void {
    this.policyOnBase = true
    this.pushBase({ '.switchyard.yaml': text })
  }

  /** Opens a pull request with one commit of its own. */
  async open(opened: Opened = {}, { hint = 'sent' }: Hinted = {}): Promise<number> {
    this.branches += 1
    const { branch = `feature-${this.branches}`, title = `Add ${branch}`, draft = false } = opened
    const files = opened.files ?? { [`${branch}.txt`]: `${branch}\n` }
    this.git.setBranch(branch, this.git.add(this.git.branch('main'), files, title))
    const created = await this.forge.createPullRequest(this.repo, {
      ...{ title, body: '', head: branch, base: 'main', author: 'ann', draft, labels: [] },
    })
    if (created.outcome !== 'created') throw new Error(created.detail)
    await this.deliver(hint)
    return created.pullRequest.number
  }

  /** A push to the head of a pull request. */
  async push(number: number, files: Record<string, string>, { hint = 'sent' }: Hinted = {}): Promise<Sha> {
    const { head } = await this.pullRequest(number)
    const sha = this.git.add(head.sha, files, `Change ${Object.keys(files).join(', ')}`)
    this.git.setBranch(head.ref, sha)
    if (hint === 'sent') await this.look(number)
    return sha
  }

  /** A person's push to the base, past the queue. */
  pushBase(files: Record<string, string>): Sha {
    const sha = this.git.add(this.git.branch('main'), files, `Push ${Object.keys(files).join(', ')}`)
    this.git.setBranch('main', sha)
    return sha
  }

  async update(number: number, changes: PullRequestChanges, { hint = 'sent' }: Hinted = {}): Promise<void> {
    await this.forge.updatePullRequest(this.repo, number, changes, 'ann')
    await this.deliver(hint)
  }

  async submitReview(number: number, reviewer: string, state: Review['state']): Promise<void> {
    const { head } = await this.pullRequest(number)
    await this.forge.submitReview(this.repo, number, { author: reviewer, state, head: head.sha, body: '' })
    await this.deliver('sent')
  }

  /** A person's comment; answers its id. */
  async say(number: number, author: string, body: string, { hint = 'sent' }: Hinted = {}): Promise<string> {
    const { id } = await this.forge.addComment(this.repo, number, author, body)
    await this.deliver(hint)
    return id
  }

  /** How a comment was answered, once it was: its reaction, and the reply. */
  answer(number: number, id: string): Promise<{ reaction: string; reply: string | null }> {
    return until(`the comment ${id} of #${number} is answered`, async () => {
      const comments = await this.forge.listComments(this.repo, number)
      const [reaction] = comments.find((comment) => comment.id === id)?.reactions ?? []
      if (reaction === undefined) return null
      const acts = await this.commanded(number)
      if (!acts.some((act) => act.startsWith(`${id} `))) return null
      const reply = comments.find(({ key }) => key === `answer:${id}`)?.body ?? null
      return reaction === '+1' || reply !== null ? { reaction, reply } : null
    })
  }

  /** What the audit trail says of commands: comment, actor, command, and whether it was carried out. */
  async commanded(number: number): Promise<string[]> {
    const entries = await this.ledger.audit({ repo: this.repo, number })
    const commands = entries.filter(({ action }) => action === 'pr.commanded')
    return commands.map(
      ({ actor, details }) =>
        `${details['comment'] ?? 'update'} ${actor} ${details['command']} ${details['allowed'] ? 'done' : 'refused'}`,
    )
  }

  /** `pr hold`; answers the type of the refusal, or null. */
  hold(number: number, asked: { by?: string; reason?: string; cancel?: boolean } = {}): Promise<string | null> {
    return refusal(() => this.pipeline(number).executeUpdate(hold, { args: [{ by: 'ann', ...asked }] }))
  }

  async look(number: number): Promise<void> {
    await this.pipelines.lookAtPullRequest(this.repo, number, { id: 'test', kind: 'push' })
  }

  /** Carries the hints that the forge has for us, or drops them. */
  private async deliver(hint: 'sent' | 'lost'): Promise<void> {
    const hints = await this.forge.takeHints(this.repo, 100)
    const numbers = new Set(hints.flatMap(({ number }) => (number === null ? [] : [number])))
    if (hint === 'sent') for (const number of numbers) await this.look(number)
  }

  async pullRequest(number: number) {
    return (await this.forge.getPullRequest(this.repo, number))!
  }

  pipeline(number: number): WorkflowHandle {
    return this.client.workflow.getHandle(pullRequestId(this.repo, number))
  }

  queue(): WorkflowHandle {
    return this.client.workflow.getHandle(mergeQueueId(this.repo, 'main'))
  }

  watch(): WorkflowHandle {
    return this.client.workflow.getHandle(repositoryWatchId(this.repo))
  }

  /** Where the pull request stands; null before its pipeline started. */
  status(number: number): Promise<PullRequestStatus | null> {
    return unlessUnknown(() => this.pipeline(number).query(pullRequestStatus))
  }

  queueStatus(): Promise<MergeQueueStatus | null> {
    return unlessUnknown(() => this.queue().query(mergeQueueStatus))
  }

  /** Its status once it satisfies `is`. */
  async when(number: number, what: string, is: (status: PullRequestStatus) => boolean): Promise<PullRequestStatus> {
    return until(`#${number} ${what}`, async () => {
      const status = await this.status(number)
      return status && is(status) ? status : null
    })
  }

  phase(number: number, phase: Phase): Promise<PullRequestStatus> {
    return this.when(number, phase, (status) => status.phase === phase)
  }

  /** Its status once nothing but a person, a new commit or time moves it. */
  rest(number: number): Promise<PullRequestStatus> {
    return this.when(number, 'rests', (status) => status.resting)
  }

  /** How its pipeline ended. */
  ended(number: number): Promise<PullRequestResult> {
    return this.pipeline(number).result() as Promise<PullRequestResult>
  }

  /** `pr merge`, of the head that the person saw; answers the type of the refusal, or null. */
  merge(number: number, head?: Sha): Promise<string | null> {
    const args: [{ by: string; at: string; head?: Sha }] = [
      { by: 'ann', at: '2026-01-01T00:00:00.000Z', ...(head ? { head } : {}) },
    ]
    return refusal(() => this.pipeline(number).executeUpdate(merge, { args }))
  }

  /** `pr review <n>`. */
  rerun(number: number): Promise<string | null> {
    return refusal(() => this.pipeline(number).executeUpdate(review, { args: [{ by: 'ann' }] }))
  }

  /** What truly happened to a pull request, from the forge's journal. */
  effects(effect: ForgeEffect['effect'], number?: number): ForgeEffect[] {
    return this.forge.journal.filter(
      (each) => each.effect === effect && (number === undefined || each.number === number),
    )
  }

  /** The numbers of what landed, in order. */
  landed(): (number | null)[] {
    return this.effects('landed').map(({ number }) => number)
  }

  /** The one comment of Switchyard, once it contains the text. */
  comment(number: number, text: string): Promise<string> {
    return until(`the comment of #${number} says ${text}`, async () => {
      const comments = await this.forge.listComments(this.repo, number)
      return comments.find(({ key, body }) => key !== null && body.includes(text))?.body
    })
  }

  /** An entry with the decision that lets it land, for tests of the queue alone. */
  async approvedEntry(number: number, snapshotId: string): Promise<MergeQueueEntry> {
    const entry = await this.entry(number, snapshotId)
    const { repo, policyDigest, enqueuedAt } = entry
    const decision = { outcome: 'approve' as const, rules: [], snapshotId, policyDigest, decidedAt: enqueuedAt }
    await this.ledger.saveDecision({ ...decision, repo, number, workflowId: pullRequestId(repo, number) })
    return entry
  }

  /** An entry as the pipeline of a pull request would make it. */
  async entry(number: number, snapshotId: string): Promise<MergeQueueEntry> {
    const { head, title } = await this.pullRequest(number)
    const { facts } = this.policy
    return {
      ...{ repo: this.repo, branch: 'main', number, head: head.sha, title, snapshotId },
      policyDigest: facts.digest,
      checks: treeChecks(facts.checks),
      evidenceMaxAge: facts.evidenceMaxAge,
      enqueuedAt: '2026-01-01T00:00:00.000Z',
      enqueuedBy: 'ann',
    }
  }
}

function resolvePolicy(lines: string, problem: string | null = null): { policy: Policy; facts: PolicyFacts } {
  const text = lines.includes('checks:') ? lines : `checks: { tests: { run: ./test.sh } }\n${lines}`
  const parsed = parsePolicy(`version: 1\n${text}\n`, '.switchyard.yaml')
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  const { policy } = parsed
  return { policy, facts: policyFacts(policy, policyDigest(policy), problem === null ? 'base' : 'last-good', problem) }
}

async function unlessUnknown<T>(ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null
    throw error
  }
}

async function refusal(send: () => Promise<unknown>): Promise<string | null> {
  try {
    await send()
    return null
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'ended'
    if (error instanceof WorkflowUpdateFailedError) return (error.cause as { type?: string }).type ?? 'untyped'
    throw error
  }
}
