import { enableCompileCache } from 'node:module'
import { join } from 'node:path'
import { cacheFolder } from '../../tools/temporal/provision.mjs'
import type { Host } from './context.ts'

// Before anything of ours is loaded: halves the time to the first line of `--help`. It never throws.
enableCompileCache(join(cacheFolder(), 'compiled'))

const interrupted = new AbortController()
let signalled: NodeJS.Signals | null = null
let signalledAt = 0
/** One Ctrl-C may reach us twice: from the terminal's process group, and from the script that started us. */
const SAME_SIGNAL_MS = 1_000

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // The second time, whoever asks no longer wants an orderly end.
    if (signalled !== null && signal === 'SIGINT' && performance.now() - signalledAt > SAME_SIGNAL_MS) process.exit(130)
    signalled ??= signal
    signalledAt ||= performance.now()
    interrupted.abort()
  })
}
// `switchyard pr list | head` closes our output: that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

const host: Host = {
  cwd: process.cwd(),
  env: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  isTerminal: process.stdout.isTTY === true,
  openInstallation: async (options) => (await import('#installation/open')).openInstallation(options),
  connect: async (installation, options) => (await import('#installation/connect')).connect(installation, options),
  now: () => new Date(),
  signal: interrupted.signal,
}

const { runCli } = await import('./cli.ts')
const exitCode = await runCli(process.argv.slice(2), host)
process.exitCode = exitCode
// A command that was interrupted may have left a call open that would hold the process.
if (signalled !== null) process.exit(exitCode === 130 && signalled === 'SIGTERM' ? 143 : exitCode)
