import { readFile, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** Resident memory in KB of the processes of an installation, by what they are; 0 where there is no /proc. */
export async function residentMemory(pids: number[]): Promise<number> {
  const sizes = await Promise.all(pids.map(residentOf))
  return sizes.reduce((sum, each) => sum + each, 0)
}

async function residentOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0)
}

/** What lies on the disk below a folder, in KB. */
export async function sizeOnDisk(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  const sizes = await Promise.all(files.map((file) => stat(join(file.parentPath, file.name)).catch(() => null)))
  return sizes.reduce((sum, found) => sum + (found?.size ?? 0), 0) / 1024
}
