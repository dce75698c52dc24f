import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Milliseconds } from '#domain/policy'

/**
 * A moment in an activity: `before-effect`; `inside-<effect>`, told by the forge while a port's method is under way (the
 * base's ref has moved, the record of the landing does not say so yet); `after-<tool>.<method>`, a port's effect has
 * returned; `before-acknowledgement`, the activity's function has returned, and the server does not know.
 */
export type Moment =
  | 'before-effect'
  | `inside-${string}`
  | `after-${string}.${string}`
  | `before-${string}.${string}`
  | 'before-acknowledgement'

/** `otherPr`: about another PR than the point before it in its chain. */
export type CrashPoint = { repo: string; activity: string; moment: Moment; otherPr?: boolean }

/** What happens at a point: to the worker's own process, by SIGKILL or SIGSTOP, or to the server's, by SIGKILL. */
export type Deed = 'kill-worker' | 'kill-server' | 'stop-worker'

/** Points of one deed in order: each happens once, the first time it is reached after the one before has happened. */
export type Chain = { deed: Deed; points: CrashPoint[] }

/** What somebody else does at a point: once a shell command or the end of a workflow; or entries of a queue to wait for. */
export type Interference = {
  repo: string
  activity: string
  moment: Moment
  /** Of the PR; any when left out. */
  number?: number
} & ({ shell: string } | { terminate: string } | { queue: string; entries: number })

/** What protects a landing or a record, taken away in a worker of the tests. */
export type Mutation =
  | 'no-expected-base'
  | 'no-expected-head'
  | 'blind-write'
  | 'no-comment-key'
  | 'no-comment-time'
  | 'no-enqueue-key'
  | 'no-decision-key'
  | 'any-evidence'
  | 'no-look-before-landing'

export type Faults = {
  /** Remembers across restarts what happened already. */
  markers: string
  /** The workflows' code, made once for all workers. */
  bundlePath: string
  chains: Chain[]
  interferences: Interference[]
  mutations: Mutation[]
  /** Whether each moment of each activity that is reached is written down. */
  trace: boolean
  /** Whether workflows have threads of their own, as they do outside of tests; they cost a start as much as all else. */
  threads: boolean
  /** 0 forces a replay at each workflow task. */
  cachedWorkflows: number | null
}

export const faultsVariable = 'SWITCHYARD_TEST_FAULTS'

/** Factor on every deadline of the sweep, for a machine that is slow or busy. */
export const patience = Math.max(1, Number(process.env['SWITCHYARD_TEST_PATIENCE'] ?? '1') || 1)

/** Files in `markers` by which worker and test tell each other what became of a point. */
export type Mark = 'happened' | 'taken-over' | 'over'

export function markOf(faults: Faults, chain: number, step: number, mark: Mark): string {
  const { repo, activity, moment } = faults.chains[chain]!.points[step]!
  return join(faults.markers, `${chain}.${step}.${repo}.${activity}.${moment}.${mark}`)
}

/** Held while a worker is stopped: of two workers one must go on. */
export function stopMark({ markers }: Faults): string {
  return join(markers, 'stopped')
}

/**
 * Made when the life of a repository begins. Before that nothing happens in it: its watch sweeps as soon as there are
 * workers, and one that stopped there would keep them from stopping in the life of another.
 */
export function lifeMark({ markers }: Faults, repo: string): string {
  return join(markers, `life-${repo}`)
}

export function interferenceMark({ markers }: Faults, index: number): string {
  return join(markers, `interference-${index}`)
}

export function traceFile({ markers }: Faults): string {
  return join(markers, 'trace')
}

/** The step of a chain that is to happen next; null when all has happened, or a stopped worker has not gone on yet. */
export function nextStep(faults: Faults, chain: number): number | null {
  const { deed, points } = faults.chains[chain]!
  const done: Mark = deed === 'stop-worker' ? 'over' : 'happened'
  const step = points.findIndex((_, index) => !existsSync(markOf(faults, chain, index, done)))
  return step < 0 || existsSync(markOf(faults, chain, step, 'happened')) ? null : step
}

/** The first point of a repository that has not come to its end, or as far as `until`; null when all have. */
export function pendingPoint(faults: Faults, repo: string, until: Mark = 'over'): string | null {
  for (const [chain, { deed, points }] of faults.chains.entries()) {
    const done: Mark = deed === 'stop-worker' ? until : 'happened'
    const open = points.findIndex(
      (point, step) => point.repo === repo && !existsSync(markOf(faults, chain, step, done)),
    )
    if (open < 0) continue
    const { activity, moment } = points[open]!
    return `${deed} at ${activity}:${moment}`
  }
  return null
}

/** Asks until there is an answer; fails after the time with what `describe` says. */
export async function eventually<T>(
  ask: () => Promise<T | null | undefined | false>,
  within: Milliseconds,
  describe: () => string | Promise<string>,
): Promise<T> {
  const deadline = Date.now() + within
  for (;;) {
    const answer = await ask()
    if (answer !== null && answer !== undefined && answer !== false) return answer
    if (Date.now() >= deadline) throw new Error(`not within ${within} ms: ${await describe()}`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}
