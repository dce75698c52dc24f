import { getCompileCacheDir } from 'node:module'
import { dirname } from 'node:path'
import type { CommandContext, ExitCode } from '../context.ts'
import { roles as allRoles } from '#contracts/roles'
import { usageError } from '../errors.ts'

/** `worker --roles a,b`: one worker process, until SIGTERM. */
export async function run({ cwd, env, flags }: CommandContext, input: { roles: string }): Promise<ExitCode> {
  // The threads and the helper that a worker starts know the compile cache by this variable only.
  const compiled = getCompileCacheDir()
  if (compiled !== undefined) process.env['NODE_COMPILE_CACHE'] ??= dirname(compiled)
  const { parseRoles, workerProcess } = await import('#workers/main')
  const roles = parseRoles(input.roles)
  if (roles === null) throw usageError(`unknown role in "${input.roles}"`, `The roles are ${allRoles.join(', ')}.`)
  await workerProcess({ cwd, env, roles, ...(flags.config === undefined ? {} : { configFlag: flags.config }) })
  return 0
}
