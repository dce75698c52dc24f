import { spawn } from 'node:child_process'
import { signalGroup } from '../process/group.ts'
import { gitSurroundings } from './global-config.ts'
import { GitError, gitEnvironment } from './run.ts'

export type GitStream = {
  args: readonly string[]
  objects: string
  stdin?: string
  signal?: AbortSignal | undefined
}

/** Milliseconds that git may stay silent while it is listened to. */
const patience = 120_000
const maxStderr = 64 * 1024

/**
 * The output of one git call, chunk by chunk and no faster than it is taken, so that it may be larger than memory. Git
 * is dead when this ends, whoever ended it. Not through the helper process, for an answer there is one message.
 */
export async function* streamGit({ args, objects, stdin, signal }: GitStream): AsyncGenerator<Buffer> {
  signal?.throwIfAborted()
  const { home, shadow } = gitSurroundings()
  const child = spawn('git', args, {
    cwd: home,
    env: { ...gitEnvironment(), GIT_DIR: shadow, GIT_OBJECT_DIRECTORY: objects },
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let failure = ''
  let stderr = ''
  const closed = new Promise<number | null>((done) => child.once('close', done))
  const kill = () => void (child.pid !== undefined && signalGroup(child.pid, 'SIGKILL'))
  const silence = setTimeout(() => {
    failure = 'timed out'
    kill()
  }, patience)
  signal?.addEventListener('abort', kill, { once: true })
  child.once('error', (error) => (failure = `git could not be started: ${error.message}`))
  child.stderr.on('data', (chunk: Buffer) => (stderr = (stderr + chunk.toString('utf8')).slice(0, maxStderr)))
  // Git that ends without reading all tells why by its exit code.
  child.stdin.on('error', () => {})
  child.stdin.end(stdin ?? '')
  try {
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      silence.refresh()
      yield chunk
      silence.refresh()
    }
    const exitCode = await closed
    signal?.throwIfAborted()
    if (failure !== '' || exitCode !== 0) throw new GitError(args, exitCode, `${failure}\n${stderr}`)
  } finally {
    clearTimeout(silence)
    signal?.removeEventListener('abort', kill)
    if (child.exitCode === null && child.signalCode === null) kill()
    await closed
  }
}
