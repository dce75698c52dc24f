import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CliWorld } from './cli.ts'

/** A user's working copies in a world: of repositories whose check is the script `check.sh`. */
export type WorkingCopies = {
  make(name: string, policy: string): Promise<string>
  git(folder: string, ...args: string[]): Promise<string>
  commit(folder: string, files: Record<string, string>): Promise<void>
  /** A branch on the base of now, pushed; `check` becomes what its tests do. */
  pushBranch(folder: string, name: string, check?: string): Promise<void>
}

export function workingCopies(world: CliWorld): WorkingCopies {
  async function git(folder: string, ...args: string[]): Promise<string> {
    const ran = await world.git(folder, ...args)
    if (ran.code !== 0) throw new Error(`git ${args.join(' ')}: ${ran.stderr}`)
    return ran.stdout.trim()
  }

  async function commit(folder: string, files: Record<string, string>): Promise<void> {
    for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content)
    await git(folder, 'add', '--all')
    await git(folder, 'commit', '--quiet', '--message', `change ${Object.keys(files).join(', ')}`)
  }

  return {
    git,
    commit,
    async make(name, policy) {
      const folder = join(world.folder, name)
      await mkdir(folder)
      await git(folder, 'init', '--quiet', '--initial-branch=main')
      await commit(folder, { '.switchyard.yaml': policy, 'check.sh': 'true\n' })
      return folder
    },
    async pushBranch(folder, name, check) {
      await git(folder, 'fetch', '--quiet', 'switchyard')
      await git(folder, 'switch', '--quiet', '--no-track', '--create', name, 'switchyard/main')
      await commit(folder, { [`${name}.txt`]: `${name}\n`, ...(check === undefined ? {} : { 'check.sh': check }) })
      await git(folder, 'push', '--quiet', 'switchyard', name)
    },
  }
}
