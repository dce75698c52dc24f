/** A worker as a process of its own to which, at moments of its activities, happens what its environment names. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { spawnSync } from 'node:child_process'
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { activityInfo, heartbeat } from '@temporalio/activity'
import { mergeQueueStatus } from '#contracts/merge-queue'
import { connect } from '#installation/connect'
import { openInstallation } from '#installation/open'
import { serverFiles, type ServerRecord } from '#server/record'
import type { Activities, Tools } from '#workers/activities'
import { parseRoles, workerProcess } from '#workers/main'
import { faultsVariable, interferenceMark, lifeMark, markOf, nextStep, stopMark, traceFile } from './crash-points.ts'
import type { Deed, Faults, Interference, Moment } from './crash-points.ts'
import { withMutations } from './mutations.ts'

/** The attempt of an activity that code runs in. `stopped`: marks of the points at which it lost its time. */
type Place = { repo: string; activity: string; key: string; number: number | null; stopped: string[] }

const { env } = process
const cwd = process.cwd()
const roles = parseRoles(process.argv[2] ?? '') ?? []
const faults = JSON.parse(env[faultsVariable] ?? '{}') as Faults
const installation = await openInstallation({ cwd, env })
const TURN_MS = 20
/** A question to the queue is work for it. */
const QUEUE_MS = 250
const place = new AsyncLocalStorage<Place>()
const traced = new Set<string>()

/** Methods of the ports that change nothing: no moment is after them. All others are effects, also those to come. */
const reads = new Set(
  Object.entries({
    forge: 'getPullRequest listPullRequests listComments listChecks mergeability branch',
    ledger:
      'policy lastGoodPolicy snapshot evidence findPass decisions landings audit pullRequestCounts failingSince flakyTests text rememberedAnswer rememberedAnswers about',
    git: 'resolve refs mergeBase isAncestor treeOf commit commits messages changedPaths diff changedFiles readFile readBlob mergeTree',
    pipelines: 'failedPullRequests asked isOpen',
    runner: 'recover',
  }).flatMap(([tool, methods]) => methods.split(' ').map((method) => `${tool}.${method}`)),
)

await workerProcess(
  { cwd, env, roles, bundle: { codePath: faults.bundlePath } },
  {
    tools: withFaults,
    activities: withMoments,
    withoutThreads: !faults.threads,
    ...(faults.cachedWorkflows === null ? {} : { cachedWorkflows: faults.cachedWorkflows }),
  },
)
await installation.close()

function withFaults(tools: Tools): Tools {
  const mutated = withMutations(tools, installation, faults.mutations, {
    happened: (effect) => void reached(`inside-${effect}`),
    beforeRefsMove: () => interfere('before-git.updateRefs'),
  })
  const watched = Object.entries(mutated).map(([name, tool]) => [
    name,
    typeof tool === 'object' ? watch(name, tool) : (repo: string) => watch('git', tool(repo)),
  ])
  return Object.fromEntries(watched) as Tools
}

/** The same tool; what it does within an activity is a moment once it has done it. */
function watch<T extends object>(name: string, tool: T): T {
  return new Proxy(tool, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target)
      if (typeof value !== 'function' || typeof key !== 'string' || reads.has(`${name}.${key}`)) return value
      return (...args: unknown[]) => {
        const answer: unknown = value.apply(target, args)
        if (!(answer instanceof Promise)) return answer
        return answer.then(async (result: unknown) => {
          await arrive(`after-${name}.${key}`)
          return result
        })
      }
    },
  })
}

function withMoments(activities: Activities): Activities {
  const wrapped = Object.entries(activities).map(([name, activity]) => [
    name,
    (...args: never[]) =>
      place.run(placeOf(name, args), async () => {
        try {
          await interfere('before-effect')
          await arrive('before-effect')
          const result = await activity(...args)
          await arrive('before-acknowledgement')
          return result
        } finally {
          tellTheEnd()
        }
      }),
  ])
  return Object.fromEntries(wrapped) as Activities
}

type About = { repo?: string | null; number?: number | null }

type Request = { number?: number; entry?: { number?: number }; question?: About; state?: { question: About } }

