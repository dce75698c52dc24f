/** The promises of guides "Reliability", judged from outside: git, the ledger's file, the server's histories, /proc. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Client } from '@temporalio/client'
import { clarificationType } from '#contracts/clarification'
import { mergeQueueType } from '#contracts/merge-queue'
import { repositoryWatchType } from '#contracts/repository-watch'
import { pullRequestId } from '#contracts/ids'
import { runTrailer } from '#domain/commit-message'
import { commentKey } from '#domain/comment'
import type { Sha } from '#domain/pull-request'
import type { Installation } from '#installation/installation'
import type { SqliteLedger } from '#ledger/sqlite'
import type { TestRepository } from '../support/installation.ts'
import { workflows } from './histories.ts'

/** What a PR must have become, by what was pushed. `closed`: by a person, after it was rejected. */
export type Expectation = {
  number: number
  head: Sha
  outcome: 'merged' | 'rejected' | 'closed'
  /** Who was asked to approve it, and did; or to let it pass in spite of the policy. */
  approvedBy?: string
  overriddenBy?: string
}

export type Scene = {
  installation: Pick<Installation, 'forge'> & { ledger: SqliteLedger }
  client: Client
  repository: TestRepository
  expected: Expectation[]
  /** Tips that a person pushed past Switchyard. */
  byHand: Sha[]
  /** Workflows that somebody ended by hand. */
  terminated?: string[]
}

/** I1–I4, I9 and I10 of one repository at rest. Each answer names the invariant and what breaks it. */
export async function violations(scene: Scene): Promise<string[]> {
  const tips = await tipsEverSeen(scene.repository)
  const found = await Promise.all([
    settled(() => decidedOnce(scene)),
    settled(() => saidOnce(scene)),
    settled(() => oneQueue(scene)),
    mergedOnce(scene, tips.at(-1)!),
    onlyForward(scene.repository, tips),
    everyTipPassed(scene, tips),
    settled(() => answeredOnce(scene)),
    settled(() => nothingStuck(scene)),
  ])
  return found.flat()
}

/**
 * A workflow between two of its steps has neither activity nor timer, one that a late hint started is to end, and a
 * query is cancelled where the worker that has the workflow is stopped.
 */
