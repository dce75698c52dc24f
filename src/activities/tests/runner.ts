import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { maskSecrets } from '#domain/mask'
import type { LogReference } from '#domain/evidence'
import type { LogStore, LogWriter } from '../logs/port.ts'
import { checkOut } from './checkout.ts'
import { createHostFolder } from './host.ts'
import { createIsolation, type Isolation } from './isolation.ts'
import { createKeptStore, linkKept, makeMountPoints, type KeptPath, type KeptStore } from './kept.ts'
import { infrastructure, type Verdict } from './outcome.ts'
import type { CommandOutcome, CommandRun, CommandRunner } from './port.ts'
import { formerReports, writtenReports } from './report-files.ts'
import { readReport } from './report.ts'
import { runInSlot } from './run-in-slot.ts'
import { prepareKept } from './setup.ts'
import { createSlotPool, type Slot } from './slots.ts'
import { createSurroundings } from './surroundings.ts'

export type CommandRunnerOptions = {
  /** The state folder: slots and kept paths lie in it, and no command sees it. */
  home: string
  isolation: 'required' | 'none'
  /** Commands of one repository that run on this host at a time. */
  slots?: number
  logs: LogStore
  /** The worker's environment: PATH, LANG, and the values of what a policy's `env` names. */
  env: Record<string, string | undefined>
  /** Further folders that no command may see, such as the ledger's or the forge's. */
  hidden?: readonly string[]
  /** Milliseconds between TERM and KILL. */
  graceMs?: number
}

/** One run's slot and surroundings, for the steps that make it up. */
export type RunContext = {
  input: CommandRun
  slot: Slot
  log: LogWriter
  isolation: Isolation
  kept: KeptStore
  /** What of the worker's environment the policy lets through. */
  passed: Record<string, string>
  graceMs: number
}

type Finished = Verdict & Pick<CommandOutcome, 'stdout' | 'report'>

/** Runs commands in this host's checkout slots below `home`, in bubblewrap or, for trusted code, without. */
export function createCommandRunner(options: CommandRunnerOptions): CommandRunner {
  const host = createHostFolder(options.home)
  const pool = createSlotPool(join(host.path, 'slots'), options.slots ?? 2)
  const kept = createKeptStore(join(options.home, 'kept'))
  let made: Isolation | null = null

  function isolationHere(): Isolation {
    const hidden = [options.home, ...(options.hidden ?? [])]
    return (made ??= createIsolation({ required: options.isolation === 'required', env: options.env, hidden }))
  }

  async function run(input: CommandRun): Promise<CommandOutcome> {
    input.signal.throwIfAborted()
    const isolation = isolationHere()
    const passed = passedEnvironment(input.policy.env, options.env)
    const isolated = isolation.mode === 'bubblewrap'
    const log = await options.logs.create(input.logName, secretValues(passed))
    const start = performance.now()
    let finished: Finished
    try {
      finished = isolation.problem
        ? withoutOutput(infrastructure(isolation.problem))
        : await inSlot({ input, log, isolation, kept, passed, graceMs: options.graceMs ?? 5_000 })
    } catch (error) {
      await log.close().catch(() => {})
      throw error
    }
    const duration = Math.round(performance.now() - start)
    const reference = await closeLog(log, input.logName)
    if (typeof reference !== 'string') return { ...finished, log: reference, duration, isolated }
    return { ...withoutOutput(infrastructure(reference)), log: emptyLog(input.logName), duration, isolated }
  }

  async function inSlot(context: Omit<RunContext, 'slot'>): Promise<Finished> {
    const { signal, onStage, repo } = context.input
    onStage({ stage: 'waiting', pid: null })
    let slot: Slot | null = null
    try {
      await host.claim()
      slot = await pool.acquire(repo, signal)
      return await inCheckout({ ...context, slot })
    } catch (error) {
      // Everything that the change is to blame for is an answer by now: what is left is ours, or a cancellation.
      signal.throwIfAborted()
      return withoutOutput(infrastructure(faultReason(error)))
    } finally {
      await slot?.release()
    }
  }

  return {
    run,
    isolation() {
      const { mode, network, detail, gaps } = isolationHere()
      return { mode, network, detail, gaps }
    },
    surroundings: createSurroundings(isolationHere, join(host.path, 'probe')),
    async recover() {
      // A full disk is for the check to find, which claims again.
      await host.claim().catch(() => {})
      await pool.recover()
    },
  }
}

/** Checkout, setup or kept paths, command: each stops at the first verdict that isn't a pass. */
async function inCheckout(context: RunContext): Promise<Finished> {
  const { input, slot, isolation } = context
  const { setup, keep } = input.policy
  let shown: KeptPath[] = []
  if (setup !== null && keep !== null) {
    const prepared = await prepareKept(context, setup, keep)
    if ('conclusion' in prepared) return withoutOutput(prepared)
    shown = prepared.kept
  }
  input.onStage({ stage: 'checkout', pid: null })
  await checkOut(slot, input.gitDir, input.commit, input.signal)
  const problem = await (isolation.mode === 'none' ? linkKept : makeMountPoints)(slot.tree, shown)
  if (problem) return withoutOutput({ conclusion: 'failed', reason: `setup: ${problem}`, exitCode: null })
  if (setup !== null && keep === null) {
    const { verdict } = await runInSlot(context, { shell: setup, stage: 'setup', network: true, kept: [] })
    if (verdict.conclusion !== 'passed') return withoutOutput({ ...verdict, reason: `setup: ${verdict.reason}` })
  }
  const { run, network, report = null } = input.policy
  const former = report === null ? null : await formerReports(slot.tree, report)
  const { verdict, stdout } = await runInSlot(context, { shell: run, stage: 'running', network, kept: shown })
  const secrets = secretValues(context.passed)
  return {
    ...verdict,
    stdout: maskSecrets(stdout, secrets),
    report:
      report === null || former === null
        ? null
        : await readReport(report, await writtenReports(slot.tree, report, former), secrets),
  }
}

function withoutOutput(verdict: Verdict): Finished {
  return { ...verdict, stdout: '', report: null }
}

function passedEnvironment(names: readonly string[], env: Record<string, string | undefined>): Record<string, string> {
  const entries = names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]] as const]))
  return Object.fromEntries(entries)
}

/** Values that may be secret: not plain words, numbers and paths, whose masking would garble every log. */
function secretValues(env: Record<string, string>): string[] {
  return Object.entries(env)
    .filter(
      ([name, value]) => /TOKEN|KEY|SECRET|PASS|AUTH|CRED/i.test(name) || !/^(?:[a-z]+|[\d.]+|\/.*)$/i.test(value),
    )
    .map(([, value]) => value)
}

/** The reference, or why the log could not be written. */
async function closeLog(log: LogWriter, name: string): Promise<LogReference | string> {
  try {
    return await log.close()
  } catch (error) {
    return `log ${name}: ${faultReason(error)}`
  }
}

function emptyLog(name: string): LogReference {
  return { uri: `log:${name}`, sha256: createHash('sha256').digest('hex'), bytes: 0, tail: '' }
}

function faultReason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  if (/ENOSPC|EDQUOT|No space left|quota exceeded/i.test(message)) return "no space left on device (the state folder's)"
  return maskSecrets(message.split('\n')[0] ?? message).slice(0, 500)
}
