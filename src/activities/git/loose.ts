import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { inflate } from 'node:zlib'
import type { Sha } from '#domain/pull-request'
import { sha } from './revisions.ts'

const unzip = promisify(inflate)

/** Commits are small; a longer one is left to git, so that a hostile object can't fill our memory. */
const maxBytes = 256 * 1024

export type LooseCommit = {
  tree: Sha
  parents: Sha[]
  /** null where it is not UTF-8. */
  message: string | null
}

/**
 * Tree, parents and message of a commit that lies in a file of its own, as one that was just made does; null for any other,
 * which git must be asked for. Reading it here costs a hundredth of a process. Its content is proven by its name.
 */
export async function looseCommit(objects: string, commit: Sha): Promise<LooseCommit | null> {
  try {
    const file = join(objects, sha(commit).slice(0, 2), commit.slice(2))
    const content = await unzip(await readFile(file), { maxOutputLength: maxBytes })
    if (createHash('sha1').update(content).digest('hex') !== commit) return null
    const lines = content.toString('latin1').split('\n')
    const [, tree] = /^commit \d+\0tree ([0-9a-f]{40})$/.exec(lines[0] ?? '') ?? []
    if (tree === undefined) return null
    const end = lines.findIndex((line, index) => index > 0 && !/^parent [0-9a-f]{40}$/.test(line))
    const parents = lines.slice(1, end).map((line) => line.slice('parent '.length))
    return { tree, parents, message: messageOf(content, lines) }
  } catch {
    return null
  }
}

/** More of them are read faster by one process. */
const MAX_WALK = 50

/** Messages of the commits from `head` down to `base`, where each has one parent and lies loose, as a small push does. */
export async function looseMessages(objects: string, base: Sha, head: Sha): Promise<Map<Sha, string> | null> {
  const messages = new Map<Sha, string>()
  for (let at = head; at !== base;) {
    const commit = await looseCommit(objects, at)
    const [parent, ...others] = commit?.parents ?? []
    if (typeof commit?.message !== 'string' || parent === undefined || others.length > 0) return null
    if (messages.size >= MAX_WALK) return null
    messages.set(at, commit.message)
    at = parent
  }
  return messages
}

function messageOf(content: Buffer, lines: string[]): string | null {
  const header = lines.slice(0, lines.indexOf(''))
  if (header.some((line) => line.startsWith('encoding '))) return null
  return content.toString('utf8', content.indexOf('\n\n') + 2)
}
