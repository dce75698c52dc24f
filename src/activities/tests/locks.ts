/** A folder that one process of this host holds. */
import { link, rm, stat, unlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Milliseconds } from '#domain/policy'
import { identify, isAlive, readIdentity } from './leftovers.ts'

/** Whether the folder is ours now. The lock names a process, and one whose process is dead is taken over. */
export async function lock(path: string): Promise<boolean> {
  const file = join(path, 'lock')
  if (await createWhole(file)) return true
  if (!(await isStale(file))) return false
  const takeover = join(path, 'takeover')
  if (!(await createWhole(takeover))) {
    const other = await readIdentity(takeover)
    if (other && !isAlive(other)) await rm(takeover, { force: true })
    return false
  }
  try {
    // Looked at again: another process may have taken it over between our look and our takeover.
    if (!(await isStale(file))) return false
    await rm(file, { force: true })
    return await createWhole(file)
  } finally {
    await rm(takeover, { force: true })
  }
}

async function isStale(file: string): Promise<boolean> {
  const holder = await readIdentity(file)
  return holder !== null && !isAlive(holder)
}

export const draftName = /^(?:lock|takeover)\.(\d+)\.[\d.]+$/

/** By a link, so that a lock is never seen without its content. */
async function createWhole(file: string): Promise<boolean> {
  const draft = `${file}.${process.pid}.${performance.now()}`
  await writeFile(draft, JSON.stringify(identify(process.pid)), { mode: 0o600 })
  try {
    await link(draft, file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await unlink(draft)
  }
}

export async function unlock(path: string): Promise<void> {
  await rm(join(path, 'lock'), { force: true })
}

/** Says that the holder goes on. */
export async function renew(path: string): Promise<void> {
  const now = new Date()
  await utimes(join(path, 'lock'), now, now).catch(() => {})
}

/** Whether somebody holds it who has not said for so long that they go on. */
export async function isSilent(path: string, after: Milliseconds): Promise<boolean> {
  const held = await stat(join(path, 'lock')).catch(() => null)
  return held !== null && Date.now() - held.mtimeMs > after
}
