import { resolve } from 'node:path'
import type { CommandContext, ExitCode } from '../context.ts'
import { allOrNothing, chooseTarget, register, remoteName, type Seed } from '../register.ts'
import { seedLocalForge } from '../seed.ts'

export type RepositoryAdd = { folder: string; name?: string; base?: string }

export async function run(
  context: CommandContext,
  input: RepositoryAdd,
  seed: Seed = seedLocalForge,
): Promise<ExitCode> {
  const { folder, ...wanted } = input
  const target = await chooseTarget(context, resolve(context.cwd, folder), wanted)
  const made = await allOrNothing((undo) => register(context, target, seed, undo))
  const { name, base, gitDir } = target
  context.output.line(
    made.length === 0
      ? `${name} was there already.`
      : `Added ${name}; its branches are pushed to the remote ${remoteName}.`,
  )
  context.output.document({ repo: name, base, remote: { name: remoteName, url: gitDir }, made })
  return 0
}
