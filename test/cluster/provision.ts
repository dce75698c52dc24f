import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { cacheFolder } from '../../tools/temporal/provision.mjs'

/** The programs of the images that docker-compose.yml names. */
export type TemporalPrograms = { folder: string; server: string; sqlTool: string }

/** Of each package, under the name that the image gives the program. */
const packages = { 'temporal-server': 'cmd/server', 'temporal-sql-tool': 'cmd/tools/sql' }
const BUILD_MS = 25 * 60_000
const TICK_MS = 15_000

/** Builds the server with Go where the cache does not hold this version: about three minutes, once. */
export async function provideTemporalServer(version: string): Promise<TemporalPrograms> {
  const folder = join(cacheFolder(), 'temporal-server', version)
  const programs = { folder, server: join(folder, 'temporal-server'), sqlTool: join(folder, 'temporal-sql-tool') }
  if (existsSync(programs.server) && existsSync(programs.sqlTool)) return programs
  const partial = `${folder}.partial-${process.pid}`
  await mkdir(partial, { recursive: true })
  const started = Date.now()
  const say = (line: string) => process.stderr.write(`Temporal server ${version}: ${line}\n`)
  const tick = setInterval(() => say(`building with Go, ${Math.round((Date.now() - started) / 1000)} s …`), TICK_MS)
  try {
    say('building with Go, about three minutes, once …')
    for (const [name, path] of Object.entries(packages)) {
      await goInstall(`go.temporal.io/server/${path}@v${version}`, partial)
      await rename(join(partial, path.split('/').at(-1)!), join(partial, name))
    }
    await rm(folder, { recursive: true, force: true })
    await rename(partial, folder)
  } finally {
    clearInterval(tick)
    await rm(partial, { recursive: true, force: true })
  }
  return programs
}

async function goInstall(target: string, folder: string): Promise<void> {
  const env = { ...process.env, GOBIN: folder, GOFLAGS: '-modcacherw' }
  const go = spawn('go', ['install', target], { env, stdio: ['ignore', 'ignore', 'pipe'], timeout: BUILD_MS })
  let tail = ''
  go.stderr.on('data', (chunk) => (tail = `${tail}${String(chunk)}`.slice(-2_000)))
  const code = await new Promise<number | null>((resolve, reject) => {
    go.once('error', reject)
    go.once('close', resolve)
  })
  if (code !== 0) throw new Error(`go install ${target} failed: ${tail}`)
}
