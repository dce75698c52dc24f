import { chmod, lstat, mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** Removes a folder that hostile code may have filled: also one whose folders forbid it. */
export async function removeFolder(folder: string): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true })
  } catch {
    await makeWritable(folder)
    await rm(folder, { recursive: true, force: true })
  }
}

export async function emptyFolder(folder: string): Promise<void> {
  await removeFolder(folder)
  await mkdir(folder, { recursive: true, mode: 0o700 })
}

export async function isRealFolder(path: string): Promise<boolean> {
  return (await kindOf(path)) === 'folder'
}

/** Symbolic links are not followed. */
export async function kindOf(path: string): Promise<'absent' | 'folder' | 'file' | 'other'> {
  try {
    const stat = await lstat(path)
    return stat.isDirectory() ? 'folder' : stat.isFile() ? 'file' : 'other'
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'absent'
    throw error
  }
}

async function makeWritable(folder: string): Promise<void> {
  if (!(await isRealFolder(folder))) return
  await chmod(folder, 0o700)
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await makeWritable(join(folder, entry.name))
  }
}
