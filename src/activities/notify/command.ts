import { basename } from 'node:path'
import { oneLine } from '#domain/text'
import { runShortProcess } from '../process/helper.ts'
import { NotifyError, type Notification } from './port.ts'

/** What a program that writes a mail or shows a message needs to know of where it runs; no key of the worker's. */
const passed = ['PATH', 'HOME', 'USER', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'XDG_RUNTIME_DIR']

/** Milliseconds between TERM and KILL. */
const GRACE = 200

/** Of a program that another attempt does not find either. */
const missing = ['ENOENT', 'EACCES', 'ENOTDIR', 'ENOEXEC', 'EISDIR', 'ELOOP', 'ENAMETOOLONG']

/**
 * A program of the installation's own, which is trusted, with the notification as JSON on its standard input and nothing
 * of it on its command line. What it prints is dropped.
 */
export async function tellCommand(
  tools: { env: Record<string, string | undefined>; timeout: number },
  { run }: { run: string },
  notification: Notification,
  signal: AbortSignal,
): Promise<void> {
  const { env, timeout } = tools
  const who = `the command ${oneLine(basename(run), 100)}`
  const {
    exitCode,
    signal: killed,
    timedOut,
    spawnError,
  } = await runShortProcess({
    ...{ command: run, args: [], cwd: '/', timeout, graceMs: GRACE, maxOutput: 0, signal },
    env: { ...allowed(env), SWITCHYARD_NOTIFICATION_ID: notification.id },
    stdin: JSON.stringify(notification),
  }).catch((error: unknown) => {
    signal.throwIfAborted()
    throw new NotifyError(`${who} could not be started`, true, error)
  })
  if (spawnError !== null) {
    throw new NotifyError(`${who} could not be started (${spawnError})`, !missing.includes(spawnError))
  }
  if (timedOut) throw new NotifyError(`${who} did not end within ${timeout / 1_000} s`, true)
  if (exitCode !== 0) throw new NotifyError(`${who} ended with ${killed ?? `exit code ${exitCode}`}`, true)
}

function allowed(env: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(passed.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])))
}
