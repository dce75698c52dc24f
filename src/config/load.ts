import { constants } from 'node:fs'
import { access, readFile, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import type { InstallationPaths } from './installation.ts'
import { installationFileName, parseInstallation, type ParsedInstallation } from './installation-file.ts'
import { ConfigError, fileProblem } from './problems.ts'

export { addRepositoryToFile, removeRepositoryFromFile } from './edit.ts'
export { ConfigError, formatProblem, type ConfigProblem } from './problems.ts'

type Surroundings = { cwd: string; env: Record<string, string | undefined>; configFlag?: string | null | undefined }

/**
 * `switchyard.yaml` by `--config`, `SWITCHYARD_CONFIG`, upwards from `cwd`, or in the home folder; `file` is null where
 * there is none. Throws `ConfigError` where a file that was named is not there.
 */
export async function findInstallation({ cwd, env, configFlag }: Surroundings): Promise<InstallationPaths> {
  const home = homeFolder(cwd, env)
  if (configFlag) return { file: await namedFile(resolve(cwd, configFlag), '--config'), home }
  if (env.SWITCHYARD_CONFIG)
    return { file: await namedFile(resolve(cwd, env.SWITCHYARD_CONFIG), 'SWITCHYARD_CONFIG'), home }
  for (const folder of [...upwards(resolve(cwd)), home]) {
    const file = join(folder, installationFileName)
    if (await isFile(file)) return { file, home }
  }
  return { file: null, home }
}

/** `$SWITCHYARD_HOME`, else `switchyard` in the XDG data folder. Holds all state. */
export function homeFolder(cwd: string, env: Record<string, string | undefined>): string {
  if (env.SWITCHYARD_HOME) return resolve(cwd, env.SWITCHYARD_HOME)
  // The XDG specification says to ignore a relative path.
  const data = env.XDG_DATA_HOME && isAbsolute(env.XDG_DATA_HOME) ? env.XDG_DATA_HOME : null
  return join(data ?? join(env.HOME || homedir(), '.local', 'share'), 'switchyard')
}

/** Without a file, every default and no repositories. Never throws for what is in the file. */
export async function loadInstallation(paths: InstallationPaths): Promise<ParsedInstallation> {
  if (paths.file === null) return parseInstallation('', installationFileName, paths.home)
  try {
    return parseInstallation(await readFile(paths.file, 'utf8'), paths.file, paths.home)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === undefined) throw error
    return { ok: false, problems: [fileProblem(paths.file, `can't be read: ${code}`)] }
  }
}

async function namedFile(file: string, namedBy: string): Promise<string> {
  if (!(await isFile(file))) {
    throw new ConfigError([
      fileProblem(file, `there is no such file, but ${namedBy} names it`, 'make it with `switchyard init`'),
    ])
  }
  await access(file, constants.R_OK).catch((cause: NodeJS.ErrnoException) => {
    throw new ConfigError([fileProblem(file, `can't be read: ${cause.code ?? cause.message}`)])
  })
  return file
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  )
}

function upwards(folder: string): string[] {
  const parent = dirname(folder)
  return parent === folder ? [folder] : [folder, ...upwards(parent)]
}
