import type { Sha } from '#domain/pull-request'
import { TooLargeError, runGit } from './run.ts'

export type FoundObject = { type: string; size: number; content: Buffer }

/** One object by a name that `cat-file` understands, or null where it finds none. Throws over `maxBytes`. */
export async function readObject(objects: string, name: string, maxBytes: number): Promise<FoundObject | null> {
  const args = ['cat-file', '--batch', '-z']
  // The object's header line comes first; a path in it may be as long as git allows.
  const { stdout } = await runGit({ objects, args, stdin: `${name}\0`, maxOutput: maxBytes + 8192 })
  const end = stdout.indexOf(0x0a)
  const header = /^[0-9a-f]{40} ([a-z]+) (\d+)$/.exec(stdout.toString('latin1', 0, end))
  if (!header) return null
  const size = Number(header[2])
  if (size > maxBytes) {
    throw new TooLargeError(args, null, `${name} has ${size} bytes, more than the ${maxBytes} allowed`)
  }
  return { type: header[1] ?? '', size, content: stdout.subarray(end + 1, end + 1 + size) }
}

/** Sizes of blobs; what is missing is left out. */
export async function sizesOf(objects: string, blobs: Sha[]): Promise<Map<Sha, number>> {
  if (blobs.length === 0) return new Map()
  const args = ['cat-file', '--batch-check=%(objectname) %(objectsize)', '--buffer']
  const { stdout } = await runGit({ objects, args, stdin: `${blobs.join('\n')}\n` })
  const lines = stdout.toString('latin1').split('\n')
  const sizes = lines.map((line) => /^([0-9a-f]{40}) (\d+)$/.exec(line)).filter((match) => match !== null)
  return new Map(sizes.map((match) => [match[1] ?? '', Number(match[2])]))
}

/** As far as git looks for a NUL to tell binary from text. */
const inspected = 8000

/** Those of the blobs that are text; `truncated` when some were left out because all together exceed `maxBytes`. */
export async function readTexts(
  objects: string,
  blobs: Sha[],
  maxBytes: number,
): Promise<{ texts: Map<Sha, string>; truncated: boolean }> {
  const texts = new Map<Sha, string>()
  const sizes = await sizesOf(
    objects,
    blobs.filter((blob) => blob !== '0'.repeat(40)),
  )
  const fitting: Sha[] = []
  let total = 0
  for (const [blob, size] of sizes) {
    if (total + size > maxBytes) continue
    total += size
    fitting.push(blob)
  }
  const truncated = fitting.length < sizes.size
  if (fitting.length === 0) return { texts, truncated }
  const args = ['cat-file', '--batch', '--buffer']
  const maxOutput = total + fitting.length * 100
  const { stdout } = await runGit({ objects, args, stdin: `${fitting.join('\n')}\n`, maxOutput })
  let at = 0
  for (const blob of fitting) {
    const start = stdout.indexOf(0x0a, at) + 1
    const end = start + (sizes.get(blob) ?? 0)
    if (!stdout.subarray(start, Math.min(end, start + inspected)).includes(0)) {
      texts.set(blob, stdout.toString('utf8', start, end))
    }
    at = end + 1
  }
  return { texts, truncated }
}
