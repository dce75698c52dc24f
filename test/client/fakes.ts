import { PassThrough } from 'node:stream'
import { TypedSearchAttributes } from '@temporalio/common'
import type { Comment, CreateOutcome, Forge, NewPullRequest } from '#activities/forge/port'
import type { GitRepository } from '#activities/git/port'
import type { PullRequestStatus } from '#contracts/pull-request'
import type { MergeQueueStatus } from '#contracts/merge-queue'
import { defaultTimings } from '#contracts/timings'
import { runCli } from '#client/cli'
import type { Host } from '#client/context'
import { defaultPolicy } from '#config/policy'
import type { Evidence } from '#domain/evidence'
import type { Policy } from '#domain/policy'
import type { KnownPerson } from '#domain/people'
import type { PullRequest, Review } from '#domain/pull-request'
import type { Connected, Installation } from '#installation/installation'
import type { AuditEntry, Ledger, RecordedDecision, RememberedAnswer } from '#ledger/port'
import { asked, infoOf, listed, updated, type FakeQuestion } from './clarification-fakes.ts'
import { BASE, HEAD, NOW, pullRequest, snapshot, TREE } from './samples.ts'

export * from './samples.ts'

export type World = {
  repositories: string[]
  /** A bare repository that is there; null: it is nowhere. */
  remote: string | null
  pullRequests: PullRequest[]
  /** Branch → its commit, in every repository. */
  branches: Record<string, string>
  policy: string | null
  /** Of every commit. */
  subject: string
  refusal: Extract<CreateOutcome, { outcome: 'refused' }> | null
  decisions: RecordedDecision[]
  evidence: Evidence[]
  people: KnownPerson[]
  /** What every decision was made under. */
  recordedPolicy: Policy
  comments: Comment[]
  audit: AuditEntry[]
  logs: Record<string, string>
  remembered: RememberedAnswer[]
  texts: Map<string, string>
  counts: { reviewed: number; merged: number; rejected: number; approved: number }
  /** null: there is no server. */
  server: {
    statuses: PullRequestStatus[]
    queue: MergeQueueStatus | null
    workers: string[]
    /** Workflow id → how its run ended; those not named run. */
    ended: Record<string, { status: string; failure?: Error }>
    pending: unknown[]
    questions: FakeQuestion[]
  } | null
  /** Thrown by the next calls of the server, one each. */
  lookErrors: Error[]
  /** Thrown by an update. */
  updateError: Error | null
  /** What was done to the world, in order. */
  acts: string[]
  open: number
}

export function world(changes: Partial<World> = {}): World {
  return {
    repositories: ['shop'],
    remote: null,
    pullRequests: [pullRequest()],
    branches: { main: BASE, feature: HEAD },
    policy: 'version: 1\nchecks: { tests: { run: npm test } }\n',
    subject: 'The last subject',
    refusal: null,
    decisions: [],
    evidence: [],
    people: [],
    recordedPolicy: defaultPolicy(),
    comments: [],
    audit: [],
    logs: {},
    remembered: [],
    texts: new Map(),
    counts: { reviewed: 0, merged: 0, rejected: 0, approved: 0 },
    server: null,
    lookErrors: [],
    updateError: null,
    acts: [],
    open: 0,
    ...changes,
  }
}

export const server = (changes: Partial<NonNullable<World['server']>> = {}): NonNullable<World['server']> => ({
  statuses: [],
  queue: null,
  workers: ['pr-review', 'merge', 'testing', 'security', 'decision'],
  ended: {},
  pending: [],
  questions: [],
  ...changes,
})

class NamedError extends Error {
  constructor(name: string, message: string, details: object = {}) {
    super(message)
    this.name = name
    Object.assign(this, details)
  }
}

export const named = (name: string, message: string, details: object = {}): Error =>
  new NamedError(name, message, details)

export type Ran = {
  code: number
  stdout: string
  stderr: string
  json: unknown
  error: { code: string; hint: string; details: object }
}

