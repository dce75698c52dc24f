import type { AuditEntry, LedgerTables } from '#ledger/port'
import { openRepository } from '../git/repository.ts'
import type { GitRepository } from '../git/port.ts'
import { createForge, type ForgeEffect, type Push } from './engine.ts'
import { createLocalRecords } from './local-records.ts'
import type { Forge } from './port.ts'
import { keepPrivate } from './private.ts'
import { spoolOf, takeSpool, type SpooledPush } from './spool.ts'

export { installHooks, type HookOptions } from './hook.ts'
export { seedLocalRepository, type SeedOptions } from './seed.ts'

export type LocalForgeOptions = {
  /** The ledger's database, which keeps the PRs: `SqliteLedger.tables`. */
  tables: LedgerTables
  repositories: { name: string; gitDir: string; /** As given to `installHooks`. */ spoolFile?: string }[]
  /** Branches that are never deleted, by the policy; `main` unless told. */
  protectedBranches?: (repo: string) => Promise<string[]> | string[]
  /** Where allowed direct pushes are recorded: `Ledger.appendAudit`. What is done to PRs is recorded with the deed. */
  audit?: (entry: AuditEntry) => Promise<void>
  now?: () => string
  /** Told of each effect right after it happened. */
  happened?: (effect: ForgeEffect) => void
}

/**
 * Pull requests on bare repositories of this machine: no account, no server, and never a working tree. Several
 * processes may use the same repositories and ledger at once.
 */
export function createLocalForge(options: LocalForgeOptions): Forge {
  const repositories = new Map<string, { git: GitRepository; spoolFile: string }>(
    options.repositories.map(({ name, gitDir, spoolFile }) => [
      name,
      { git: openRepository(gitDir), spoolFile: spoolFile ?? spoolOf(gitDir) },
    ]),
  )
  for (const { gitDir } of options.repositories) keepPrivate(gitDir)
  const audit = options.audit ?? (async () => undefined)
  return createForge({
    kind: 'local',
    records: createLocalRecords(options.tables),
    git: (repo) => repositories.get(repo)?.git ?? null,
    protectedBranches: options.protectedBranches ?? (() => ['main']),
    now: options.now ?? (() => new Date().toISOString()),
    happened: options.happened ?? (() => undefined),
    async takePushes(repo, store) {
      const spoolFile = repositories.get(repo)?.spoolFile
      if (!spoolFile) return
      await takeSpool(spoolFile, async (pushes) => {
        for (const push of pushes) if (push.direct) await audit(auditOf(repo, push, push.direct))
        await store(pushes.flatMap(toPush))
      })
    },
  })
}

function toPush({ ref, from, to, process }: SpooledPush): Push[] {
  if (!ref.startsWith('refs/heads/')) return []
  return [{ id: `push:${process}:${ref}:${from}..${to}`, branch: ref.slice('refs/heads/'.length) }]
}

function auditOf(repo: string, push: SpooledPush, direct: NonNullable<SpooledPush['direct']>): AuditEntry {
  const { ref, from, to, process } = push
  return {
    key: `direct:${repo}:${ref}:${from}..${to}:${process}`,
    at: direct.at,
    actor: direct.actor,
    action: 'branch.pushed-direct',
    repo,
    number: null,
    snapshotId: null,
    details: { branch: ref.slice('refs/heads/'.length), from, to },
  }
}
