import { constants } from 'node:os'
import { plainText } from '#domain/text'
import type { ProcessResult } from '../process/run.ts'
import type { CommandOutcome } from './port.ts'

export type Verdict = Pick<CommandOutcome, 'conclusion' | 'reason' | 'exitCode'>

/**
 * What a finished process says about the change. `lastErrors`: the end of its standard error. `helper`: a program that
 * makes the network, and whose errors have no common form, starts the sandbox.
 */
export function verdictOf(
  run: { shell: string; timeout: number; started: boolean; helper: boolean },
  result: Pick<ProcessResult, 'exitCode' | 'signal' | 'timedOut' | 'spawnError'>,
  lastErrors: string,
): Verdict {
  const { exitCode } = result
  if (result.spawnError !== null) return infrastructure(`the command could not be started: ${result.spawnError}`)
  if (result.timedOut) {
    return { conclusion: 'timed-out', reason: `timed out after ${spokenDuration(run.timeout)}`, exitCode }
  }
  if (exitCode === 0) return { conclusion: 'passed', reason: 'exit code 0', exitCode }
  const sandbox = /^(?:bwrap|prlimit): .*/m.exec(lastErrors)?.[0] ?? (run.helper ? lastLine(lastErrors) : null)
  if (!run.started && sandbox !== null) return infrastructure(`the sandbox did not start: ${sandbox}`)
  return { conclusion: 'failed', reason: failureReason(run.shell, result, lastErrors), exitCode }
}

function lastLine(text: string): string {
  return plainText(text.trim().split('\n').at(-1) ?? '').slice(0, 200) || 'its network could not be made'
}

export function infrastructure(reason: string): Verdict {
  return { conclusion: 'infrastructure', reason, exitCode: null }
}

function failureReason(shell: string, result: Pick<ProcessResult, 'exitCode' | 'signal'>, lastErrors: string): string {
  const { exitCode, signal } = result
  if (signal !== null) return `killed by ${signal}`
  if (exitCode === 127) return `command not found: ${missingCommand(shell, lastErrors)}`
  if (exitCode === 126) return `command can't be executed: ${missingCommand(shell, lastErrors)}`
  const name = exitCode !== null && exitCode > 128 ? signalName(exitCode - 128) : null
  return name ? `exit code ${exitCode} (killed by ${name})` : `exit code ${exitCode}`
}

/** As dash (`sh: 1: x: not found`), bash (`line 1: x: command not found`) and busybox (`sh: x: not found`) say it. */
function missingCommand(shell: string, lastErrors: string): string {
  const line = lastErrors.split('\n').findLast((text) => /(?:not found|[Pp]ermission denied|No such file)/.test(text))
  const named = line?.split(': ').at(-2)
  return plainText(named ?? shell.trim().split(/\s+/)[0] ?? shell).slice(0, 200)
}

function signalName(number: number): string | null {
  return Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? null
}

export function spokenDuration(milliseconds: number): string {
  if (milliseconds >= 60_000 && milliseconds % 60_000 === 0) return `${milliseconds / 60_000} m`
  if (milliseconds >= 1_000) return `${Math.round(milliseconds / 100) / 10} s`
  return `${milliseconds} ms`
}
