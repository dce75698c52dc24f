import { activityInfo, cancellationSignal, heartbeat } from '@temporalio/activity'

const MAX_INTERVAL_MS = 500

/** Heartbeats on a timer while a long process runs, so that a cancellation arrives and a dead worker is noticed. */
export async function withHeartbeat<T>(
  run: (signal: AbortSignal, tell: (details: unknown) => void) => Promise<T>,
): Promise<T> {
  const interval = Math.min(MAX_INTERVAL_MS, (activityInfo().heartbeatTimeoutMs ?? 30_000) / 4)
  let details: unknown = null
  const beat = () => heartbeat(details)
  const timer = setInterval(beat, interval)
  const tell = (next: unknown) => {
    details = next
    beat()
  }
  try {
    return await run(cancellationSignal(), tell)
  } finally {
    clearInterval(timer)
  }
}

type AnyActivity = (...args: never[]) => Promise<unknown>

/** The same activities, heartbeating on a timer wherever the workflow asks for it: a dead worker is noticed soon. */
export function withHeartbeats<A extends Record<string, AnyActivity>>(activities: A): A {
  const beating = Object.entries(activities).map(([name, activity]) => [
    name,
    (...args: never[]) =>
      activityInfo().heartbeatTimeoutMs === undefined ? activity(...args) : withHeartbeat(() => activity(...args)),
  ])
  return Object.fromEntries(beating) as A
}

/** A log's name: one per attempt, so that a repeated attempt never writes over what an earlier one said. */
export function attemptName(name: string): string {
  return `${name}-${activityInfo().attempt}.log`
}
