import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readdir, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { defaultLimits } from '#domain/limits'
import { runProcess } from '../process/run.ts'
import { removeFolder } from './folders.ts'
import type { Isolation } from './isolation.ts'
import { isAlive } from './leftovers.ts'

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
  let known: { key: string; digest: Promise<string | null> } | null = null
  return async () => {
    const here = isolation()
    if (here.problem !== null) return digestOf([here.problem])
    const key = await filesOf(pathInside(here, folder))
    if (known?.key !== key) {
      // A full disk is for the check to find, or for what needs the disk.
      const said = versions(here, folder).catch(() => null)
      known = { key, digest: said.then((text) => (text === null ? null : digestOf([here.surroundings, text]))) }
    }
    const digest = await known.digest
    if (digest !== null) return digest
    // Nobody knows what a check would run in: its pass counts once, and the tools are asked again.
    known = null
    return digestOf([randomUUID()])
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

/** What the tools say, without the name of the folder in which they were asked; null where they could not be. */
async function versions(isolation: Isolation, folder: string): Promise<string | null> {
  await removeLeftovers(folder)
  const own = join(folder, String(process.pid))
  try {
    for (const part of Object.values(foldersIn(own))) await mkdir(part, { recursive: true, mode: 0o700 })
    const { stdout, exitCode } = await runProcess({
      ...wrapped(isolation, own),
      timeout: probeTimeout,
      graceMs: 1_000,
      maxOutput: 64 * 1024,
    })
    return exitCode === 0 ? stdout.toString().replaceAll(own, '') : null
  } finally {
    await removeFolder(own)
  }
}

/** Of workers that were killed while they asked. */
async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    if (!isAlive({ pid: Number(name), startedAt: null })) await removeFolder(join(folder, name))
  }
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
