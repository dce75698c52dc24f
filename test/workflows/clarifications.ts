import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { WorkflowUpdateFailedError, type WorkflowHandle } from '@temporalio/client'
import { bundleWorkflowCode } from '@temporalio/worker'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Notification } from '#activities/notify/port'
import { answer, clarificationStatus, reply, type ClarificationStatus } from '#contracts/clarification'
import type { Timings } from '#contracts/timings'
import { completeQuestion, type Asked } from '#domain/clarification/question'
import type { ClarificationOutcome } from '#domain/clarification/state'
import { knownPerson, type Contact } from '#domain/contact'
import type { KnownPerson } from '#domain/people'
import { startEmbeddedServer, type EmbeddedServer } from '#server/embedded'
import { bundled } from '#workers/bundle'
import { openWorld, type WorkflowWorld } from '../support/workflow-world.ts'
import { known, type AskerInput } from './askers.ts'
import { shortTimings } from './shop.ts'
import { until } from './until.ts'

const contact = { notify: [{ via: 'terminal' as const }], hours: null, email: null }

export const contacts: Contact[] = [
  { ...contact, name: 'ann', login: 'ann-on-the-forge', groups: ['reviewers'] },
  { ...contact, name: 'bob', login: null, groups: ['reviewers'] },
  { ...contact, name: 'cem', login: null, groups: ['reviewers'] },
  { ...contact, name: 'dora', login: null, groups: ['managers'] },
  {
    ...contact,
    name: 'hank',
    login: null,
    groups: ['slow'],
    notify: [{ via: 'slack', url: 'https://chat.test/slow' }],
  },
  // At work for an hour of a day that is neither this one nor one next to it.
  {
    ...{ ...contact, name: 'eve', login: null, groups: ['night'] },
    hours: { days: [(new Date().getUTCDay() + 3) % 7], from: 0, to: 60, zone: 'UTC' },
  },
]

/** A ladder that none of whose rungs comes within a test. */
export const long = { remindAfter: 600_000, remindEvery: 600_000, escalateAfter: 600_000, expiresAfter: 900_000 }

let opened: WorkflowWorld | undefined
let count = 0
const told: Notification[] = []
const refused: Notification[] = []
/** Of which questions no outcome can be put on record, and until when. */
const held = new Map<string, Promise<void>>()
/** By title, how often each delivery of it is refused. */
const down = new Map<string, number>()
/** By person and title: deliveries that hang. */
const silent = new Set<string>()

export function world(): WorkflowWorld {
  if (!opened) throw new Error('the world is not open')
  return opened
}

/** Runs the tests of a file at once, in a world with a workflow that asks, and replays every history that they made. */
export function inClarifications(what: string, define: () => void, dynamicConfig?: string[]): void {
  describe(what, () => {
    let folder = ''
    let server: EmbeddedServer | undefined
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'switchyard-askers-'))
      const bundle = join(folder, 'workflows.js')
      const workflowsPath = fileURLToPath(new URL('./askers.ts', import.meta.url))
      const quiet = { log() {}, trace() {}, debug() {}, info() {}, warn: console.warn, error: console.error }
      const { code } = await bundleWorkflowCode({ ...bundled, workflowsPath, logger: quiet })
      await writeFile(bundle, code)
      if (dynamicConfig) {
        server = await startEmbeddedServer({ home: folder, synchronous: 'normal', endsWithParent: true, dynamicConfig })
      }
      opened = await openWorld(server, contacts, undefined, bundle)
      const { appendAudit } = opened.ledger
      opened.ledger.appendAudit = async (entry) => {
        await held.get(String(entry.details['id']))
        await appendAudit(entry)
      }
      opened.notifier.send = async (_, notification, signal) => deliver(notification, signal)
    })
    afterAll(async () => {
      await opened?.close()
      await server?.stop()
      await rm(folder, { recursive: true, force: true })
    })
    describe.concurrent('at once', { timeout: 60_000 }, define)
    it('leaves only histories that replay on the current code', async () => {
      expect(await world().replayAll()).toBeGreaterThan(0)
    }, 60_000)
  })
}

async function deliver(notification: Notification, signal: AbortSignal): Promise<void> {
  if (silent.has(`${notification.to} ${notification.title}`)) {
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
  }
  const before = refused.filter(({ id }) => id === notification.id).length
  if (before >= (down.get(notification.title) ?? 0)) return void told.push(notification)
  refused.push(notification)
  throw new Error('the chat is down')
}

