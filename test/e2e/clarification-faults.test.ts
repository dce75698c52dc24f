import { afterAll, beforeAll, expect, test } from 'vitest'
import { answer, clarificationType } from '#contracts/clarification'
import { completeQuestion } from '#domain/clarification/question'
import type { ClarificationOutcome } from '#domain/clarification/state'
import { tellClarification } from '#client/clarification-update'
import { CliError } from '#client/errors'
import type { Supervisor } from '#client/supervisor/supervisor'
import { readRecord, recordedProcess } from '#server/record'
import { eventually, patience } from '../support/crash-points.ts'
import { createInstallation, type TestInstallation } from '../support/installation.ts'
import { seeded, shuffled } from '../support/seeded.ts'
import { testServer } from '../support/server.ts'
import { workflows } from './histories.ts'

const seed = Number(process.env['SWITCHYARD_SEED'] ?? Date.now() % 1_000_000)
/** A few, so that a run is short; 1000 shows the same at another size. */
const questions = Number(process.env['SWITCHYARD_TEST_QUESTIONS'] ?? 200)
const KILLS = 20
/** Of them, those of the server. */
const SERVER_KILLS = 6
/** People who ask and answer at the same time. */
const CALLERS = 24
const LIMIT_MS = Math.max(280_000, questions * 1_000) * patience
const AGAIN_MS = 200

let rig: TestInstallation
beforeAll(async () => {
  rig = await createInstallation({
    ...{ server: 'own', name: 'asking', bundlePath: testServer().bundlePath, isolation: 'none' },
    repositories: [],
    fill: async () => undefined,
  })
})
afterAll(() => rig?.remove())

/** `said`: what somebody was told that it counts. */
type Open = { key: string; id: string | null; needed: number; said: { by: string; value: string }[] }
type Verdict = 'counts' | 'refused'
type Deed = (question: Open) => Promise<void>

/** Counts what was done, so that the deaths spread over all of it, and what failed and was done again. */
const tally = { done: 0, errors: 0 }

test(
  `each question is asked once, each answer used once and none lost, whatever dies (seed ${seed})`,
  { timeout: LIMIT_MS },
  async () => {
    const random = seeded(seed)
    const workers = await rig.startWorkers(2)
    const opened: Open[] = Array.from({ length: questions }, (_, index) => ({
      ...{ key: `q${index}`, id: null, needed: index % 4 === 3 ? 2 : 1, said: [] },
    }))
    const deeds = opened.map((question) => ({ question, deed: deedOf(question) }))
    const killing = killNowAndThen(workers, random, deeds.length)
    await inLanes(shuffled(deeds, random), async ({ question, deed }) => {
      await deed(question)
      tally.done += 1
    })
    expect(await killing).toBe(KILLS)
    // Else nothing of it was under way when something died.
    expect(tally.errors).toBeGreaterThan(0)

    const outcomes = await Promise.all(
      opened.map(async (question) => ({ question, outcome: await outcomeOf(question) })),
    )
    const wrong = outcomes.flatMap(({ question, outcome }) => judge(question, outcome))
    expect(wrong).toEqual([])
    await expectOnce(opened)
  },
)

/** Asks, some of them twice at once; then answers: one person, two who agree, or two of whom one comes too late. */
function deedOf({ key, needed }: Open): Deed {
  const index = Number(key.slice(1))
  return async (question) => {
    const ids = await Promise.all(Array.from({ length: index % 3 === 0 ? 2 : 1 }, () => persist(() => ask(question))))
    question.id = ids[0]!.workflowId
    expect(new Set(ids.map(({ workflowId }) => workflowId)).size).toBe(1)
    const others = needed === 2 ? [{ by: 'ben', value: 'yes' }] : index % 4 === 1 ? [{ by: 'ben', value: 'no' }] : []
    await Promise.all([{ by: 'ann', value: 'yes' }, ...others].map((given) => give(question, given)))
  }
}

function ask({ key, needed }: Open) {
  const options = ['yes', 'no'].map((value) => ({ value, label: value }))
  const question = completeQuestion({ kind: 'approval', title: `May ${key} go on?`, options, needed })
  return rig.connected.pipelines.ask({ asker: null, key, question, people: [] })
}

