/** The promises of guides "Reliability", judged from outside: git, the ledger's file, the server's histories, /proc. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Client, WorkflowExecutionInfo } from '@temporalio/client'
import { historyFromJSON, historyToJSON } from '@temporalio/common/lib/proto-utils.js'
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker'
import { mergeQueueType } from '#contracts/merge-queue'
import { pullRequestId } from '#contracts/ids'
import { runTrailer } from '#domain/commit-message'
import { commentKey } from '#domain/comment'
import type { Sha } from '#domain/pull-request'
import type { Installation } from '#installation/installation'
import type { SqliteLedger } from '#ledger/sqlite'
import type { TestRepository } from '../support/installation.ts'

Runtime.install({ logger: new DefaultLogger('WARN') })

/** What a PR must have become, by what was pushed. */
export type Expectation = { number: number; head: Sha; outcome: 'merged' | 'rejected' }

export type Scene = {
  installation: Pick<Installation, 'forge'> & { ledger: SqliteLedger }
  client: Client
  repository: TestRepository
  expected: Expectation[]
  /** Tips that a person pushed past Switchyard. */
  byHand: Sha[]
}

/** I1–I4 and I10 of one repository at rest. Each answer names the invariant and what breaks it. */
export async function violations(scene: Scene): Promise<string[]> {
  const tips = await tipsEverSeen(scene.repository)
  const found = await Promise.all([
    settled(() => decidedOnce(scene)),
    mergedOnce(scene, tips.at(-1)!),
    onlyForward(scene.repository, tips),
    everyTipPassed(scene, tips),
    settled(() => nothingStuck(scene)),
  ])
  return found.flat()
}

