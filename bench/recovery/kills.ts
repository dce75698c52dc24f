import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { mergeQueueId } from '#contracts/ids'
import { readRecord } from '#server/record'
import type { Bench } from '../installation.ts'
import { openPullRequest } from '../pull-requests.ts'
import type { Change } from '../template.ts'
import type { Recovery } from './recovery.ts'

export type Scene = { bench: Bench; repo: string; gates: string; changes: Change[]; signal: AbortSignal }

const POLL_MS = 10
const LIMIT_MS = 120_000
/** So many that the queue is busy for longer than it takes to look. */
const IN_QUEUE = 6
const QUERY_MS = 10_000
const ASK_AGAIN_MS = 100
/** temporal.api.enums.v1.PendingActivityState */
const STARTED = 2

/** Kills what runs a test that never ends by itself: `first`, the checks of another PR; `past`, the lost test again. */
export async function killWorkerInCheck(scene: Scene): Promise<Recovery> {
  const { bench, gates } = scene
  await writeFile(join(gates, 'held'), '')
  const lost = await open(scene)
  await until(scene, 'the test runs', async () => existsSync(join(gates, 'running')))
  bench.running.workers.kill('testing', 'SIGKILL')
  const start = performance.now()
  const other = await open(scene)
  const decided = async (number: number): Promise<number> => {
    await until(scene, `#${number} is decided`, async () => (await decisions(scene, number)).length > 0)
    return performance.now() - start
  }
  const [first, past] = await Promise.all([decided(other), decided(lost)])
  await rm(join(gates, 'running'))
  await landed(scene, [lost, other])
  return { first, past }
}

/** Kills the queue's worker in the middle of a landing: `first`, the queue answers; `past`, it has landed another PR. */
export async function killWorkerInLanding(scene: Scene): Promise<Recovery> {
  const { bench, repo } = scene
  const numbers = await openSome(scene)
  const queue = bench.connected.client.workflow.getHandle(mergeQueueId(repo, 'main'))
  await until(scene, 'a PR is being landed', async () => {
    const { raw } = await queue.describe()
    return (raw.pendingActivities ?? []).some(({ state }) => state === STARTED)
  })
  bench.running.workers.kill('merge', 'SIGKILL')
  const start = performance.now()
  const before = (await landings(scene)).length
  const moved = async (): Promise<number> => {
    await until(scene, 'the next landing', async () => (await landings(scene)).length > before)
    return performance.now() - start
  }
  const [answered, past] = await Promise.all([firstAnswer(scene, () => queue.query('status')), moved()])
  await landed(scene, numbers)
  await answered.others
  return { first: answered.at - start, past }
}

/** Kills the server while the queue lands: `first`, the next landing; `past`, all that were under way have landed. */
export async function killServer(scene: Scene): Promise<Recovery> {
  const before = (await landings(scene)).length
  const numbers = await openSome(scene)
  await until(scene, 'the first landing', async () => (await landings(scene)).length > before)
  const record = await readRecord(scene.bench.installation.paths.home)
  process.kill(record!.process!.pid, 'SIGKILL')
  const start = performance.now()
  const then = (await landings(scene)).length
  await until(scene, 'the next landing', async () => (await landings(scene)).length > then)
  const first = performance.now() - start
  await landed(scene, numbers)
  return { first, past: performance.now() - start }
}

/**
 * Asks again and again, without waiting for the questions before: the server keeps one for the worker that died until
 * its sticky queue expires, and a deadline shorter than that would measure itself.
 */
async function firstAnswer(
  scene: Scene,
  ask: () => Promise<unknown>,
): Promise<{ at: number; others: Promise<unknown> }> {
  const { client } = scene.bench.connected
  const asked: Promise<number | null>[] = []
  let at: number | null = null
  await until(scene, 'the queue answers', async () => {
    const answer = client.withDeadline(Date.now() + QUERY_MS, ask).then(
      () => (at ??= performance.now()),
      () => null,
    )
    asked.push(answer)
    await delay(ASK_AGAIN_MS)
    return at !== null
  })
  return { at: at!, others: Promise.all(asked) }
}

const open = (scene: Scene) => openPullRequest(scene.bench, scene.repo, scene.changes.shift()!)

async function openSome(scene: Scene): Promise<number[]> {
  const numbers: number[] = []
  for (let index = 0; index < IN_QUEUE; index += 1) numbers.push(await open(scene))
  return numbers
}

const decisions = ({ bench, repo }: Scene, number: number) => bench.installation.ledger.decisions(repo, number)
const landings = ({ bench, repo }: Scene) => bench.installation.ledger.landings(repo, 'main')

async function landed(scene: Scene, numbers: number[]): Promise<void> {
  await until(scene, `${numbers.join(', ')} have landed`, async () => {
    const done = new Set((await landings(scene)).map(({ number }) => number))
    return numbers.every((number) => done.has(number))
  })
}

async function until({ signal }: Scene, what: string, reached: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + LIMIT_MS
  while (!(await reached())) {
    signal.throwIfAborted()
    if (performance.now() > deadline) throw new Error(`not in ${LIMIT_MS / 1000} s: ${what}`)
    await delay(POLL_MS)
  }
}