async function give(question: Open, given: { by: string; value: string }): Promise<void> {
  const verdict = await persist(() => say(question, given))
  if (verdict === 'counts') question.said.push(given)
}

/** As the command `answer` does it. */
async function say(question: Open, given: { by: string; value: string }): Promise<Verdict> {
  try {
    await tellClarification(rig.connected, question.id!, answer, given)
    return 'counts'
  } catch (error) {
    if (error instanceof CliError && error.code === 'already-answered') return 'refused'
    if (!(error instanceof CliError) || error.code !== 'ended') throw error
    const { outcome } = await ask(question)
    if (outcome === null) throw error
    return outcome.answers.some(({ by, value }) => by === given.by && value === given.value) ? 'counts' : 'refused'
  }
}

/** Until it is acknowledged: who gets an error does the same again. */
async function persist<T>(act: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await act()
    } catch {
      tally.errors += 1
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
    }
  }
}

/** Kills a worker or the server each time that another part of the work is done, a moment later. */
async function killNowAndThen(workers: Supervisor, random: () => number, total: number): Promise<number> {
  const server = new Set(
    shuffled(
      Array.from({ length: KILLS }, (_, kill) => kill),
      random,
    ).slice(0, SERVER_KILLS),
  )
  let kills = 0
  while (kills < KILLS) {
    const due = (total * kills) / (KILLS + 1)
    await eventually(
      async () => tally.done >= due,
      LIMIT_MS,
      () => `${tally.done} of ${total} were done`,
    )
    await new Promise((resolve) => setTimeout(resolve, random() * 300))
    const died = server.has(kills) ? await killServer() : killWorker(workers, random)
    if (died) kills += 1
  }
  return kills
}

async function killServer(): Promise<boolean> {
  const found = await recordedProcess(await readRecord(rig.home))
  if (found) process.kill(found.pid, 'SIGKILL')
  return found !== null
}

function killWorker(workers: Supervisor, random: () => number): boolean {
  const name = random() < 0.5 ? 'worker' : 'worker-2'
  if (workers.pid(name) === undefined) return false
  workers.kill(name, 'SIGKILL')
  return true
}

async function outcomeOf(question: Open): Promise<ClarificationOutcome> {
  const ended = async () => (await ask(question).catch(() => null))?.outcome
  return eventually(ended, LIMIT_MS, () => `${question.key} has no outcome`)
}

/** What was acknowledged stands, and nothing else does. */
function judge({ key, said, needed }: Open, { state, value, by, answers }: ClarificationOutcome): string[] {
  const given = answers.map((each) => `${each.by} ${each.value}`).sort()
  const acknowledged = said.map((each) => `${each.by} ${each.value}`).sort()
  const found = state === 'answered' ? [] : [`${key} is ${state}`]
  if (given.join() !== acknowledged.join())
    found.push(`${key} has ${given.join()}, and acknowledged ${acknowledged.join()}`)
  if (by.length !== needed) found.push(`${key} was settled by ${by.join()} with ${value}`)
  return found
}

/** One workflow for each, that has ended; and each answer once on record. */
async function expectOnce(opened: Open[]): Promise<void> {
  const ids = opened.map(({ id }) => id!).sort()
  const { client } = rig.connected
  const listed = async () => {
    const found = await workflows(client, `WorkflowType = "${clarificationType}"`)
    return found.length >= ids.length && found.every(({ status }) => status.name === 'COMPLETED') ? found : null
  }
  const found = await eventually(listed, LIMIT_MS, () => 'not every question is listed as ended')
  expect(found.map(({ workflowId }) => workflowId).sort()).toEqual(ids)
  const entries = await rig.installation.ledger.audit({ action: 'clarification.answered' })
  const recorded = entries.map(({ actor, details }) => `${details['key']} ${actor} ${details['value']}`)
  const said = opened.flatMap((question) => question.said.map(({ by, value }) => `${question.key} ${by} ${value}`))
  expect(recorded.sort()).toEqual(said.sort())
}

async function inLanes<T>(items: T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items]
  const lane = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: CALLERS }, lane))
}