/** A workflow between two of its steps has neither activity nor timer, and one that a late hint started is to end. */
async function settled(look: () => Promise<string[]>): Promise<string[]> {
  for (let looks = 1; ; looks += 1) {
    const found = await look()
    if (found.length === 0 || looks === 40) return found
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
}

/** I1: one open workflow a PR at most; each head decided once per base and policy; said in one comment. */
async function decidedOnce({ installation, client, repository, expected }: Scene): Promise<string[]> {
  const found: string[] = []
  for (const { number, outcome } of expected) {
    const name = `${repository.name}#${number}`
    const id = pullRequestId(repository.name, number)
    const runs = await workflows(client, `WorkflowId = "${id}"`)
    // The list lags behind; a run itself does not.
    const states = await Promise.all(runs.map(({ runId }) => client.workflow.getHandle(id, runId).describe()))
    const open = states.filter(({ status }) => status.name === 'RUNNING').length
    if (open !== (outcome === 'merged' ? 0 : 1)) found.push(`I1: ${name} is ${outcome} and has ${open} open workflows`)
    const decided = new Map<string, number>()
    for (const { snapshotId, policyDigest } of await installation.ledger.decisions(repository.name, number)) {
      const snapshot = await installation.ledger.snapshot(snapshotId)
      const key = [snapshot?.head.sha, snapshot?.base.sha, policyDigest].join(' ')
      decided.set(key, (decided.get(key) ?? 0) + 1)
    }
    if (decided.size === 0) found.push(`I1: ${name} was never decided`)
    for (const [key, times] of decided) if (times > 1) found.push(`I1: ${name} was decided ${times} times on ${key}`)
    const comments = await installation.forge.listComments(repository.name, number)
    const ours = comments.filter(({ key }) => key === commentKey).length
    if (ours !== 1) found.push(`I1: ${name} has ${ours} comments of its pipeline`)
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
    const times = outcome === 'merged' ? 1 : 0
    if (commits.length !== times) found.push(`I2: ${name}, ${outcome}, is ${commits.length} times on the base`)
    if (pullRequest?.state !== (outcome === 'merged' ? 'merged' : 'open')) {
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

/** I10: ended as completed, or with an activity or a timer; only an empty queue may wait without a deadline. */
async function nothingStuck({ client, repository }: Scene): Promise<string[]> {
  const found: string[] = []
  for (const { workflowId, runId, type } of await workflows(client, `Repo = "${repository.name}"`)) {
    const handle = client.workflow.getHandle(workflowId, runId)
    const { status, raw } = await handle.describe()
    if (status.name !== 'RUNNING') {
      const ended = status.name === 'COMPLETED' || status.name === 'CONTINUED_AS_NEW'
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

/** I8: locks, records of processes and temporary files below the folders; processes that know one of them. */
export async function strays(folders: { state: string; temp: string }): Promise<string[]> {
  const inState = (await pathsBelow(folders.state))
    // Not stale: the operating system locks these files, and they stay.
    .filter((path) => path !== 'temporal/start.lock' && path !== 'run/up.lock')
    .filter((path) => /\.lock$|\.tmp$|^slots\/[^/]+\/\d+\/(?:lock|takeover|process)(?:\.[\d.]+)?$/.test(path))
  const inTemp = await readdir(folders.temp)
  return [
    ...inState.map((path) => `I8: ${path} is left in the state folder`),
    ...inTemp.map((path) => `I8: ${path} is left in the temporary folder`),
    ...(await processesThatKnow(folders.state)).map((line) => `I8: a process is left: ${line}`),
  ]
}

/** Follows no link, and looks into no checkout: what is in there is the repository's. */
async function pathsBelow(folder: string, path = ''): Promise<string[]> {
  const entries = await readdir(join(folder, path), { withFileTypes: true })
  const found = await Promise.all(
    entries.map(async (entry) => {
      const inside = join(path, entry.name)
      const enter = entry.isDirectory() && !/^slots\/[^/]+\/\d+\/tree$/.test(inside)
      return enter ? [inside, ...(await pathsBelow(folder, inside))] : [inside]
    }),
  )
  return found.flat()
}

async function processesThatKnow(folder: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
  const lines = await Promise.all(
    pids.map(async (pid) => {
      const read = (name: string) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '')
      const [command, environment, cwd] = await Promise.all([
        read('cmdline'),
        read('environ'),
        readlink(`/proc/${pid}/cwd`).catch(() => ''),
      ])
      const knows = [command, environment, cwd].some((text) => text.includes(folder))
      return knows ? `${pid} ${command.replaceAll('\0', ' ')}` : null
    }),
  )
  return lines.filter((line) => line !== null)
}

/** I11: where a canary, or its base64 or URL-encoded form, stands in what Switchyard wrote. */
export async function leaks(canaries: string[], files: string[], texts: Record<string, string>): Promise<string[]> {
  const contents = new Map(Object.entries(texts))
  for (const file of files) contents.set(file, await readFile(file, 'latin1'))
  return canaries.flatMap((canary) => {
    const forms = [canary, Buffer.from(canary).toString('base64').replace(/=+$/, ''), encodeURIComponent(canary)]
    return [...contents]
      .filter(([, content]) => forms.some((form) => content.includes(form)))
      .map(([name]) => `I11: the canary ${createHash('sha256').update(canary).digest('hex').slice(0, 8)} is in ${name}`)
  })
}

/** All files below some folders or files. */
export async function filesBelow(...folders: string[]): Promise<string[]> {
  const listed = await Promise.all(
    folders.map(async (folder) => {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true })
      return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
    }),
  )
  return listed.flat()
}

/** I12: every history of the namespace, replayed on the code of now. Answers also what is in them, as text. */
export async function replayed(client: Client, bundlePath: string): Promise<{ found: string[]; text: string }> {
  const runs = await workflows(client, '')
  const histories = await Promise.all(
    runs.map(async ({ workflowId, runId }) => ({
      workflowId,
      history: historyFromJSON(
        JSON.parse(historyToJSON(await client.workflow.getHandle(workflowId, runId).fetchHistory())),
      ),
    })),
  )
  const found: string[] = []
  const replays = Worker.runReplayHistories({ workflowBundle: { codePath: bundlePath } }, histories)
  for await (const { workflowId, error } of replays) {
    if (!error) continue
    const history = histories.find((one) => one.workflowId === workflowId)?.history
    found.push(`I12: ${workflowId} does not replay: ${error.message}\n${JSON.stringify(history?.events)}`)
  }
  if (histories.length === 0) found.push('I12: there is no history')
  return { found, text: histories.map(({ history }) => readable(history)).join('\n') }
}

/** With payloads as the text that they hold. */
function readable(history: unknown): string {
  const seen: string[] = []
  const walk = (value: unknown): void => {
    if (value instanceof Uint8Array) seen.push(Buffer.from(value).toString('latin1'))
    else if (typeof value === 'string') seen.push(value)
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(walk)
  }
  walk(history)
  return seen.join('\n')
}

/** What the open workflows of a repository are at, for the message of a test that waited in vain. */
export async function openWorkflows(client: Client, repo: string): Promise<string[]> {
  const open = await workflows(client, `Repo = "${repo}" AND ExecutionStatus = "Running"`)
  return Promise.all(
    open.map(async ({ workflowId }) => {
      const { raw } = await client.workflow.getHandle(workflowId).describe()
      const activities = (raw.pendingActivities ?? []).map(
        ({ activityType, attempt, lastFailure }) =>
          `${activityType?.name} (attempt ${attempt}${lastFailure ? `: ${lastFailure.message}` : ''})`,
      )
      const task = raw.pendingWorkflowTask ? ` workflow task, attempt ${String(raw.pendingWorkflowTask.attempt)}` : ''
      return `${workflowId} is at ${activities.join(', ')}${task}`
    }),
  )
}

async function workflows(client: Client, query: string): Promise<WorkflowExecutionInfo[]> {
  const found: WorkflowExecutionInfo[] = []
  for await (const info of client.workflow.list({ query })) found.push(info)
  return found
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
