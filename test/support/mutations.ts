/** What protects a landing or a record, taken away: each mutation must turn an invariant red, or nothing proves it. */
import { randomBytes } from 'node:crypto'
import { TypedSearchAttributes } from '@temporalio/common'
import { createForge, type ForgeGit } from '#activities/forge/engine'
import { createLocalRecords } from '#activities/forge/local-records'
import type { Forge } from '#activities/forge/port'
import { openRepository } from '#activities/git/repository'
import type { Pipelines } from '#activities/pipelines/port'
import { mergeQueueId } from '#contracts/ids'
import { enqueue, mergeQueueType } from '#contracts/merge-queue'
import { taskQueue } from '#contracts/roles'
import { searchAttributePairs } from '#contracts/search-attributes'
import type { Evidence, Subject } from '#domain/evidence'
import { connect } from '#installation/connect'
import type { Installation } from '#installation/installation'
import type { Ledger } from '#ledger/port'
import type { SqliteLedger } from '#ledger/sqlite'
import type { Tools } from '#workers/activities'
import type { Mutation } from './crash-points.ts'

export type Told = {
  /** Right after an effect inside of a merge. */
  happened(effect: string): void
  /** Between a merge's look at the refs and its move of them. */
  beforeRefsMove(): Promise<void>
}

/** The tools that workers use, whose merge also tells of what happens inside of it, with what is taken away. */
export function withMutations(tools: Tools, installation: Installation, mutations: Mutation[], told: Told): Tools {
  const forge = forgeThatTells(tools, installation, told, mutations.includes('blind-write'))
  return mutations.reduce((mutated, mutation) => mutate(mutated, installation, mutation), { ...tools, forge })
}

function forgeThatTells({ forge, ledger }: Tools, installation: Installation, told: Told, blind: boolean): Forge {
  const telling = createForge({
    kind: 'local',
    records: createLocalRecords((ledger as SqliteLedger).tables),
    git: (repo) => gitThatTells(remoteOf(installation, repo), told, blind),
    protectedBranches: () => ['main'],
    takePushes: async () => undefined,
    now: () => new Date().toISOString(),
    happened: ({ effect }) => told.happened(effect),
  })
  return { ...forge, merge: telling.merge }
}

/** `blind`: every ref is written, whatever it is by then. */
function gitThatTells(gitDir: string, { beforeRefsMove }: Told, blind: boolean): ForgeGit {
  const git = openRepository(gitDir)
  return {
    ...git,
    async updateRefs(updates) {
      await beforeRefsMove()
      if (!blind) return git.updateRefs(updates)
      return git.updateRefs(
        await Promise.all(updates.map(async (update) => ({ ...update, from: await git.resolve(update.ref) }))),
      )
    },
  }
}

function mutate(tools: Tools, installation: Installation, mutation: Mutation): Tools {
  const { forge, ledger, pipelines } = tools
  switch (mutation) {
    case 'blind-write':
      return tools
    case 'no-expected-base':
    case 'no-expected-head':
      return { ...tools, forge: { ...forge, merge: mergeThatTrusts(forge, installation, mutation) } }
    case 'no-look-before-landing':
      return { ...tools, forge: { ...forge, merge: mergeThatDoesNotLook(forge, installation) } }
    case 'no-comment-key': {
      const upsertComment: Forge['upsertComment'] = (repo, number, _key, body) =>
        forge.addComment(repo, number, 'switchyard', body)
      return { ...tools, forge: { ...forge, upsertComment } }
    }
    case 'no-comment-time': {
      const listComments: Forge['listComments'] = async (...args) =>
        (await forge.listComments(...args)).map((comment) => ({ ...comment, body: '' }))
      return { ...tools, forge: { ...forge, listComments } }
    }
    case 'no-enqueue-key':
      return { ...tools, pipelines: { ...pipelines, enqueue: enqueueElsewhere(installation, pipelines) } }
    case 'no-decision-key': {
      const saveDecision: Ledger['saveDecision'] = (decision) =>
        ledger.saveDecision({ ...decision, workflowId: `${decision.workflowId}+${nonce()}` })
      return { ...tools, ledger: { ...ledger, saveDecision } }
    }
    case 'any-evidence':
      return { ...tools, ledger: { ...ledger, ...evidenceOfAnything(ledger) } }
  }
}

