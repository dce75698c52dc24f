import { setImmediate } from 'node:timers/promises'
import type { Sha } from '#domain/pull-request'
import { readTexts, sizesOf } from './blobs.ts'
import { createPatchReader, type BinaryBlob } from './patch.ts'
import type { AddedBlob, AddedText, Change, ChangedFile } from './port.ts'
import { sha } from './revisions.ts'
import { GitError, runGit } from './run.ts'
import { streamGit } from './stream.ts'

/** `diff-tree` with all that an attribute or a config could name switched off. */
const diffTree = ['diff-tree', '-r', '--no-ext-diff', '--no-textconv', '--no-color']
const patch = ['-p', '--full-index', '--src-prefix=a/', '--dst-prefix=b/']

export async function changedPaths(objects: string, from: Sha, to: Sha): Promise<string[]> {
  const args = [...diffTree, '-z', '--name-only', '--no-renames', sha(from), sha(to)]
  return fieldsOf(await complete(objects, args))
}

/** Lines added and removed; of a binary file none. */
export async function changedLines(objects: string, from: Sha, to: Sha): Promise<number> {
  const args = [...diffTree, '-z', '--numstat', '--no-renames', sha(from), sha(to)]
  const counts = fieldsOf(await complete(objects, args)).map((field) => /^(\d+)\t(\d+)\t/.exec(field))
  return counts.reduce((sum, count) => sum + (count ? Number(count[1]) + Number(count[2]) : 0), 0)
}

export async function unifiedDiff(objects: string, from: Sha, to: Sha, maxBytes: number) {
  const args = [...diffTree, ...patch, '--find-renames', sha(from), sha(to)]
  const { stdout, truncated } = await runGit({ objects, args, maxOutput: maxBytes })
  return { text: stdout.toString('utf8'), truncated }
}

/** Bytes over which git takes a blob for binary without looking into it: it reads what it compares as a whole. */
const bigFile = 64 * 1024 * 1024

export async function* additions(
  objects: string,
  change: Change,
  signal?: AbortSignal,
): AsyncGenerator<AddedText | AddedBlob> {
  const options = ['-c', `core.bigFileThreshold=${bigFile}`, ...diffTree, ...patch, '--unified=0']
  const commits = 'commits' in change
  const args = commits
    ? [...options, '--stdin', '--root', '--diff-merges=first-parent', '--no-renames']
    : [...options, change.findRenames ? '--find-renames' : '--no-renames', sha(change.from), sha(change.to)]
  const stdin = commits ? change.commits.map((commit) => `${sha(commit)}\n`).join('') : ''
  const reader = createPatchReader(commits ? '' : change.to)
  for await (const chunk of streamGit({ objects, args, stdin, signal })) {
    for (const found of reader.read(chunk)) yield await sized(objects, found)
    // A pipe that is always full would let neither timers nor other work through.
    await setImmediate()
  }
  for (const found of reader.end()) yield await sized(objects, found)
}

async function sized(objects: string, found: AddedText | BinaryBlob): Promise<AddedText | AddedBlob> {
  if (found.kind === 'text') return found
  const size = (await sizesOf(objects, [found.blob])).get(found.blob)
  if (size === undefined) throw new GitError(['cat-file'], null, `blob ${found.blob} is missing`)
  return { ...found, size }
}

const gitlink = '160000'
/** Bytes that are read to see whether what git shows as binary is text on its new side. */
const textLimit = 16 * 1024 * 1024

export async function changedFiles(objects: string, from: Sha, to: Sha): Promise<ChangedFile[]> {
  const args = [
    ...diffTree,
    '-z',
    '--raw',
    '--numstat',
    '--no-abbrev',
    '--no-renames',
    '--diff-filter=d',
    sha(from),
    sha(to),
  ]
  const fields = fieldsOf(await complete(objects, args))
  const files: { path: string; blob: Sha }[] = []
  const binary = new Set<string>()
  for (let at = 0; at < fields.length; at += 1) {
    const field = fields[at] ?? ''
    const raw = /^:\d+ (\d+) [0-9a-f]+ ([0-9a-f]{40}) [A-Z]\d*$/.exec(field)
    if (!raw) {
      if (field.startsWith('-\t-\t')) binary.add(field.slice(4))
      continue
    }
    at += 1
    // A submodule's entry is a commit of another repository: there is nothing of it to read here.
    if (raw[1] !== gitlink) files.push({ path: fields[at] ?? '', blob: raw[2] ?? '' })
  }
  const sizes = await sizesOf(objects, [...new Set(files.map(({ blob }) => blob))])
  const doubtful = files.filter(({ path }) => binary.has(path)).map(({ blob }) => blob)
  const { texts } = await readTexts(objects, [...new Set(doubtful)], textLimit)
  return files.map(({ path, blob }) => {
    const size = sizes.get(blob)
    if (size === undefined) throw new GitError(args, null, `blob ${blob} of ${JSON.stringify(path)} is missing`)
    return { commit: to, path, size, binary: binary.has(path) && !texts.has(blob), blob }
  })
}

async function complete(objects: string, args: string[]): Promise<Buffer> {
  const { stdout, truncated } = await runGit({ objects, args })
  if (truncated) throw new GitError(args, null, 'more differences than can be read at once')
  return stdout
}

function fieldsOf(output: Buffer): string[] {
  return output.toString('utf8').split('\0').slice(0, -1)
}
