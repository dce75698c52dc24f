import { lstat, mkdir, rm } from 'node:fs/promises'
import { runProcess } from '../process/run.ts'

/** Removes a folder that hostile code may have filled: also one whose folders forbid it, whatever their names. */
export async function removeFolder(folder: string): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true })
  } catch (error) {
    if (await isRealFolder(folder)) await run('find', [folder, '-xdev', '-type', 'd', ...makeOwn])
    const { exitCode } = await run('rm', ['-rf', '--', folder])
    if (exitCode !== 0) throw error
  }
}

const makeOwn = ['-exec', 'chmod', 'u+rwx', '{}', ';']

function run(command: string, args: string[]) {
  const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C' }
  return runProcess({ command, args, cwd: '/', env, timeout: 10 * 60_000, graceMs: 1_000, maxOutput: 4096 })
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