/** The ledger is in no hurry with this question, until the answer to this is called. */
export function holdRecordOf({ workflowId }: WorkflowHandle): () => void {
  const { promise, resolve } = Promise.withResolvers<void>()
  held.set(workflowId, promise)
  return resolve
}

/** Refuses each delivery of a question with this title so many times. */
export function chatIsDown(title: string, times: number): void {
  down.set(title, times)
}

/** Neither takes what this person is told of a question with this title, nor refuses it. */
export function chatHangs(to: string, title: string): void {
  silent.add(`${to} ${title}`)
}

export function refusedOf({ workflowId }: WorkflowHandle): Notification[] {
  return refused.filter(({ clarification }) => clarification === workflowId)
}

/** What the people were told of a question, in the order of it. */
export function toldOf({ workflowId }: WorkflowHandle): Notification[] {
  return told.filter(({ clarification }) => clarification === workflowId)
}

/** Starts a workflow that asks. */
export async function startAsker({
  timings,
  ...input
}: Omit<AskerInput, 'timings'> & { timings?: Partial<Timings> }): Promise<WorkflowHandle> {
  count += 1
  return world().client.workflow.start('asker', {
    workflowId: `asker-${count}`,
    taskQueue: 'pr-review',
    args: [{ timings: { ...shortTimings, ...timings }, ...input } satisfies AskerInput],
  })
}

type Asking = { asker: WorkflowHandle; question: WorkflowHandle; id: (key: string) => WorkflowHandle }

/** Starts a workflow that asks, and answers it with its first question, which is open by then. */
export async function ask(
  asked: Asked | Record<string, Asked>,
  options: { timings?: Partial<Timings>; patient?: boolean } = {},
): Promise<Asking> {
  const all = 'kind' in asked ? { first: asked as Asked } : asked
  const asker = await startAsker({ asked: all, ...options })
  const ids = await until('all is asked', async () => {
    const of = await asker.query(known)
    return Object.values(of).every(({ id }) => id !== null) ? of : null
  })
  const id = (key: string) => world().client.workflow.getHandle(ids[key]!.id!)
  return { asker, question: id(Object.keys(all)[0]!), id }
}

/** Starts a question that no workflow asks. `others`: who were known when it was asked, and are not any more. */
export async function askAlone(
  asked: Asked,
  key = `key-${(count += 1)}`,
  others: KnownPerson[] = [],
): Promise<WorkflowHandle> {
  const people = [...contacts.map(knownPerson), ...others]
  const { workflowId } = await world().pipelines.ask({ asker: null, key, question: completeQuestion(asked), people })
  return world().client.workflow.getHandle(workflowId)
}

export function status(question: WorkflowHandle): Promise<ClarificationStatus> {
  return question.query(clarificationStatus)
}

/** The type of the refusal; null where it counts. */
export async function refusal(send: () => Promise<unknown>): Promise<string | null> {
  try {
    await send()
    return null
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError) return (error.cause as { type?: string }).type ?? 'untyped'
    throw error
  }
}

export function say(question: WorkflowHandle, by: string, value: string, comment?: string): Promise<string | null> {
  return refusal(() =>
    question.executeUpdate(answer, { args: [{ by, value, ...(comment === undefined ? {} : { comment }) }] }),
  )
}

export async function signal(question: WorkflowHandle, by: string, value: string): Promise<void> {
  await question.signal(reply, { by, value })
}

export async function outcomeOf(asker: WorkflowHandle, key = 'first'): Promise<ClarificationOutcome> {
  const outcomes = (await asker.result()) as Record<string, ClarificationOutcome>
  return outcomes[key]!
}

/** What stands in the audit trail about a question, once its workflow has ended. */
export async function recorded(question: WorkflowHandle) {
  const entries = await world().ledger.audit({})
  return entries.filter(({ details }) => details['id'] === question.workflowId)
}

export const yesOrNo: Asked = {
  ...{ kind: 'question', title: 'Shall it go on?', who: ['reviewers'], ladder: long },
  options: [
    { value: 'yes', label: 'Yes' },
    { value: 'no', label: 'No' },
  ],
}
