import type { Milliseconds } from '#domain/policy'

/** A moment in an activity at which a faulty worker kills its own process, once. */
export type CrashPoint = {
  repo: string
  activity: string
  moment: Moment
}

/**
 * `inside-effect`: the base's ref has moved, the record of the landing does not say so yet. `after-effect`: the port's
 * effect has returned. `after-record`: so has the ledger's record of it. `before-acknowledgement`: the activity's
 * function has returned, and the server does not know.
 */
export type Moment = 'before-effect' | 'inside-effect' | 'after-effect' | 'after-record' | 'before-acknowledgement'

/** Something that happens in the world right before an activity begins, once. */
export type Interference = { repo: string; activity: string; shell: string }

/** What protects a landing, taken away. */
export type Mutation = 'no-expected-base' | 'no-expected-head'

export type Faults = {
  /** Remembers across restarts what happened already. */
  markers: string
  /** The workflows' code, made once for all workers. */
  bundlePath: string
  crashes: CrashPoint[]
  interferences: Interference[]
  mutations: Mutation[]
}

export const faultsVariable = 'SWITCHYARD_TEST_FAULTS'

export function nameOf({ repo, activity, moment }: CrashPoint): string {
  return `${repo}.${activity}.${moment}`
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
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
