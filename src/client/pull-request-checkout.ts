import { execFile } from 'node:child_process'
import { CliError } from './errors.ts'

type Run = { cwd: string; env: NodeJS.ProcessEnv }
type Answer = { ok: boolean; stdout: string; stderr: string }

const TIMEOUT_MS = 300_000
/** What is checked out is somebody else's proposal: no hook, and no monitor, of a path in the tree is started by it. */
const SAFE = ['-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null', '-c', 'submodule.recurse=false']

/** How the working copy is to get the head of a PR. */
export type Checkout = {
  remote: string
  /** The head, without `refs/heads/`. */
  head: string
  /** The local branch; null: none, a detached head. */
  branch: string | null
}

export type CheckedOut = {
  branch: string | null
  sha: string
  state: 'created' | 'forwarded' | 'ahead' | 'same' | 'detached'
}

/**
 * Fetches the head and switches to it. Nothing that is not committed, and no commit of an existing branch, is lost: git
 * refuses the one, and this the other.
 */
export async function checkOut(run: Run, { remote, head, branch }: Checkout): Promise<CheckedOut> {
  const tracking = `refs/remotes/${remote}/${head}`
  await must(run, 'fetch', '--no-tags', '--', remote, `+refs/heads/${head}:${tracking}`)
  const sha = await must(run, 'rev-parse', '--verify', tracking)
  if (branch === null) {
    await must(run, 'switch', '--detach', sha)
    return { branch, sha, state: 'detached' }
  }
  const local = await git(run, 'rev-parse', '--verify', '--quiet', `refs/heads/${branch}`)
  if (!local.ok) {
    await must(run, 'switch', '--create', branch, '--track', `${remote}/${head}`)
    return { branch, sha, state: 'created' }
  }
  const state = await relation(run, local.stdout, sha)
  if (state === 'diverged') throw diverged(branch, head)
  await must(run, 'switch', branch)
  if (state === 'forwarded') await must(run, 'merge', '--ff-only', '--quiet', sha)
  return { branch, sha, state }
}

async function relation(run: Run, local: string, sha: string): Promise<'same' | 'forwarded' | 'ahead' | 'diverged'> {
  if (local === sha) return 'same'
  if ((await git(run, 'merge-base', '--is-ancestor', local, sha)).ok) return 'forwarded'
  return (await git(run, 'merge-base', '--is-ancestor', sha, local)).ok ? 'ahead' : 'diverged'
}

function diverged(branch: string, head: string): CliError {
  const message = `The branch ${branch} here has commits that ${head} of the pull request has not.`
  return new CliError(1, 'diverged', message, {
    details: { branch, head },
    hint: 'Check it out under another name with -b <branch>, or with --detach.',
  })
}

async function must(run: Run, ...args: string[]): Promise<string> {
  const { ok, stdout, stderr } = await git(run, ...args)
  if (ok) return stdout
  const [first = 'git failed', ...rest] = stderr.split('\n').map((line) => line.replace(/^(error|fatal): /, ''))
  throw new CliError(1, 'checkout-refused', `git ${args[0]}: ${[first, ...rest].join('\n')}`, {
    details: { command: args[0] },
    hint:
      args[0] === 'fetch'
        ? 'Its head branch may be gone: see `switchyard pr view`.'
        : 'Commit your changes, or `git stash` them; nothing was changed.',
  })
}

function git({ cwd, env }: Run, ...args: string[]): Promise<Answer> {
  const own = { ...env, GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C' }
  const options = { cwd, env: own, timeout: TIMEOUT_MS, maxBuffer: 16 * 1024 * 1024 }
  return new Promise((resolve) => {
    execFile('git', [...SAFE, ...args], options, (error, stdout, stderr) =>
      resolve({ ok: error === null, stdout: stdout.trim(), stderr: stderr.trim() }),
    )
  })
}
