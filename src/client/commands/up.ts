import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { InstallationPaths } from '#config/installation'
import { workerProcesses } from '#workers/roles'
import type { CommandContext, ExitCode } from '../context.ts'
import { CliError } from '../errors.ts'
import { installationPaths } from '../installation-paths.ts'
import { sleep } from '../sleep.ts'
import { liveView } from '../supervisor/live-view.ts'
import { lockUp, readUp, type UpRecord } from '../supervisor/lock.ts'
import { startRunning } from '../supervisor/running.ts'
import type { SupervisorEvent } from '../supervisor/supervisor.ts'

const DETACHED_READY_MS = 10 * 60_000
const POLL_MS = 200

export type UpInput = { detach: boolean }

/** `up`: server and workers in the foreground with a live view; `--detach` returns when all is ready. */
export async function run(context: CommandContext, { detach }: UpInput): Promise<ExitCode> {
  const paths = await installationPaths(context)
  const { home } = paths
  const found = await readUp(home)
  if (found?.state === 'alive') return alreadyRunning(context, home, found.record)
  if (found?.state === 'stale') context.output.note('an `up` that was killed left its state here; taking over')
  return detach ? runDetached(context, home) : runForeground(context, paths)
}

function alreadyRunning(context: CommandContext, home: string, record: UpRecord): ExitCode {
  const { output } = context
  output.line(`Already running since ${record.startedAt} (process ${record.process.pid}).`)
  if (record.details.webUi) output.line('Web UI: ', { text: record.details.webUi, style: 'cyan' })
  output.document({
    home,
    pid: record.process.pid,
    ready: record.details.ready === 'yes',
    ...addresses(record.details),
  })
  return 0
}

async function runForeground(context: CommandContext, paths: InstallationPaths): Promise<ExitCode> {
  const { output, env, signal } = context
  const { home, file: configFile } = paths
  const lock = await lockUp(home)
  if (!lock.acquired) return alreadyRunning(context, home, lock.holder)
  const say = (line: string) => output.note(line)
  try {
    const onEvent = (event: SupervisorEvent) => say(describe(event))
    const running = await startRunning({
      home,
      configFile,
      env,
      workers: workerProcesses,
      serverEndsWithUs: false,
      say,
      onEvent,
    })
    try {
      const { address, webUi, namespace } = running.server
      await lock.update({ ready: 'yes', address, namespace, ...(webUi === null ? {} : { webUi }) })
      output.line({ text: 'Ready.', style: 'green' }, webUi === null ? '' : ` Web UI: ${webUi}`)
      output.line('Open a pull request: git push switchyard <branch> && switchyard pr create --head <branch> --wait')
      output.document({ home, pid: process.pid, ready: true, address, webUi })
      await liveView(context, paths, signal)
      say('stopping: running work is handed back and goes on at the next `up` …')
    } finally {
      await running.stop()
    }
  } finally {
    await lock.release()
  }
  say('stopped')
  return 0
}

async function runDetached(context: CommandContext, home: string): Promise<ExitCode> {
  const { output, cwd, env, flags, signal } = context
  mkdirSync(join(home, 'logs'), { recursive: true })
  const log = join(home, 'logs', 'up.log')
  const descriptor = openSync(log, 'a')
  const main = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? '../main.ts' : '../main.js', import.meta.url))
  const args = [main, 'up', ...(flags.config === undefined ? [] : ['--config', flags.config])]
  const child = spawn(process.execPath, args, { cwd, env, detached: true, stdio: ['ignore', descriptor, descriptor] })
  closeSync(descriptor)
  let exit: number | null = null
  child.on('exit', (code) => (exit = code ?? 1))
  child.unref()
  for (const deadline = Date.now() + DETACHED_READY_MS; Date.now() < deadline;) {
    const found = await readUp(home)
    if (found?.state === 'alive' && found.record.details.ready === 'yes') {
      output.line({ text: 'Ready', style: 'green' }, `, in the background (process ${found.record.process.pid}).`)
      if (found.record.details.webUi) output.line('Web UI: ', { text: found.record.details.webUi, style: 'cyan' })
      output.line('Stop it: switchyard down')
      output.document({ home, pid: found.record.process.pid, ready: true, ...addresses(found.record.details) })
      return 0
    }
    if (exit !== null)
      throw new CliError(3, 'up-failed', `up ended with exit code ${String(exit)}`, { hint: `Its log: ${log}` })
    await sleep(POLL_MS, signal)
  }
  throw new CliError(3, 'up-failed', 'up did not get ready in 10 minutes', { hint: `Its log: ${log}` })
}

function addresses({ address, webUi }: Record<string, string>): { address: string | null; webUi: string | null } {
  return { address: address ?? null, webUi: webUi ?? null }
}

function describe(event: SupervisorEvent): string {
  switch (event.kind) {
    case 'started':
      return `worker ${event.name} started (process ${event.pid})`
    case 'restarted':
      return `worker ${event.name} started again (process ${event.pid}, restart ${event.restarts})`
    case 'died':
      return `worker ${event.name} died (${event.signal ?? `exit code ${event.code}`}); starting it again in ${event.restartInMs} ms`
    case 'gave-up':
      return `worker ${event.name} stays down: ${event.reason}`
  }
}
