import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/**
 * Runs `act` while no other process on this machine runs one under the same path. The lock is SQLite's on a file of its
 * own: the operating system drops it when its holder dies, so there is no stale lock to take over (a lock file with a
 * process id was rejected: two that find it stale can both take it).
 */
export async function exclusively<T>(path: string, timeoutMs: number, act: () => Promise<T>): Promise<T> {
  await mkdir(dirname(path), { recursive: true })
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    await lock(database, path, Date.now() + timeoutMs)
    return await act()
  } finally {
    database.close()
  }
}

async function lock(database: DatabaseSync, path: string, deadline: number): Promise<void> {
  for (;;) {
    try {
      database.exec('BEGIN EXCLUSIVE')
      return
    } catch (error) {
      if (!/locked|busy/i.test((error as Error).message)) throw error
      if (Date.now() >= deadline) {
        throw new Error(`${path} is held by another process. Wait for it, or end it and try again.`, { cause: error })
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}