async function settled(look: () => Promise<string[]>): Promise<string[]> {
  for (let looks = 1; ; looks += 1) {
    const found = await look().catch((error: unknown) => [`it could not be looked at: ${String(error)}`])
    if (found.length === 0 || looks === 40) return found
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
}

/** I1: one open workflow a PR at most; each head decided once per base, policy and what people say of it. */
async function decidedOnce({ installation, client, repository, expected }: Scene): Promise<string[]> {
  const found: string[] = []
  for (const { number, outcome } of expected) {
    const name = `${repository.name}#${number}`
    const id = pullRequestId(repository.name, number)
    const runs = await workflows(client, `WorkflowId = "${id}"`)
    // The list lags behind; a run itself does not.
    const states = await Promise.all(runs.map(({ runId }) => client.workflow.getHandle(id, runId).describe()))
    const open = states.filter(({ status }) => status.name === 'RUNNING').length
    if (open !== (outcome === 'rejected' ? 1 : 0))
      found.push(`I1: ${name} is ${outcome} and has ${open} open workflows`)
    const decided = new Map<string, number>()
    for (const { snapshotId, policyDigest } of await installation.ledger.decisions(repository.name, number)) {
      const snapshot = await installation.ledger.snapshot(snapshotId)
      const reviews = snapshot?.reviews.map(({ author, state }) => `${author} ${state}`) ?? []
      const key = [snapshot?.head.sha, snapshot?.base.sha, policyDigest, ...reviews].join(' ')
      decided.set(key, (decided.get(key) ?? 0) + 1)
    }
    if (decided.size === 0) found.push(`I1: ${name} was never decided`)
    for (const [key, times] of decided) if (times > 1) found.push(`I1: ${name} was decided ${times} times on ${key}`)
  }
  return found
}

const titles = { merged: 'Landed', rejected: 'Not approved', closed: 'Closed' }
const conclusions = { merged: 'success', rejected: 'failure', closed: 'neutral' }

/** I1: said in one comment and one check, whose last words are about how it ended. */
async function saidOnce({ installation, repository, expected }: Scene): Promise<string[]> {
  const found: string[] = []
  for (const { number, head, outcome } of expected) {
    const name = `${repository.name}#${number}`
    const comments = await installation.forge.listComments(repository.name, number)
    const ours = comments.filter(({ author, key }) => author === 'switchyard' && (key === null || key === commentKey))
    if (ours.length !== 1) found.push(`I1: ${name} has ${ours.length} comments of its pipeline`)
    const title = /^### Switchyard: (.*)/.exec(ours.at(-1)?.body ?? '')?.[1]
    if (title !== titles[outcome]) found.push(`I1: the comment on ${name}, ${outcome}, says "${title}"`)
    const check = (await installation.forge.listChecks(repository.name, head)).find((one) => one.name === 'switchyard')
    if (check?.conclusion !== conclusions[outcome])
      found.push(`I1: the check of ${name}, ${outcome}, says ${check?.status} ${check?.conclusion}`)
  }
  return found
}

/** I1: one queue of the base and one watch of the repository, whoever asked for them how often. */
async function oneQueue({ client, repository }: Scene): Promise<string[]> {
  const found: string[] = []
  for (const type of [mergeQueueType, repositoryWatchType]) {
    const query = `WorkflowType = "${type}" AND Repo = "${repository.name}" AND ExecutionStatus = "Running"`
    const open = await workflows(client, query)
    if (open.length !== 1) found.push(`I1: ${repository.name} has ${open.length} open workflows of type ${type}`)
  }
  return found
}

/** I2: what was approved is on the base exactly once, with the content of the head; what was rejected is not. */
async function mergedOnce({ installation, repository, expected }: Scene, tip: Sha): Promise<string[]> {
  const found: string[] = []
  for (const { number, head, outcome } of expected) {
    const name = `${repository.name}#${number}`
    const trailer = `${runTrailer}: ${pullRequestId(repository.name, number)}`
    const log = await git(repository, 'log', '--format=%H', '--fixed-strings', `--grep=${trailer}`, tip)
    const commits = log.split('\n').filter(Boolean)
    const pullRequest = await installation.forge.getPullRequest(repository.name, number)
    found.push(...(await recordedOnce(installation, repository.name, number, outcome === 'merged' ? 1 : 0)))
    const times = outcome === 'merged' ? 1 : 0
    if (commits.length !== times) found.push(`I2: ${name}, ${outcome}, is ${commits.length} times on the base`)
    if (pullRequest?.state !== (outcome === 'rejected' ? 'open' : outcome)) {
      found.push(`I2: ${name}, ${outcome}, is ${pullRequest?.state} on the forge`)
    }
    const [commit] = commits
    if (outcome !== 'merged' || commit === undefined) continue
    if (pullRequest?.merged?.sha !== commit) found.push(`I2: the forge says ${name} landed as another commit`)
    const [landed, due] = [`${commit}^{tree}`, await mergedTree(repository, `${commit}^1`, head)]
    if ((await git(repository, 'rev-parse', landed)) !== due)
      found.push(`I2: ${name} landed without its head's content`)
  }
  return found
}

/** I2: the ledger says so too. */
async function recordedOnce({ ledger }: Scene['installation'], repo: string, number: number, times: number) {
  const landings = (await ledger.landings(repo, 'main')).filter((landing) => landing.number === number)
  const entries = (await ledger.audit({ repo, number })).filter(({ action }) => action === 'pr.landed')
  return [
    ...(landings.length === times ? [] : [`I2: ${repo}#${number} has ${landings.length} landings on record`]),
    ...(entries.length === times ? [] : [`I2: ${repo}#${number} has ${entries.length} landings in the audit trail`]),
  ]
}

/** I3: each tip is an ancestor of the next, and the last is where the base is. */
async function onlyForward(repository: TestRepository, tips: Sha[]): Promise<string[]> {
  const found: string[] = []
  for (const [index, tip] of tips.slice(1).entries()) {
    const before = tips[index]!
    const forward = await git(repository, 'merge-base', '--is-ancestor', before, tip).then(
      () => true,
      () => false,
    )
    if (!forward) found.push(`I3: the base of ${repository.name} went from ${before} to ${tip}, which lacks it`)
  }
  const now = await git(repository, 'rev-parse', 'refs/heads/main')
  if (now !== tips.at(-1)) found.push(`I3: the base of ${repository.name} moved to ${now} unseen`)
  return found
}

/** I4: every tip that Switchyard made has a tree with a passing test on record. */
async function everyTipPassed({ installation, repository, byHand }: Scene, tips: Sha[]): Promise<string[]> {
  const found: string[] = []
  for (const tip of new Set(tips)) {
    if (tip === repository.seed || byHand.includes(tip)) continue
    const tree = await git(repository, 'rev-parse', `${tip}^{tree}`)
    const pass = await installation.ledger.tables
      .selectFrom('evidence')
      .select('id')
      .where('repo', '=', repository.name)
      .where('check_name', '=', 'tests')
      .where('subject', '=', `tree:${tree}`)
      .where('conclusion', '=', 'passed')
      .executeTakeFirst()
    if (!pass) found.push(`I4: the tip ${tip} of ${repository.name} has a tree that never passed`)
  }
  return found
}

/** I9: each question is one workflow, that has ended; each answer is once on record, and became one review or one override. */
async function answeredOnce({ installation, client, repository, expected }: Scene): Promise<string[]> {
  const { ledger } = installation
  const repo = repository.name
  const found: string[] = []
  const runs = await workflows(client, `WorkflowType = "${clarificationType}" AND Repo = "${repo}"`)
  const asked = await ledger.audit({ repo, action: 'clarification.asked' })
  const ids = runs.filter(({ status }) => status.name !== 'CONTINUED_AS_NEW').map(({ workflowId }) => workflowId)
  const onRecord = asked.map(({ details }) => String(details['id']))
  if (ids.sort().join() !== onRecord.sort().join())
    found.push(`I9: ${repo} has the questions ${ids.join()}, and on record ${onRecord.join()}`)
  for (const { workflowId, runId } of runs) {
    const { status } = await client.workflow.getHandle(workflowId, runId).describe()
    if (status.name === 'RUNNING') found.push(`I9: ${workflowId} is open, and nobody waits for it`)
  }
  const answers = await ledger.audit({ repo, action: 'clarification.answered' })
  for (const { number, approvedBy = '', overriddenBy = '' } of expected) {
    const told = answers.filter((entry) => entry.number === number).map(({ actor }) => actor)
    const overrides = (await ledger.audit({ repo, number, action: 'pr.overridden' })).map(({ actor }) => actor)
    const reviews = await reviewers(ledger, repo, number)
    const due = { told: approvedBy + overriddenBy, reviews: approvedBy, overrides: overriddenBy }
    const is = { told: told.join(), reviews: reviews.join(), overrides: overrides.join() }
    if (JSON.stringify(is) !== JSON.stringify(due))
      found.push(`I9: of the answers about ${repo}#${number} came ${JSON.stringify(is)}, not ${JSON.stringify(due)}`)
  }
  return found
}

async function reviewers({ tables }: SqliteLedger, repo: string, number: number): Promise<string[]> {
  const reviews = tables.selectFrom('forge_reviews').select('author').where('repo', '=', repo)
  return (await reviews.where('number', '=', number).execute()).map(({ author }) => author)
}

/** I10: ended as completed, or with an activity or a timer; only an empty queue may wait without a deadline. */
async function nothingStuck({ client, repository, terminated = [] }: Scene): Promise<string[]> {
  const found: string[] = []
  for (const { workflowId, runId, type } of await workflows(client, `Repo = "${repository.name}"`)) {
    const handle = client.workflow.getHandle(workflowId, runId)
    const { status, raw } = await handle.describe()
    if (status.name !== 'RUNNING') {
      const ended = status.name === 'COMPLETED' || status.name === 'CONTINUED_AS_NEW'
      if (status.name === 'TERMINATED' && terminated.includes(workflowId)) continue
      if (!ended) found.push(`I10: ${workflowId} ended as ${status.name}`)
      continue
    }
    if (Number(raw.pendingWorkflowTask?.attempt ?? 0) > 3) found.push(`I10: the tasks of ${workflowId} fail`)
    if ((raw.pendingActivities ?? []).length > 0) continue
    const { events } = await handle.fetchHistory()
    const timers = new Set<string>()
    for (const event of events ?? []) {
      if (event.timerStartedEventAttributes) timers.add(event.timerStartedEventAttributes.timerId!)
      if (event.timerFiredEventAttributes) timers.delete(event.timerFiredEventAttributes.timerId!)
      if (event.timerCanceledEventAttributes) timers.delete(event.timerCanceledEventAttributes.timerId!)
    }
    if (timers.size > 0) continue
    const idle = type === mergeQueueType && (await queueIsEmpty(client, workflowId))
    if (!idle) found.push(`I10: ${workflowId} waits without an activity or a timer`)
  }
  return found
}

async function queueIsEmpty(client: Client, workflowId: string): Promise<boolean> {
  const status = await client.workflow.getHandle(workflowId).query<{ entries: unknown[] }>('status')
  return status.entries.length === 0
}

/** From the reflog, oldest first, with where it began. */
async function tipsEverSeen({ gitDir, seed }: TestRepository): Promise<Sha[]> {
  const log = await readFile(join(gitDir, 'logs', 'refs', 'heads', 'main'), 'utf8').catch(() => '')
  const moves = log.split('\n').filter(Boolean)
  return [seed, ...moves.map((line) => line.split(' ')[1]!)]
}

async function mergedTree(repository: TestRepository, ours: string, theirs: Sha): Promise<string> {
  const base = await git(repository, 'rev-parse', ours)
  return git(repository, 'merge-tree', '--write-tree', base, theirs).catch(() => 'none: they conflict')
}

async function git({ gitDir }: TestRepository, ...args: string[]): Promise<string> {
  const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin', GIT_CONFIG_GLOBAL: '/dev/null', LC_ALL: 'C' }
  const { stdout } = await promisify(execFile)('git', ['--git-dir', gitDir, ...args], { env })
  return stdout.trim()
}