/** Runs one command line against a world, as a process would, with streams that can be read. */
export async function switchyard(args: string[], in_: World, host: Partial<Host> = {}): Promise<Ran> {
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  const texts = { stdout: '', stderr: '' }
  stdout.on('data', (chunk) => (texts.stdout += String(chunk)))
  stderr.on('data', (chunk) => (texts.stderr += String(chunk)))
  const code = await runCli(args, {
    cwd: '/',
    env: { SWITCHYARD_USER: 'ben@example.org', PATH: process.env.PATH },
    stdin: new PassThrough(),
    stdout,
    stderr,
    isTerminal: false,
    openInstallation: async () => fakeInstallation(in_),
    connect: async () => {
      if (in_.server === null)
        throw named('NoServerError', 'no Temporal server is running', { hint: 'start it: switchyard up' })
      in_.open += 1
      return fakeConnected(in_)
    },
    now: () => new Date(NOW),
    signal: new AbortController().signal,
    ...host,
  })
  return {
    code,
    ...texts,
    get json() {
      return JSON.parse(texts.stdout) as unknown
    },
    get error() {
      return (JSON.parse(texts.stderr.slice(texts.stderr.indexOf('{'))) as { error: Ran['error'] }).error
    },
  }
}

function fakeInstallation(in_: World): Installation {
  in_.open += 1
  return {
    config: {
      forge: 'local',
      repositories: in_.repositories.map((name) => ({ name, remote: in_.remote ?? `/nowhere/${name}.git` })),
      ledger: 'sqlite',
      isolation: 'none',
      watch: { every: 30_000, review: 300_000 },
      people: in_.people.map((person) => ({ ...person, notify: [], hours: null })),
      timings: defaultTimings,
    },
    paths: { file: '/nowhere/switchyard.yaml', home: '/nowhere' },
    ledger: fakeLedger(in_),
    forge: fakeForge(in_),
    logs: {
      read: async (uri: string) => (in_.logs[uri] === undefined ? null : Buffer.from(in_.logs[uri])),
    } as Installation['logs'],
    repository: () => fakeRepository(in_),
    close: async () => void (in_.open -= 1),
  }
}

function fakeLedger(in_: World): Ledger {
  return {
    savePolicy: async () => {},
    markGoodPolicy: async () => {},
    lastGoodPolicy: async () => null,
    decisions: async (repo, number) => in_.decisions.filter((one) => one.repo === repo && one.number === number),
    snapshot: async () => snapshot(in_.pullRequests[0]),
    policy: async () => in_.recordedPolicy,
    evidence: async (id) => in_.evidence.find((one) => one.id === id) ?? null,
    pullRequestCounts: async () => in_.counts,
    async appendAudit(entry) {
      in_.audit.push(entry)
    },
    audit: async ({ action }) => in_.audit.filter((one) => action === undefined || one.action === action),
    saveText: async (digest, text) => void in_.texts.set(digest, text),
    rememberedAnswers: async () => in_.remembered,
    rememberedAnswer: async ({ title, context, repo }) =>
      in_.remembered.find((one) => one.title === title && one.context === context && one.repo === repo) ?? null,
    async forgetAnswer(id) {
      const before = in_.remembered.length
      in_.remembered = in_.remembered.filter((one) => one.id !== id)
      return in_.remembered.length < before
    },
  } satisfies Partial<Ledger> as unknown as Ledger
}

function fakeForge(in_: World): Forge {
  const find = (repo: string, number: number) =>
    in_.pullRequests.find((one) => one.repo === repo && one.number === number) ?? null
  const change = (repo: string, number: number, changes: Partial<PullRequest>) => {
    const changed = { ...find(repo, number)!, ...changes }
    in_.pullRequests = in_.pullRequests.map((one) => (one.repo === repo && one.number === number ? changed : one))
    return changed
  }
  return {
    kind: 'fake',
    async createPullRequest(repo: string, input: NewPullRequest) {
      if (in_.refusal) return in_.refusal
      in_.acts.push(`create ${input.head} → ${input.base} "${input.title}" by ${input.author}`)
      const head = { ref: input.head, sha: HEAD }
      const { title, author, draft } = input
      const created = pullRequest({ repo, number: in_.pullRequests.length + 1, title, author, draft, head })
      in_.pullRequests.push(created)
      return { outcome: 'created', pullRequest: created }
    },
    getPullRequest: async (repo, number) => find(repo, number),
    listPullRequests: async (repo, { state }) =>
      in_.pullRequests.filter((one) => one.repo === repo && (state === 'all' || one.state === state)),
    async updatePullRequest(repo, number, changes, actor) {
      in_.acts.push(`update #${number} ${JSON.stringify(changes)} by ${actor}`)
      const { base, ...others } = changes
      return change(repo, number, { ...others, ...(base === undefined ? {} : { base: { ref: base, sha: BASE } }) })
    },
    async submitReview(repo, number, review, snapshotId = null) {
      const on = snapshotId === null ? '' : ` on ${snapshotId}`
      in_.acts.push(`review #${number} ${review.state} at ${review.head.slice(0, 2)} by ${review.author}${on}`)
      const full: Review = { ...review, at: NOW }
      change(repo, number, { reviews: [...find(repo, number)!.reviews, full] })
      return full
    },
    async addComment(_repo, number, author, body) {
      in_.acts.push(`comment #${number} by ${author}`)
      return { id: '1', key: null, author, body, reactions: [], createdAt: NOW, updatedAt: NOW }
    },
    listComments: async () => in_.comments,
  } satisfies Partial<Forge> as unknown as Forge
}

