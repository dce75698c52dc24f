import { constants, type Stats } from 'node:fs'
import { lstat, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import picomatch from 'picomatch'

const maxFileBytes = 20 * 1024 * 1024
const maxTotalBytes = 50 * 1024 * 1024
const maxFiles = 1_000
/** Names looked at in search of a glob's files. */
const maxEntries = 200_000

/** What tells whether a file was written since. A command may set any time of a file but that of its last change. */
type Mark = string

/** The files that match already: what a commit holds is no report of its command. */
export type FormerReports = ReadonlyMap<string, Mark>

export type ReportFiles = { files: { path: string; content: Buffer }[]; problem: string | null }

export async function formerReports(tree: string, report: string): Promise<FormerReports> {
  const found = new Map<string, Mark>()
  for await (const { path, stat } of matches(tree, report, { left: maxEntries })) found.set(path, markOf(stat))
  return found
}

/**
 * Reads what the command wrote at `report`, a path or glob in its tree, in the order of names. No symbolic link is
 * followed, in the middle of a path or at its end: whatever else this process can read is not for a repository's code.
 */
export async function writtenReports(tree: string, report: string, former: FormerReports): Promise<ReportFiles> {
  const budget = { left: maxEntries }
  const files: ReportFiles['files'] = []
  let bytes = 0
  for await (const { path, stat } of matches(tree, report, budget)) {
    if (former.get(path) === markOf(stat)) continue
    if (files.length >= maxFiles) return { files, problem: `${report} names more than ${maxFiles} files` }
    if (stat.size > maxFileBytes || bytes + stat.size > maxTotalBytes) {
      return { files, problem: `report ${path} is larger than is read` }
    }
    const content = await readRegular(join(tree, path), maxFileBytes)
    if (content === null) return { files, problem: `report ${path} can't be read` }
    bytes += content.length
    files.push({ path, content })
  }
  if (files.length > 0) return { files, problem: null }
  return { files, problem: budget.left <= 0 ? `${report} matches in too large a tree` : `report ${report} is missing` }
}

async function* matches(
  tree: string,
  report: string,
  budget: { left: number },
): AsyncGenerator<{ path: string; stat: Stats }> {
  const { base, glob } = picomatch.scan(report.replace(/^(?:\.\/)+/, ''))
  const parts = base.split('/').filter((part) => part !== '' && part !== '.')
  if (glob === '') {
    const inTree = await throughRealFolders(tree, parts.slice(0, -1))
    const stat = inTree ? await lstatOrNull(join(tree, ...parts)) : null
    if (stat?.isFile()) yield { path: parts.join('/'), stat }
    return
  }
  const isMatch = picomatch(glob, { dot: true })
  if (await throughRealFolders(tree, parts)) yield* below(tree, parts.join('/'), '', isMatch, budget)
}

async function* below(
  tree: string,
  base: string,
  folder: string,
  isMatch: (path: string) => boolean,
  budget: { left: number },
): AsyncGenerator<{ path: string; stat: Stats }> {
  const entries = await readdir(join(tree, base, folder), { withFileTypes: true }).catch(() => [])
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (--budget.left < 0) return
    const inside = folder === '' ? entry.name : `${folder}/${entry.name}`
    const path = base === '' ? inside : `${base}/${inside}`
    if (entry.isDirectory()) yield* below(tree, base, inside, isMatch, budget)
    else if (entry.isFile() && isMatch(inside)) {
      const stat = await lstatOrNull(join(tree, path))
      if (stat?.isFile()) yield { path, stat }
    }
  }
}

/** Whether each of these, one in the other, is a folder itself and no link to one. */
async function throughRealFolders(tree: string, parts: string[]): Promise<boolean> {
  for (let count = 1; count <= parts.length; count += 1) {
    const stat = await lstatOrNull(join(tree, ...parts.slice(0, count)))
    if (!stat?.isDirectory()) return false
  }
  return true
}

function markOf({ ino, size, ctimeMs }: Stats): Mark {
  return `${ino} ${size} ${ctimeMs}`
}

/** Null for what is no plain file any more, or grew. Never waits: a pipe in its place has no end. */
async function readRegular(path: string, maxBytes: number): Promise<Buffer | null> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      const stat = await file.stat()
      if (!stat.isFile() || stat.size > maxBytes) return null
      const buffer = Buffer.alloc(stat.size)
      const { bytesRead } = await file.read(buffer, 0, stat.size, 0)
      return buffer.subarray(0, bytesRead)
    } finally {
      await file.close()
    }
  } catch {
    return null
  }
}

async function lstatOrNull(path: string): Promise<Stats | null> {
  try {
    return await lstat(path)
  } catch {
    return null
  }
}
