import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Sha } from '#domain/pull-request'
import type { RefUpdate } from './port.ts'
import { refName, refPrefix, sha } from './revisions.ts'
import { GitError, runGit } from './run.ts'

const absent = '0'.repeat(40)
const format = '--format=%(objectname) %(*objectname) %(refname)'

export async function resolveRef(gitDir: string, ref: string): Promise<Sha | null> {
  const loose = await looseRef(gitDir, ref)
  if (loose) return loose
  // Not rev-parse: for a ref that is missing it would go on to look for refs/heads/refs/heads/<name>.
  return (await listRefs(gitDir, refName(ref))).get(ref) ?? null
}

/**
 * A branch as git's own files have it: a process of git costs a hundred times as much, and the queue asks for a few
 * branches with each landing. Packed, symbolic, or in another format of refs: null, and git is asked.
 */
async function looseRef(gitDir: string, ref: string): Promise<Sha | null> {
  if (!refName(ref).startsWith('refs/heads/')) return null
  try {
    const content = await readFile(join(gitDir, ref), 'latin1')
    return /^[0-9a-f]{40}\n$/.test(content) ? content.slice(0, 40) : null
  } catch {
    return null
  }
}

/** Refs by full name, annotated tags as the commit that they tag. */
export async function listRefs(gitDir: string, prefix: string): Promise<Map<string, Sha>> {
  const { stdout } = await runGit({ gitDir, args: ['for-each-ref', format, refPrefix(prefix)] })
  const lines = stdout.toString('utf8').split('\n').slice(0, -1)
  return new Map(
    lines.map((line) => {
      const [object = '', tagged = ''] = line.split(' ', 2)
      return [line.slice(object.length + tagged.length + 2), tagged || object]
    }),
  )
}

const mismatch = /is at [0-9a-f]{40} but expected|reference already exists|reference is missing but expected/
const locked = /\.lock': File exists/
const lockTries = 20
/** Milliseconds, besides the 100 that git itself waits for a lock. */
const lockPause = 25

export async function updateRefs(gitDir: string, updates: RefUpdate[]): Promise<boolean> {
  if (updates.length === 0) return true
  const commands = ['start', ...updates.map(commandOf), 'prepare', 'commit', '']
  const args = ['update-ref', '--no-deref', '--stdin']
  for (let attempt = 1; ; attempt += 1) {
    const { exitCode, stderr } = await runGit({ gitDir, args, stdin: commands.join('\n'), accept: [128] })
    if (exitCode === 0) return true
    if (mismatch.test(stderr)) return false
    if (await anyDiffers(gitDir, updates)) return false
    if (!locked.test(stderr) || attempt === lockTries) throw new GitError(args, exitCode, stderr)
    await sleep(lockPause)
  }
}

function commandOf({ ref, to, from }: RefUpdate): string {
  const name = refName(ref)
  const old = from === null ? absent : sha(from)
  if (to === from) return `verify ${name} ${old}`
  if (to === null) return `delete ${name} ${old}`
  return from === null ? `create ${name} ${sha(to)}` : `update ${name} ${sha(to)} ${old}`
}

async function anyDiffers(gitDir: string, updates: RefUpdate[]): Promise<boolean> {
  const args = ['for-each-ref', '--format=%(objectname) %(refname)', ...updates.map(({ ref }) => ref)]
  const { stdout } = await runGit({ gitDir, args })
  const lines = stdout.toString('utf8').split('\n')
  const current = new Map(lines.map((line) => [line.slice(41), line.slice(0, 40)]))
  return updates.some(({ ref, from }) => (current.get(ref) ?? null) !== from)
}
