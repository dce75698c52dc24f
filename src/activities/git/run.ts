import { runShortProcess } from '../process/helper.ts'
import { gitSurroundings, settingsAsEnvironment } from './global-config.ts'

export type GitCall = {
  args: readonly string[]
  /** The repository whose refs and config git may see. Left out for commands that take none. */
  gitDir?: string
  /** Reads and writes this folder's objects only: neither refs nor the config of their repository are seen. */
  objects?: string
  stdin?: string | Buffer
  env?: Record<string, string>
  /** Exit codes that are answers, not faults. */
  accept?: readonly number[]
  /** Bytes of each stream that are kept. */
  maxOutput?: number
  /** Milliseconds. */
  timeout?: number
  signal?: AbortSignal
}

export type GitResult = { exitCode: number; stdout: Buffer; stderr: string; truncated: boolean }

/** What git refused or failed at, or a revision that was refused before git saw it (`exitCode: null`). */
export class GitError extends Error {
  readonly args: readonly string[]
  readonly exitCode: number | null
  readonly stderr: string
  constructor(args: readonly string[], exitCode: number | null, stderr: string) {
    const masked = args.map(maskCredentials)
    const detail = maskCredentials(stderr.trim())
    super(`git ${masked[0] ?? ''}: ${detail || `exit code ${exitCode}`}`)
    this.name = 'GitError'
    this.args = masked
    this.exitCode = exitCode
    this.stderr = detail
  }
}

/** An object that is larger than its reader wants: nothing that another try mends. */
export class TooLargeError extends GitError {}

const defaults = { timeout: 60_000, graceMs: 2_000, maxOutput: 64 * 1024 * 1024 }

/** One call of git: an environment of our own, no shell, no hook, a time limit and an output cap. */
export async function runGit(call: GitCall): Promise<GitResult> {
  const surroundings = gitSurroundings()
  const result = await runShortProcess({
    command: 'git',
    args: call.args,
    cwd: surroundings.home,
    env: { ...gitEnvironment(), ...location(call, surroundings.shadow), ...call.env },
    stdin: call.stdin,
    timeout: call.timeout ?? defaults.timeout,
    graceMs: defaults.graceMs,
    maxOutput: call.maxOutput ?? defaults.maxOutput,
    signal: call.signal,
  })
  const stderr = result.stderr.toString('utf8')
  if (result.spawnError) throw new GitError(call.args, null, `git could not be started: ${result.spawnError}`)
  if (result.timedOut) throw new GitError(call.args, null, `timed out\n${stderr}`)
  if (result.exitCode === null) throw new GitError(call.args, null, `ended by ${result.signal}\n${stderr}`)
  if (result.exitCode !== 0 && !call.accept?.includes(result.exitCode)) {
    throw new GitError(call.args, result.exitCode, stderr)
  }
  return { exitCode: result.exitCode, stdout: result.stdout, stderr, truncated: result.truncated }
}

/** The whole environment of a git process. Also for those that are started elsewhere, in a checkout slot for one. */
export function gitEnvironment(): Record<string, string> {
  const { config, home } = gitSurroundings()
  return {
    PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
    HOME: home,
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: config,
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '/bin/false',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_ALLOW_PROTOCOL: 'file:https:ssh',
    // A pushed refs/replace/<sha> would show us another object than the one that lands.
    GIT_NO_REPLACE_OBJECTS: '1',
    ...asEnvironment,
  }
}

const asEnvironment = settingsAsEnvironment()

function location(call: GitCall, shadow: string): Record<string, string> {
  if (call.objects) return { GIT_DIR: shadow, GIT_OBJECT_DIRECTORY: call.objects }
  return call.gitDir ? { GIT_DIR: call.gitDir } : {}
}

function maskCredentials(text: string): string {
  return text.replaceAll(/:\/\/[^\s/@]+@/g, '://***@')
}
