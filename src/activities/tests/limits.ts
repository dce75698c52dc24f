import { readFileSync } from 'node:fs'
import type { Limits } from '#domain/limits'
import type { ProcessResult } from '../process/run.ts'
import { findProgram } from './network.ts'
import type { Verdict } from './outcome.ts'
import { canWatch, type Watched } from './watch.ts'

const mostOpenFiles = 65_536
/**
 * What the kernel counts are threads, of which a process has a dozen easily. That fence is for the moment between two
 * looks of the watcher, which counts processes.
 */
const threadsPerProcess = 8

type Environment = Record<string, string | undefined>

export type ResourceLimits = {
  /** `prlimit` and its arguments, to be put before a command; empty where the system lacks it. */
  before(limits: Limits): string[]
  /** What is not limited here, each as a sentence. */
  gaps: string[]
}

/**
 * `counted`: the command is in a user namespace of its own, in which the kernel counts its processes apart from all
 * others of the same user. It exempts the superuser, also as such a namespace's user.
 */
export function findResourceLimits(env: Environment, counted: boolean): ResourceLimits {
  const prlimit = findProgram('prlimit', env)
  const gaps = [
    ...(prlimit === null ? ['Commands may write files of any size: install prlimit (util-linux).'] : []),
    ...(canWatch() ? [] : ['Commands may use any amount of memory and processes: this kernel does not list children.']),
  ]
  const ofFileSize = hardLimit('Max file size')
  const files = Math.min(mostOpenFiles, hardLimit('Max open files'))
  const ofProcesses = hardLimit('Max processes')

  function before({ fileSize, processes }: Limits): string[] {
    if (prlimit === null) return []
    const size = Math.min(fileSize, ofFileSize)
    const threads = Math.min(processes * threadsPerProcess, ofProcesses)
    const counting = counted ? [`--nproc=${threads}:${threads}`] : []
    return [prlimit, '--core=0:0', `--fsize=${size}:${size}`, `--nofile=${files}:${files}`, ...counting]
  }

  return { before, gaps }
}

function hardLimit(name: string): number {
  try {
    const line = readFileSync('/proc/self/limits', 'utf8')
      .split('\n')
      .find((row) => row.startsWith(name))
    return Number(line?.slice(name.length).trim().split(/\s+/)[1] ?? Infinity) || Infinity
  } catch {
    return Infinity
  }
}

/** What a limit that was hit, or a full disk, makes of a verdict. A pass is a pass. */
export function withLimits(
  verdict: Verdict,
  limits: Limits,
  watched: Watched,
  end: Pick<ProcessResult, 'exitCode' | 'signal'> & { lastErrors: string },
): Verdict {
  if (verdict.conclusion === 'passed' || verdict.conclusion === 'infrastructure') return verdict
  if (watched.excess === 'memory') return tooMuch(`more than ${spokenSize(limits.memory)} of memory`)
  if (watched.excess === 'processes') return tooMuch(`more than ${limits.processes} processes`)
  if (watched.diskWasFull) {
    return { conclusion: 'infrastructure', reason: 'no space left on device while the command ran', exitCode: null }
  }
  const fileTooLarge =
    end.signal === 'SIGXFSZ' || end.exitCode === 128 + 25 || /EFBIG|File too large/.test(end.lastErrors)
  if (fileTooLarge && verdict.conclusion === 'failed') {
    return { ...verdict, reason: `it wanted a file of more than ${spokenSize(limits.fileSize)} (${verdict.reason})` }
  }
  return verdict
}

function tooMuch(what: string): Verdict {
  return { conclusion: 'failed', reason: `it wanted ${what}`, exitCode: null }
}

/** As the policy writes it: `4 GB`, `1.5 GB`, `200 MB`. */
export function spokenSize(bytes: number): string {
  const [factor, unit] = ([[1e9, 'GB'], [1e6, 'MB'], [1e3, 'KB']] as const).find(([size]) => bytes >= size) ?? [1, 'B'] // prettier-ignore
  return `${Math.round((bytes / factor) * 10) / 10} ${unit}`
}