function fakeRepository(in_: World): GitRepository {
  return {
    refs: async () => new Map(Object.entries(in_.branches).map(([name, sha]) => [`refs/heads/${name}`, sha])),
    resolve: async (ref) => in_.branches[ref.replace('refs/heads/', '')] ?? null,
    readFile: async () => (in_.policy === null ? null : Buffer.from(in_.policy)),
    treeOf: async () => TREE,
    mergeBase: async () => BASE,
    changedPaths: async () => ['a.txt', 'b.txt'],
    diff: async () => ({ text: '+ \u001b[31mred\n', truncated: false }),
    commit: async (sha) => ({ sha, subject: in_.subject, parents: [BASE] }) as never,
  } satisfies Partial<GitRepository> as unknown as GitRepository
}

function fakeConnected(in_: World): Connected {
  const there = in_.server!
  const questionOf = (workflowId: string) => {
    const found = there.questions.find(({ id }) => id === workflowId)
    if (!found) throw named('WorkflowNotFoundError', 'not found')
    return found
  }
  const getHandle = (workflowId: string) => ({
    async query() {
      if (workflowId.startsWith('queue:')) {
        if (there.queue === null) throw named('WorkflowNotFoundError', 'not found')
        return there.queue
      }
      const found = there.statuses.find((one) => `pr:${one.repo}#${one.number}` === workflowId)
      if (!found) throw named('WorkflowNotFoundError', 'not found')
      return found
    },
    async describe() {
      if (workflowId.startsWith('ask:')) return infoOf(questionOf(workflowId))
      const name = there.ended[workflowId]?.status ?? 'RUNNING'
      return {
        ...{ workflowId, runId: 'run', type: 'pullRequest', status: { name }, startTime: new Date(NOW) },
        ...(name === 'RUNNING' ? {} : { closeTime: new Date(NOW) }),
        typedSearchAttributes: new TypedSearchAttributes(),
        raw: { pendingActivities: there.pending },
      }
    },
    async result() {
      if (workflowId.startsWith('ask:')) return questionOf(workflowId).state.outcome
      throw there.ended[workflowId]?.failure ?? named('WorkflowFailedError', 'Workflow execution failed')
    },
    async executeUpdate({ name }: { name: string }, { args }: { args: unknown[] }) {
      if (in_.updateError) throw in_.updateError
      in_.acts.push(`${name} ${workflowId} ${JSON.stringify(args)}`)
      if (workflowId.startsWith('ask:')) return updated(questionOf(workflowId), name, args[0] as never)
      return { phase: 'checking' }
    },
  })
  return {
    client: {
      workflow: {
        getHandle,
        async *list({ query }: { query: string }) {
          yield* listed(there.questions, query).map(infoOf)
        },
        count: async (query: string) => ({ count: listed(there.questions, query).length }),
      },
      withDeadline: async (_: number, act: () => Promise<unknown>) => await act(),
    } as unknown as Connected['client'],
    pipelines: {
      async lookAtPullRequest(repo, number) {
        const error = in_.lookErrors.shift()
        if (error) throw error
        in_.acts.push(`look ${repo}#${number}`)
        return { workflowId: `pr:${repo}#${number}`, runId: 'run' }
      },
      async watchRepository(repo) {
        in_.acts.push(`watch ${repo}`)
        return { workflowId: `watch:${repo}` }
      },
      enqueue: async () => ({ workflowId: '' }),
      ask: async (request) => asked(there.questions, request),
      asked: async () => ({ workflowId: '', outcome: null }),
      withdraw: async () => ({ workflowId: '' }),
      isOpen: async () => true,
      failedPullRequests: async () => [],
      async remindPullRequest(repo, number) {
        in_.acts.push(`remind ${repo}#${number}`)
        return true
      },
    },
    namespace: 'switchyard',
    address: '127.0.0.1:7233',
    webUrl: (workflowId) => `http://127.0.0.1:8233/${encodeURIComponent(workflowId)}`,
    hasWorker: async (role) => there.workers.includes(role),
    close: async () => void (in_.open -= 1),
  }
}
