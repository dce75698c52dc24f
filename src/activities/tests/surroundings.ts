import { createHash } from 'node:crypto'
import { mkdir, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { defaultLimits } from '#domain/limits'
import { runProcess } from '../process/run.ts'
import type { Isolation } from './isolation.ts'

/** How each tells its version. Those that a machine lacks cost a look at each folder of the PATH. */
const tools = {
  node: '--version',
  deno: '--version',
  bun: '--version',
  python3: '--version',
  python: '--version',
  ruby: '--version',
  php: '--version',
  go: 'version',
  rustc: '--version',
  java: '-version',
  dotnet: '--version',
} as const

const probeTimeout = 20_000

/**
 * A digest of what decides a command's outcome besides itself and its tree: the isolation, the PATH that it gets, and
 * the versions of the tools on it, asked for in the same isolation. Asked again only when one of their files has changed.
 */
export function createSurroundings(isolation: () => Isolation, folder: string): () => Promise<string> {
  let known: { key: string; digest: Promise<string> } | null = null
  return async () => {
    const here = isolation()
    if (here.problem !== null) return digestOf([here.problem])
    const key = await filesOf(pathInside(here, folder))
    if (known?.key !== key) {
      const digest = versions(here, folder).then((said) => digestOf([here.surroundings, said]))
      digest.catch(() => (known = null))
      known = { key, digest }
    }
    return known.digest
  }
}

/** Which files the tools are, with their sizes and times, as far as this process sees them. */
async function filesOf(path: string): Promise<string> {
  const folders = path.split(':').filter(Boolean)
  const found = await Promise.all(Object.keys(tools).map((tool) => firstOf(folders, tool)))
  return JSON.stringify([path, found])
}

async function firstOf(folders: string[], tool: string): Promise<string | null> {
  for (const folder of folders) {
    try {
      const file = await realpath(join(folder, tool))
      const { size, mtimeMs } = await stat(file)
      return `${file} ${size} ${mtimeMs}`
    } catch {
      // In another folder, or nowhere.
    }
  }
  return null
}

async function versions(isolation: Isolation, folder: string): Promise<string> {
  for (const part of Object.values(foldersIn(folder))) await mkdir(part, { recursive: true, mode: 0o700 })
  const { stdout } = await runProcess({
    ...wrapped(isolation, folder),
    timeout: probeTimeout,
    graceMs: 1_000,
    maxOutput: 64 * 1024,
  })
  return stdout.toString()
}

function pathInside(isolation: Isolation, folder: string): string {
  return wrapped(isolation, folder).env['PATH'] ?? ''
}

function wrapped(isolation: Isolation, folder: string): ReturnType<Isolation['wrap']> {
  const asked = Object.entries(tools).map(([tool, flag]) => `say ${tool} ${flag}`)
  const shell = [
    'say() { if command -v "$1" > /dev/null; then echo "$1"; "$@" 2>&1 | head -n 3; fi; }',
    ...asked,
    'true',
  ].join('\n')
  const slot = foldersIn(folder)
  return isolation.wrap({ shell, slot, kept: [], network: false, env: {}, hidden: [], limits: defaultLimits })
}

function foldersIn(folder: string) {
  return {
    tree: join(folder, 'tree'),
    home: join(folder, 'home'),
    temp: join(folder, 'temp'),
    marks: join(folder, 'marks'),
  }
}

function digestOf(parts: string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}
