// Finds or makes the Temporal CLI that the embedded server runs from. Without dependencies, because
// scripts/bootstrap.mjs runs it before anything is installed; src/server/find.ts calls the same functions.
import { spawn, spawnSync } from 'node:child_process'
import { constants } from 'node:fs'
import { access, mkdir, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'

export const TEMPORAL_CLI_VERSION = '1.5.1'
const GO_PACKAGE = `github.com/temporalio/cli/cmd/temporal@v${TEMPORAL_CLI_VERSION}`
const BUILD_TIMEOUT_MS = 20 * 60_000
const DOWNLOAD_TIMEOUT_MS = 60_000

/** The user's cache folder of Switchyard; outlives every checkout. */
export function cacheFolder(env = process.env) {
  if (env.SWITCHYARD_CACHE) return env.SWITCHYARD_CACHE
  return join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache'), 'switchyard')
}

const cachedCli = (env) => join(cacheFolder(env), 'temporal-cli', TEMPORAL_CLI_VERSION, 'temporal')

async function executable(path) {
  try {
    await access(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

async function onPath(name, env) {
  for (const folder of (env.PATH ?? '').split(delimiter).filter(Boolean)) {
    const path = join(folder, name)
    if (await executable(path)) return path
  }
  return undefined
}

/**
 * Where the CLI is now, without making anything.
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<{path: string, source: 'SWITCHYARD_TEMPORAL_CLI' | 'PATH' | 'cache'} | undefined>}
 * @throws when SWITCHYARD_TEMPORAL_CLI names something that can't be run
 */
export async function findTemporalCli(env = process.env) {
  const named = env.SWITCHYARD_TEMPORAL_CLI
  if (named) {
    if (await executable(named)) return { path: named, source: 'SWITCHYARD_TEMPORAL_CLI' }
    throw new Error(`SWITCHYARD_TEMPORAL_CLI names ${named}, which is not an executable file. Correct or unset it.`)
  }
  const found = await onPath('temporal', env)
  if (found) return { path: found, source: 'PATH' }
  const cached = cachedCli(env)
  if (await executable(cached)) return { path: cached, source: 'cache' }
  return undefined
}

/**
 * Finds the CLI, or makes it: a download through the SDK, then a build with Go.
 * @param {{env?: NodeJS.ProcessEnv, say?: (line: string) => void, download?: (folder: string) => string[]}} options
 *   `download` gives the argv of a process that downloads the CLI to the path named by its last argument.
 * @returns {Promise<string>} the path of an executable
 */
export async function provideTemporalCli({ env = process.env, say = () => {}, download } = {}) {
  const found = await findTemporalCli(env)
  if (found) return found.path
  const target = cachedCli(env)
  const partial = join(cacheFolder(env), 'temporal-cli', `.partial-${process.pid}`)
  const reasons = []
  try {
    await mkdir(partial, { recursive: true })
    if (download) {
      say('Temporal CLI: downloading …')
      const result = await run(download(join(partial, 'temporal')), env, DOWNLOAD_TIMEOUT_MS)
      if (result.ok && (await executable(join(partial, 'temporal')))) return await keep(partial, target)
      reasons.push(`download: ${result.reason}`)
      say('Temporal CLI: it can not be downloaded here')
    }
    if (spawnSync('go', ['version'], { env, stdio: 'ignore' }).status === 0) {
      const started = Date.now()
      say('Temporal CLI: building with Go, about three minutes, once …')
      const tick = setInterval(
        () => say(`Temporal CLI: building with Go, ${Math.round((Date.now() - started) / 1000)} s …`),
        15_000,
      )
      const result = await run(
        ['go', 'install', GO_PACKAGE],
        { ...env, GOBIN: partial, GOFLAGS: '-modcacherw' },
        BUILD_TIMEOUT_MS,
      )
      clearInterval(tick)
      if (result.ok) return await keep(partial, target)
      reasons.push(`build: ${result.reason}`)
    } else reasons.push('build: no go on PATH')
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
  throw new Error(
    [
      'The Temporal CLI, which holds the embedded server, is neither here nor can it be made:',
      ...reasons.map((reason) => `  - ${reason}`),
      'Supply it in one of two ways:',
      '  1. install the `temporal` command (https://docs.temporal.io/cli) on PATH, or name it in SWITCHYARD_TEMPORAL_CLI',
      '  2. install Go ≥ 1.25, and run this again: it is built and cached',
    ].join('\n'),
  )
}

async function keep(partial, target) {
  await mkdir(join(target, '..'), { recursive: true })
  await rename(join(partial, 'temporal'), target)
  return target
}

function run([command, ...args], env, timeoutMs) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { env, stdio: ['ignore', 'ignore', 'pipe'], timeout: timeoutMs })
    let tail = ''
    child.stderr.on('data', (chunk) => (tail = (tail + chunk).slice(-400)))
    child.on('error', (error) => resolve({ ok: false, reason: error.message }))
    child.on('close', (code, signal) => {
      const last = tail.trim().split('\n').at(-1) ?? ''
      resolve(
        code === 0
          ? { ok: true }
          : { ok: false, reason: last || (signal ? `ended by ${signal}` : `exit code ${code}`) },
      )
    })
  })
}