function placeOf(activity: string, args: unknown[]): Place {
  const { workflowExecution, activityId } = activityInfo()
  const { workflowId, runId } = workflowExecution!
  const request = args[0] as Request
  // The id of a question does not tell what it is about.
  const question = request.question ?? request.state?.question
  return {
    repo: question?.repo ?? /^[a-z]+:([^#@/]+)/.exec(workflowId)?.[1] ?? workflowId,
    activity,
    key: `${runId} ${activityId}`,
    number: request.entry?.number ?? request.number ?? question?.number ?? null,
    stopped: [],
  }
}

/** Where a worker is to stop that has to wait until another one goes on, it waits. */
async function arrive(moment: Moment): Promise<void> {
  while (!reached(moment)) await alive()
}

async function alive(ms = TURN_MS): Promise<void> {
  heartbeat()
  await new Promise((resolve) => setTimeout(resolve, ms))
}

/** False where something is due that can't happen yet. */
function reached(moment: Moment): boolean {
  const here = place.getStore()
  if (here === undefined) return true
  trace(here, moment)
  return faults.chains.every((_, chain) => happens(here, moment, chain))
}

function happens(here: Place, moment: Moment, chain: number): boolean {
  const { deed, points } = faults.chains[chain]!
  if (!points.some(({ repo, activity }) => repo === here.repo && activity === here.activity)) return true
  if (!existsSync(lifeMark(faults, here.repo))) return true
  const step = nextStep(faults, chain)
  if (step === null) return true
  const { repo, activity, moment: due, otherPr } = points[step]!
  if (repo !== here.repo || activity !== here.activity || due !== moment) return true
  if (otherPr && numberAt(chain, step - 1) === String(here.number)) return true
  if (deed === 'stop-worker' && !isFirst(stopMark(faults), '')) return false
  if (!isFirst(markOf(faults, chain, step, 'happened'), `${process.pid} ${here.number} ${here.key}`)) return true
  if (deed === 'stop-worker') here.stopped.push(markOf(faults, chain, step, 'over'))
  perform(deed)
  return true
}

function numberAt(chain: number, step: number): string | undefined {
  return readFileSync(markOf(faults, chain, step, 'happened'), 'utf8').split(' ')[1]
}

function trace({ activity }: Place, moment: Moment): void {
  const line = `${activity} ${moment}\n`
  if (!faults.trace || traced.has(line)) return
  traced.add(line)
  appendFileSync(traceFile(faults), line)
}

function perform(deed: Deed): void {
  if (deed === 'kill-worker') process.kill(process.pid, 'SIGKILL')
  // Stands still in this line, with all its threads, until somebody continues it.
  else if (deed === 'stop-worker') process.kill(process.pid, 'SIGSTOP')
  else killServer()
}

/** Returns when it is dead, so that nothing of the moment reaches it any more. */
function killServer(): void {
  const { process: server } = JSON.parse(
    readFileSync(serverFiles(installation.paths.home).record, 'utf8'),
  ) as ServerRecord
  if (server === null) throw new Error('there is no server to kill')
  process.kill(server.pid, 'SIGKILL')
  const pause = new Int32Array(new SharedArrayBuffer(4))
  while (isRunning(server.pid)) Atomics.wait(pause, 0, 0, 2)
}

function isRunning(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
  } catch {
    return false
  }
}

/** Says that a stopped attempt has ended after all, or that this one has ended what a stopped one began. */
function tellTheEnd(): void {
  const here = place.getStore()!
  for (const mark of here.stopped) {
    isFirst(mark, '')
    rmSync(stopMark(faults), { force: true })
  }
  for (const [index, { deed, points }] of faults.chains.entries()) {
    if (deed !== 'stop-worker') continue
    for (const [step, { repo, activity }] of points.entries()) {
      if (repo !== here.repo || activity !== here.activity) continue
      const happened = markOf(faults, index, step, 'happened')
      const [pid, number, runId] = existsSync(happened) ? readFileSync(happened, 'utf8').split(' ') : []
      // Not by the id of the activity: where the stopped worker's polls swallowed all attempts, another one does the work.
      if (pid === String(process.pid) || number !== String(here.number) || runId !== here.key.split(' ')[0]) continue
      isFirst(markOf(faults, index, step, 'taken-over'), '')
    }
  }
}

async function interfere(moment: Moment): Promise<void> {
  const here = place.getStore()
  for (const [index, interference] of faults.interferences.entries()) {
    const { repo, activity, number } = interference
    if (repo !== here?.repo || activity !== here.activity || interference.moment !== moment) continue
    if (number !== undefined && number !== here.number) continue
    if ('queue' in interference) await untilQueued(interference)
    else if (isFirst(interferenceMark(faults, index), '')) await act(interference)
  }
}

async function act(interference: Exclude<Interference, { queue: string }>): Promise<void> {
  if ('shell' in interference) {
    const { status, stderr } = spawnSync('/bin/sh', ['-ec', interference.shell], { encoding: 'utf8' })
    if (status !== 0) throw new Error(`the interference failed: ${stderr}`)
    return
  }
  const { client, close } = await connect(installation, { env })
  await client.workflow.getHandle(interference.terminate).terminate('by a test')
  await close()
}

/** Until the queue holds as many as it is to land one behind the other; once something has landed it held them. */
async function untilQueued({ repo, queue, entries }: Extract<Interference, { queue: string }>): Promise<void> {
  const { client, close } = await connect(installation, { env })
  const isShort = async () => (await client.workflow.getHandle(queue).query(mergeQueueStatus)).entries.length < entries
  while ((await installation.ledger.landings(repo, 'main')).length === 0 && (await isShort())) await alive(QUEUE_MS)
  await close()
}

function isFirst(path: string, content: string): boolean {
  try {
    writeFileSync(path, content, { flag: 'wx' })
    return true
  } catch {
    return false
  }
}
