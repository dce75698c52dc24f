import { execFile } from 'node:child_process'

type Run = { cwd: string; env: NodeJS.ProcessEnv }

const TIMEOUT_MS = 30_000
/** The repository here is the user's, but its hooks and monitors are nothing that a look should start. */
const SAFE = ['-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null']

/** git in the user's own working copy, with the user's own settings; null when it fails. */
export async function userGit({ cwd, env }: Run, ...args: string[]): Promise<string | null> {
  const own = { ...env, GIT_TERMINAL_PROMPT: '0', GIT_OPTIONAL_LOCKS: '0', LC_ALL: 'C' }
  return await new Promise((resolve) => {
    execFile(
      'git',
      [...SAFE, ...args],
      { cwd, env: own, timeout: TIMEOUT_MS, maxBuffer: 1024 * 1024 },
      (error, stdout) => resolve(error ? null : stdout.trim()),
    )
  })
}

/** The top folder of the working copy, or null outside one. */
export const topLevel = (run: Run): Promise<string | null> => userGit(run, 'rev-parse', '--show-toplevel')

/** null on a detached head; also the branch of a repository without commits. */
export const currentBranch = (run: Run): Promise<string | null> =>
  userGit(run, 'symbolic-ref', '--quiet', '--short', 'HEAD')

export const headCommit = (run: Run): Promise<string | null> => userGit(run, 'rev-parse', '--verify', '--quiet', 'HEAD')

export const userEmail = (run: Run): Promise<string | null> => userGit(run, 'config', '--get', 'user.email')

/** Remote name → URL. */
export async function remotes(run: Run): Promise<Map<string, string>> {
  const lines = (await userGit(run, 'config', '--get-regexp', String.raw`^remote\..*\.url$`)) ?? ''
  const pairs = lines.split('\n').map((line) => /^remote\.(.*)\.url (.*)$/.exec(line))
  return new Map(pairs.flatMap((match) => (match ? [[match[1]!, match[2]!] as const] : [])))
}
