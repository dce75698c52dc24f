import type { InstallationPaths } from '#config/installation'
import type { CommandContext } from './context.ts'

/** Where the installation is; its configuration is read and its ledger opened, so that what is wrong is said now. */
export async function installationPaths({
  cwd,
  env,
  flags,
  openInstallation,
}: CommandContext): Promise<InstallationPaths> {
  const configFlag = flags.config === undefined ? {} : { configFlag: flags.config }
  const installation = await openInstallation({ cwd, env, ...configFlag })
  await installation.close()
  return installation.paths
}
