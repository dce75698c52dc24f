import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serverVariable } from '#installation/connect'

/** Nothing of the user's reaches a benchmark: no server, no profile, no git configuration, no installation. */
export function cleanEnvironment(): void {
  for (const name of Object.keys(process.env))
    if (/^(TEMPORAL_|GIT_|SWITCHYARD_(?!TEMPORAL_CLI$))/.test(name)) delete process.env[name]
  process.env['GIT_CONFIG_GLOBAL'] = '/dev/null'
  process.env['GIT_CONFIG_NOSYSTEM'] = '1'
  process.env[serverVariable] = 'embedded'
}

/** A folder of its own that is gone afterwards, however `work` ends. */
export async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'switchyard-bench-')))
  process.env['SWITCHYARD_HOME'] = join(folder, 'home')
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}
