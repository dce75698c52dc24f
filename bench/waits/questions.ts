import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { answer } from '#contracts/clarification'
import { clarificationId } from '#contracts/ids'
import { taskQueue } from '#contracts/roles'
import { completeQuestion } from '#domain/clarification/question'
import { DAY, rowAction, type AskerInput, type BareInput } from './contract.ts'
import type { Rig } from './rig.ts'

/** Seldom enough that looking does not slow down what is looked at. */
const POLL_MS = 50
const LIMIT_MS = 120_000
const OPENED_AT_ONCE = 16
/** Callers of a storm that wait for their answer at a time. */
const CALLERS = 64

export async function inLanes<T>(items: T[], lanes: number, work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items]
  const lane = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}

/** Asks for scripts: nobody but the question itself waits. */
export async function openIdle(rig: Rig, from: number, to: number): Promise<void> {
  const { bench, signal } = rig
  const keys = Array.from({ length: to - from }, (_, index) => `idle-${from + index}`)
  await inLanes(keys, OPENED_AT_ONCE, async (key) => {
    signal.throwIfAborted()
    const ladder = { remindAfter: DAY, expiresAfter: 7 * DAY }
    const question = completeQuestion({ kind: 'question', title: `${key}?`, options: choice, ladder })
    const { workflowId } = await bench.connected.pipelines.ask({ asker: null, key, question, people: [] })
    // Else what is left of the asking would be in the figures of the waiting.
    await untilWaiting(rig, workflowId)
  })
}

const choice = ['yes', 'no'].map((value) => ({ value, label: value }))

/** Milliseconds from the sending of an answer to the beginning of the asker's next step, one after another. */
export async function timedAnswers(rig: Rig, name: string, count: number): Promise<number[]> {
  const times: number[] = []
  for (let index = 0; index < count; index += 1) {
    const [key] = await askForOurs(rig, [`${name}-${index}`], true)
    const start = Date.now()
    await answerOurs(rig, key!)
    const began = (await rig.bench.connected.client.workflow.getHandle(askerId(key!)).result()) as number
    times.push(began - start)
  }
  return times
}

/** Answers each second, from the first that is sent until each asker has heard its own and each is on record. */
export async function stormOfOurs(rig: Rig, name: string, count: number): Promise<number> {
  const keys = await askForOurs(rig, keysOf(name, count), false)
  return drained(rig, keys, {
    action: 'clarification.answered',
    answer: (key) => answerOurs(rig, key),
    heard: (key) => rig.bench.connected.client.workflow.getHandle(askerId(key)).result(),
  })
}

/** The same, of workflows that do nothing but pass the answer on and write it down. */
export async function stormOfBare(rig: Rig, name: string, count: number): Promise<number> {
  const { client } = rig.bench.connected
  const keys = keysOf(name, count)
  await inLanes(keys, OPENED_AT_ONCE, async (key) => {
    const [asker, args] = [`bare-asker:${key}`, [{ key, asker: `bare-asker:${key}` } satisfies BareInput]]
    await client.workflow.start('bareAsker', { workflowId: asker, taskQueue: taskQueue('merge') })
    await client.workflow.start('bareQuestion', { workflowId: `bare:${key}`, taskQueue: taskQueue('decision'), args })
    await Promise.all([untilWaiting(rig, asker), untilWaiting(rig, `bare:${key}`)])
  })
  return drained(rig, keys, {
    action: rowAction,
    answer: (key) => client.workflow.getHandle(`bare:${key}`).executeUpdate('answer', { args: [{ value: 'yes' }] }),
    heard: (key) => client.workflow.getHandle(`bare-asker:${key}`).result(),
  })
}

type Storm = { action: string; answer: (key: string) => Promise<unknown>; heard: (key: string) => Promise<unknown> }

async function drained({ bench, signal }: Rig, keys: string[], { action, answer, heard }: Storm): Promise<number> {
  const { ledger } = bench.installation
  const written = async () => (await ledger.audit({ action })).length
  const before = await written()
  const start = performance.now()
  await inLanes(keys, CALLERS, async (key) => {
    signal.throwIfAborted()
    await answer(key)
  })
  await inLanes(keys, CALLERS, async (key) => void (await heard(key)))
  await until(signal, 'each answer is on record', async () => (await written()) - before >= keys.length)
  return (keys.length / (performance.now() - start)) * 1_000
}

const keysOf = (name: string, count: number) => Array.from({ length: count }, (_, index) => `${name}-${index}`)

const askerId = (key: string) => `asker:${key}`

const questionId = (key: string) =>
  clarificationId(
    createHash('sha256')
      .update(`${askerId(key)}\0${key}`)
      .digest('hex'),
  )

/** Returns once each is open and has told whom it tells. */
async function askForOurs(rig: Rig, keys: string[], steps: boolean): Promise<string[]> {
  const { client } = rig.bench.connected
  const { timings } = rig.bench.installation.config
  await inLanes(keys, OPENED_AT_ONCE, async (key) => {
    const args = [{ key, steps, timings } satisfies AskerInput]
    await client.workflow.start('asker', { workflowId: askerId(key), taskQueue: taskQueue('merge'), args })
    await untilWaiting(rig, questionId(key))
  })
  return keys
}

/** Started, and a task that was scheduled, started and completed: events of a workflow that has run its first task. */
const FIRST_EVENTS = 4

/** Until a workflow is there, and waits for nothing but somebody else. */
async function untilWaiting({ bench, signal }: Rig, workflowId: string): Promise<void> {
  const handle = bench.connected.client.workflow.getHandle(workflowId)
  await until(signal, `${workflowId} waits`, async () => {
    const found = await handle.describe().catch(() => null)
    if (found === null) return false
    const { pendingActivities, pendingWorkflowTask } = found.raw
    return found.historyLength >= FIRST_EVENTS && !pendingWorkflowTask && (pendingActivities ?? []).length === 0
  })
}

async function answerOurs({ bench }: Rig, key: string): Promise<void> {
  const handle = bench.connected.client.workflow.getHandle(questionId(key))
  await handle.executeUpdate(answer, { args: [{ by: 'ada', value: 'yes', through: 'cli' }] })
}

async function until(signal: AbortSignal, what: string, reached: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + LIMIT_MS
  while (!(await reached())) {
    signal.throwIfAborted()
    if (performance.now() > deadline) throw new Error(`not in ${LIMIT_MS / 1000} s: ${what}`)
    await delay(POLL_MS)
  }
}
