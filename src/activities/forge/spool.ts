import { randomUUID } from 'node:crypto'
import { readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import type { Instant, Sha } from '#domain/pull-request'

/** One line of the hook. `direct`: a push to a protected branch that its maker asked to be let through. */
export type SpooledPush = {
  ref: string
  from: Sha
  to: Sha
  process: string
  direct: { at: Instant; actor: string } | null
}

export function spoolOf(gitDir: string): string {
  return join(resolve(gitDir), 'switchyard', 'pushes')
}

export type SpoolOptions = {
  /** How long a hook may need from opening the file to writing its line, in milliseconds. */
  settle?: number
}

const SETTLE = 1_000
/** After so long its reader hangs, or its process id is another one's by now. Milliseconds. */
const CLAIM_LIMIT = 60_000

/**
 * A part of the spool, named `<spool>.<look>.<stored>.<process>.<uuid>`: `first` and `last` are claimed by a process,
 * `taken` waits for its last look. What comes before byte `stored` is stored.
 */
type Part = { name: string; path: string; look: 'first' | 'taken' | 'last'; stored: number; process: number }

/** Claimed by a call that runs in this process. */
const held = new Set<string>()

/**
 * Hands what the hooks wrote to `store`, and forgets it only when that has ended well: what a process that was killed
 * or could not store had claimed, the next call finds again. So a push may come twice, and is never lost.
 *
 * The file is renamed first, so that a hook makes a new one. A hook that had it open may still write behind what is
 * read here; so a taken file stays until no hook can, and a later call reads the rest.
 */
export async function takeSpool(
  spoolFile: string,
  store: (pushes: SpooledPush[]) => Promise<void>,
  { settle = SETTLE }: SpoolOptions = {},
): Promise<void> {
  const claims: Part[] = []
  try {
    for (const part of await claimable(spoolFile, settle)) {
      const claimed = await claim(spoolFile, part)
      if (claimed) claims.push(claimed)
    }
    const read = (await Promise.all(claims.map(readPart))).flat()
    const pushes = read.flatMap(({ lines }) => lines.flatMap(parseLine))
    if (pushes.length > 0) await store(pushes)
    for (const { part, end } of read) await retire(spoolFile, part, end)
  } finally {
    for (const { path } of claims) held.delete(path)
  }
}

async function claimable(spoolFile: string, settle: number): Promise<Part[]> {
  const folder = dirname(spoolFile)
  const names: string[] = await readdir(folder).catch(() => [])
  const parts: Part[] = []
  for (const name of names) {
    const part = partOf(spoolFile, name)
    if (part && (await isFree(part, settle))) parts.push(part)
  }
  // What was written first is told first.
  return parts.sort((a, b) => order(a) - order(b))
}

function order({ look, name }: Part): number {
  if (look !== 'first') return 0
  return isSpoolItself(name) ? 2 : 1
}

function isSpoolItself(name: string): boolean {
  return !PART.test(name)
}

const PART = /\.(first|taken|last)\.(\d+)\.(\d+)\.[0-9a-f-]{36}$/

function partOf(spoolFile: string, name: string): Part | null {
  const path = join(dirname(spoolFile), name)
  if (path === resolve(spoolFile)) return { name, path, look: 'first', stored: 0, process: 0 }
  const [suffix, look, stored, process] = PART.exec(name) ?? []
  if (suffix === undefined || name !== basename(spoolFile) + suffix) return null
  return { name, path, look: look as Part['look'], stored: Number(stored), process: Number(process) }
}

async function isFree({ name, path, look, process: owner }: Part, settle: number): Promise<boolean> {
  if (isSpoolItself(name)) return true
  const age = await millisecondsSinceRename(path)
  if (age === null) return false
  if (look === 'taken') return age >= settle
  if (held.has(path)) return false
  return owner === process.pid || !isAlive(owner) || age > CLAIM_LIMIT
}

/** null where another process has it by now. */
async function millisecondsSinceRename(path: string): Promise<number | null> {
  const found = await stat(path).catch(noneIfGone)
  return found && Date.now() - Math.floor(found.ctimeMs)
}

function isAlive(owner: number): boolean {
  try {
    return process.kill(owner, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function claim(spoolFile: string, part: Part): Promise<Part | null> {
  const look = part.look === 'taken' ? 'last' : part.look
  const claimed = join(dirname(spoolFile), nameOf(spoolFile, look, part.stored, process.pid))
  held.add(claimed)
  if (await renameIfThere(part.path, claimed)) return { ...part, look, name: basename(claimed), path: claimed }
  held.delete(claimed)
  return null
}

function nameOf(spoolFile: string, look: Part['look'], stored: number, owner: number): string {
  return `${basename(spoolFile)}.${look}.${stored}.${owner}.${randomUUID()}`
}

/** What isn't stored yet, up to the last whole line; at the last look to the end. */
async function readPart(part: Part): Promise<{ part: Part; lines: string[]; end: number }[]> {
  const content = await readFile(part.path).catch(noneIfGone)
  if (!content) return []
  const end = part.look === 'first' ? content.lastIndexOf('\n') + 1 : content.length
  return [{ part, lines: content.subarray(part.stored, end).toString('utf8').split('\n'), end }]
}

async function retire(spoolFile: string, part: Part, end: number): Promise<void> {
  if (part.look === 'last') await rm(part.path, { force: true })
  else await renameIfThere(part.path, join(dirname(spoolFile), nameOf(spoolFile, 'taken', end, 0)))
}

async function renameIfThere(from: string, to: string): Promise<boolean> {
  const renamed = rename(from, to).then(() => true)
  return (await renamed.catch(noneIfGone)) ?? false
}

function noneIfGone(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null
  throw error
}

function parseLine(line: string): SpooledPush[] {
  const [kind, at, ref = '', from = '', to = '', process = '', actor = ''] = line.split('\t')
  const isSha = /^[0-9a-f]{40}$/
  if (kind !== 'push' || !ref.startsWith('refs/') || !isSha.test(from) || !isSha.test(to)) return []
  return [{ ref, from, to, process, direct: at ? { at, actor } : null }]
}
