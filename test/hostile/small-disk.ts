import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const megabyte = 1024 ** 2

/** A file system of a few megabytes, which a test fills and empties. */
export type SmallDisk = {
  path: string
  /** Leaves no byte. */
  fill(): Promise<void>
  makeRoom(): Promise<void>
  remove(): Promise<void>
}

/** Only root may mount one. */
export const canMount = process.getuid?.() === 0 && process.platform === 'linux'

export async function createSmallDisk(megabytes: number): Promise<SmallDisk> {
  const path = await mkdtemp(join(tmpdir(), 'switchyard-small-disk-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=700`, 'switchyard-test', path])
  const ballast = join(path, 'ballast')
  return {
    path,
    async fill() {
      const { bavail, bsize } = await statfs(path)
      // More than there is: a write that ends early has filled it.
      await writeFile(ballast, Buffer.alloc(bavail * bsize + megabyte)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOSPC') throw error
      })
    },
    makeRoom: () => rm(ballast, { force: true }),
    async remove() {
      execFileSync('umount', ['--lazy', path])
      await rm(path, { recursive: true })
    },
  }
}