/** A lander that moves the base wherever it is: the forge then finds the commit there, and takes it for its own. */
function mergeThatTrusts(forge: Forge, installation: Installation, mutation: Mutation): Forge['merge'] {
  return async (repo, number, request) => {
    const pullRequest = await forge.getPullRequest(repo, number)
    if (!pullRequest) throw new Error(`there is no ${repo}#${number}`)
    const { head, base } = pullRequest
    const headHolds = mutation === 'no-expected-head' || head.sha === request.expectedHead
    const baseHolds = mutation === 'no-expected-base' || base.sha === request.expectedBase
    if (headHolds && baseHolds) {
      const git = openRepository(remoteOf(installation, repo))
      await git.updateRefs([{ ref: `refs/heads/${base.ref}`, from: base.sha, to: request.commit }])
    }
    return forge.merge(repo, number, request)
  }
}

/** A lander that lands on the base of the moment, and does not know what it landed before. */
function mergeThatDoesNotLook(forge: Forge, installation: Installation): Forge['merge'] {
  return async (repo, number, request) => {
    const pullRequest = await forge.getPullRequest(repo, number)
    if (!pullRequest) throw new Error(`there is no ${repo}#${number}`)
    const git = openRepository(remoteOf(installation, repo))
    const ref = `refs/heads/${pullRequest.base.ref}`
    const base = await git.resolve(ref)
    if (base !== null && base !== request.expectedBase) {
      const { message } = await git.commit(request.commit)
      const author = { name: 'Switchyard', email: 'switchyard@localhost', at: request.at }
      const tree = await git.treeOf(base)
      const again = await git.commitTree({ tree, parents: [base], message, author, committer: author })
      await git.updateRefs([{ ref, from: base, to: again }])
    }
    return forge.merge(repo, number, request)
  }
}

/** A queue of its own for every entry but the first: nothing knows what was enqueued already. */
function enqueueElsewhere(installation: Installation, pipelines: Pipelines): Pipelines['enqueue'] {
  const { timings } = installation.config
  return async (entry) => {
    const { repo, branch } = entry
    const { client, close } = await connect(installation)
    const usual = client.workflow.getHandle(mergeQueueId(repo, branch))
    const known = await usual.describe().catch(() => null)
    if (known === null) return pipelines.enqueue(entry).finally(close)
    const attributes = searchAttributePairs({ Repo: repo, Branch: branch, Pipeline: mergeQueueType })
    const handle = await client.workflow.signalWithStart(mergeQueueType, {
      workflowId: `${usual.workflowId}+${nonce()}`,
      taskQueue: taskQueue('merge'),
      args: [{ repo, branch, timings }],
      signal: enqueue,
      signalArgs: [entry],
      typedSearchAttributes: new TypedSearchAttributes(attributes),
    })
    await close()
    return { workflowId: handle.workflowId }
  }
}

/** Between the id of an evidence and the subject that it is taken for: another worker reads it. */
const CLAIM = ' as '

/** A pass of any tree proves every tree. */
function evidenceOfAnything(ledger: Ledger): Pick<Ledger, 'findPass' | 'evidence'> {
  return {
    async findPass(repo, check, subject, digest) {
      const proof = await ledger.findPass(repo, check, subject, digest)
      if (proof || subject.kind !== 'tree') return proof
      const row = await (ledger as SqliteLedger).tables
        .selectFrom('evidence')
        .select('evidence')
        .where('repo', '=', repo)
        .where('check_name', '=', check)
        .where('digest', '=', digest)
        .where('conclusion', '=', 'passed')
        .executeTakeFirst()
      if (!row) return null
      const other = JSON.parse(row.evidence) as Evidence
      return { ...other, id: `${other.id}${CLAIM}${JSON.stringify(subject)}`, subject }
    },
    async evidence(id) {
      const [proven = id, claimed] = id.split(CLAIM)
      const evidence = await ledger.evidence(proven)
      return evidence && claimed ? { ...evidence, subject: JSON.parse(claimed) as Subject } : evidence
    },
  }
}

function remoteOf({ config }: Installation, repo: string): string {
  const remote = config.repositories.find(({ name }) => name === repo)?.remote
  if (!remote) throw new Error(`there is no repository ${repo}`)
  return remote
}

const nonce = (): string => randomBytes(4).toString('hex')
