import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Sha } from '#domain/pull-request'
import { importBranch, initBareRepository } from '../git/repository.ts'
import { installHooks } from './hook.ts'
import { keepPrivate, OWNER_ONLY } from './private.ts'

export type SeedOptions = {
  /** The installation's folder; the repository becomes `forge/<name>.git` in it. */
  home: string
  name: string
  /** A repository on this machine: its top folder or its git directory. */
  fromRepo: string
  branch: string
  /** The seeded branch alone unless told. */
  protectedBranches?: string[]
}

/** Makes the local forge's repository and brings a branch into it, fast-forward only. Idempotent. */
export async function seedLocalRepository(options: SeedOptions): Promise<{ gitDir: string; sha: Sha }> {
  const { home, name, fromRepo, branch } = options
  if (!/^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(name)) {
    throw new Error(`${JSON.stringify(name)} can't name a repository: use letters, digits, ".", "_" and "-".`)
  }
  const gitDir = join(resolve(home), 'forge', `${name}.git`)
  if (!existsSync(fromRepo)) throw new Error(`There is no repository at ${fromRepo}.`)
  await mkdir(dirname(gitDir), { recursive: true, mode: OWNER_ONLY })
  keepPrivate(dirname(gitDir))
  await initBareRepository(gitDir, { defaultBranch: branch })
  keepPrivate(gitDir)
  const sha = await importBranch(gitDir, fromRepo, branch)
  await installHooks(gitDir, { repo: name, protectedBranches: options.protectedBranches ?? [branch] })
  return { gitDir, sha }
}
