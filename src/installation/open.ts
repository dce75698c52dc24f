import { chmod, mkdir } from 'node:fs/promises'
import { createLocalForge } from '#activities/forge/local'
import { openRepository } from '#activities/git/repository'
import { createFileLogStore } from '#activities/logs/files'
import { ConfigError, findInstallation, loadInstallation } from '#config/load'
import { openLedger } from '#ledger/sqlite'
import type { Installation } from './installation.ts'
import { ledgerFile, logsFolder } from './layout.ts'
import { createPolicyReader } from './policies.ts'
import { protectedBranches } from './protected-branches.ts'
import { secretValues } from './secret-values.ts'

export type Surroundings = { cwd: string; env: NodeJS.ProcessEnv; configFlag?: string }

/**
 * Opens the installation that a command or worker belongs to.
 * @throws ConfigError when its file is missing or wrong, LedgerError when the store can't be opened
 */
export async function openInstallation({ cwd, env, configFlag }: Surroundings): Promise<Installation> {
  const paths = await findInstallation({ cwd, env, ...(configFlag === undefined ? {} : { configFlag }) })
  const loaded = await loadInstallation(paths)
  if (!loaded.ok) throw new ConfigError(loaded.problems)
  const { config } = loaded
  // It holds the ledger, the forge and the server's database: nobody else's to read.
  await mkdir(paths.home, { recursive: true, mode: 0o700 })
  await chmod(paths.home, 0o700)
  const ledger = await openLedger(ledgerFile(paths.home))
  const repositories = config.repositories.map(({ name, remote }) => ({ name, gitDir: remote }))
  const byName = new Map(repositories.map(({ name, gitDir }) => [name, openRepository(gitDir)]))
  const installation = {
    config,
    paths,
    ledger,
    logs: createFileLogStore(logsFolder(paths.home), { known: secretValues(env) }),
    repository(repo: string) {
      const repository = byName.get(repo)
      if (repository === undefined)
        throw new Error(`no repository "${repo}" in this installation: ${[...byName.keys()].join(', ')}`)
      return repository
    },
    close: () => ledger.close(),
  }
  const policies = createPolicyReader(installation)
  const forge = createLocalForge({
    tables: ledger.tables,
    repositories,
    protectedBranches: (repo) => protectedBranches(repo, installation.repository(repo), policies),
    audit: (entry) => ledger.appendAudit(entry),
  })
  return { ...installation, forge }
}
