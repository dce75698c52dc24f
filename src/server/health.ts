import { Connection, type ConnectionOptions, isGrpcServiceError } from '@temporalio/client'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * What one call to the server showed. `broken`: it answers that it can't do its work. `slow`: no answer in time, from a
 * process that hangs or on a machine that has too much to do.
 */
export type Health = { state: 'well' } | { state: 'broken' | 'slow'; reason: string }

/** How long a server may be unwell before it is given up. Milliseconds. */
export type Patience = {
  /** Between two probes. */
  everyMs: number
  /** For one probe. Generous: a call that ends by its deadline is cancelled, which is what breaks a server on SQLite. */
  callMs: number
  /** At least so many probes in a row, since time alone also passes while this machine sleeps. */
  probes: number
  brokenMs: number
  /** Longer: a server without time to answer now will answer later, and its restart costs yet more time. */
  slowMs: number
}

export const PATIENCE: Patience = { everyMs: 5_000, callMs: 15_000, probes: 4, brokenMs: 30_000, slowMs: 90_000 }

/** Probes in a row that did not find the server well. */
export type Spell = { sinceMs: number; failures: number; broken: number; reason: string }

/** How far `stretched` goes: with 30 s to begin with, 8 minutes. */
const MOST_DOUBLINGS = 4
const REMEMBERED_MS = 60 * 60_000

const FIRST_LOOK_PROBES = 5
const FIRST_LOOK_EVERY_MS = 1_000
const FIRST_LOOK_CALL_MS = 5_000

const NOBODYS_WORKFLOW = 'switchyard-health'

const CANCELLED = 1
const UNKNOWN = 2
const DEADLINE_EXCEEDED = 4
const NOT_FOUND = 5
const ABORTED = 10
const INTERNAL = 13
const UNAVAILABLE = 14
const DATA_LOSS = 15

/** Any other code is the answer of a server that works, or that no restart mends. A lost database came as UNAVAILABLE. */
const UNWELL = new Set([CANCELLED, UNKNOWN, DEADLINE_EXCEEDED, ABORTED, INTERNAL, UNAVAILABLE, DATA_LOSS])
/** The server ran out of time within itself: that it says so in time proves no more than a call without an answer. */
const OUT_OF_TIME = /deadline exceeded|context canceled|connection (refused|dropped)|no connection established/i

/** What the failure of a call to the server shows. That the workflow is not found is what a probe hopes for. */
export function classify(error: unknown): Health {
  // A mistake of our own, which says nothing about the server.
  if (!isGrpcServiceError(error)) return { state: 'well' }
  const code = Number(error.code)
  const reason = error.details || error.message
  // An embedded server has its namespace from its start. Seen from one whose calls were cancelled until it broke.
  if (code === NOT_FOUND && /^namespace /i.test(reason)) return { state: 'broken', reason }
  if (!UNWELL.has(code)) return { state: 'well' }
  const outOfTime = code === DEADLINE_EXCEEDED || code === CANCELLED || OUT_OF_TIME.test(reason)
  return { state: outOfTime ? 'slow' : 'broken', reason }
}

/** The spell after one more probe; null ends it. */
export function nextSpell(spell: Spell | null, health: Health, nowMs: number): Spell | null {
  if (health.state === 'well') return null
  const { sinceMs, failures, broken } = spell ?? { sinceMs: nowMs, failures: 0, broken: 0 }
  return {
    sinceMs,
    failures: failures + 1,
    broken: broken + (health.state === 'broken' ? 1 : 0),
    reason: health.reason,
  }
}

export function isTooLong(spell: Spell, { probes, brokenMs, slowMs }: Patience, nowMs: number): boolean {
  const forMs = nowMs - spell.sinceMs
  return (spell.broken >= probes && forMs >= brokenMs) || (spell.failures >= probes && forMs >= slowMs)
}

/** Twice as patient for each time within the last hour that a restart did not help for long. */
export function stretched(patience: Patience, givenUpAtMs: number[], nowMs: number): Patience {
  const recent = givenUpAtMs.filter((at) => nowMs - at < REMEMBERED_MS).length
  const factor = 2 ** Math.min(recent, MOST_DOUBLINGS)
  return { ...patience, brokenMs: patience.brokenMs * factor, slowMs: patience.slowMs * factor }
}

export type WatchedServer = { namespace: string; connection: ConnectionOptions }

/**
 * Asks for a workflow that does not exist: the answer comes through the front end, the shard of histories and a read of
 * the database. A connection of its own, without retries: those of the SDK would hide the answers of a broken server.
 */
export async function probe(
  { namespace, connection: how }: WatchedServer,
  callMs: number,
  signal: AbortSignal,
): Promise<Health> {
  const connection = Connection.lazy({ ...how, interceptors: [] })
  const ask = () =>
    connection.workflowService.describeWorkflowExecution({ namespace, execution: { workflowId: NOBODYS_WORKFLOW } })
  try {
    await connection.withDeadline(Date.now() + callMs, () => connection.withAbortSignal(signal, ask))
    return { state: 'well' }
  } catch (error) {
    return classify(error)
  } finally {
    await connection.close()
  }
}

/** True when a few probes in a row found it broken. For a server that was left behind, and that nobody watched. */
export async function isBroken(server: WatchedServer): Promise<boolean> {
  for (let count = 1; ; count++) {
    const { state } = await probe(server, FIRST_LOOK_CALL_MS, new AbortController().signal)
    if (state !== 'broken') return false
    if (count === FIRST_LOOK_PROBES) return true
    await sleep(FIRST_LOOK_EVERY_MS)
  }
}

/** Returns when the server was unwell for longer than `patience`, asked anew at each probe, allows; null after `signal`. */
export async function untilUnwell(
  server: WatchedServer,
  patience: () => Patience,
  signal: AbortSignal,
): Promise<{ reason: string; forMs: number } | null> {
  let spell: Spell | null = null
  while (!signal.aborted) {
    const { everyMs, callMs } = patience()
    // Rejects when aborted, which the next line sees.
    await sleep(everyMs, undefined, { signal }).catch(() => {})
    if (signal.aborted) return null
    // By a clock that no correction of the time moves; a spell begins with the start of its first probe.
    const startedMs = performance.now()
    const health = await probe(server, callMs, signal)
    if (signal.aborted) return null
    const nowMs = performance.now()
    spell = nextSpell(spell, health, startedMs)
    if (spell && isTooLong(spell, patience(), nowMs)) return { reason: spell.reason, forMs: nowMs - spell.sinceMs }
  }
  return null
}
