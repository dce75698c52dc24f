import { chmod, mkdir } from 'node:fs/promises'
import { createLocalForge } from '#activities/forge/local'
import { openRepository } from '#activities/git/repository'
import { createFileLogStore } from '#activities/logs/files'
import { ConfigError, findInstallation, loadInstallation } from '#config/load'
import type { DatabaseLedger } from '#ledger/port'
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
  const { ledger, secrets } = await openStore(config.ledger, paths.home, env)
  const repositories = config.repositories.map(({ name, remote }) => ({ name, gitDir: remote }))
  const byName = new Map(repositories.map(({ name, gitDir }) => [name, openRepository(gitDir)]))
  const installation = {
    config,
    paths,
    ledger,
    logs: createFileLogStore(logsFolder(paths.home), { known: [...secretValues(env), ...secrets] }),
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

/** `secrets`: what logs never show. */
async function openStore(
  address: string,
  home: string,
  env: NodeJS.ProcessEnv,
): Promise<{ ledger: DatabaseLedger; secrets: string[] }> {
  if (address === 'sqlite') return { ledger: await openLedger(ledgerFile(home)), secrets: [] }
  // Its driver costs every command more than the embedded store takes to open.
  const { openPostgresLedger, passwordOf, withPassword } = await import('#ledger/postgres')
  const full = await withPassword(address, env)
  const password = passwordOf(full)
  return { ledger: await openPostgresLedger(full), secrets: password === null ? [] : [password] }
}
