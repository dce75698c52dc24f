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

/**
 * Tree and parents of a commit that lies in a file of its own, as one that was just made does; null for any other,
 * which git must be asked for. Reading it here costs a hundredth of a process. Its content is proven by its name.
 */
export async function looseCommit(objects: string, commit: Sha): Promise<{ tree: Sha; parents: Sha[] } | null> {
  try {
    const file = join(objects, sha(commit).slice(0, 2), commit.slice(2))
    const content = await unzip(await readFile(file), { maxOutputLength: maxBytes })
    if (createHash('sha1').update(content).digest('hex') !== commit) return null
    const lines = content.toString('latin1').split('\n')
    const [, tree] = /^commit \d+\0tree ([0-9a-f]{40})$/.exec(lines[0] ?? '') ?? []
    if (tree === undefined) return null
    const end = lines.findIndex((line, index) => index > 0 && !/^parent [0-9a-f]{40}$/.test(line))
    return { tree, parents: lines.slice(1, end).map((line) => line.slice('parent '.length)) }
  } catch {
    return null
  }
}
