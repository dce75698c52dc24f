import { chmodSync, statSync } from 'node:fs'

export const OWNER_ONLY = 0o700
const SET_GROUP = 0o2000

/**
 * Takes a folder from the other users of this machine. One with the set-group bit, as `git init --shared` makes it, is
 * shared on purpose; one that isn't there, or is somebody else's to change, stays as it is.
 */
export function keepPrivate(folder: string): void {
  try {
    const { mode } = statSync(folder)
    if (mode & 0o077 && !(mode & SET_GROUP)) chmodSync(folder, OWNER_ONLY)
  } catch (error) {
    if (!['ENOENT', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}
