import type { Forge } from '#activities/forge/port'
import type { GitRepository } from '#activities/git/port'
import type { LogStore } from '#activities/logs/port'
import type { Pipelines } from '#activities/pipelines/port'
import type { InstallationConfig, InstallationPaths } from '#config/installation'
import type { Ledger } from '#ledger/port'
import type { Client } from '@temporalio/client'

/**
 * One running Switchyard: its configuration and the stores and vendors that it names. Opened by the command line and
 * by each worker process; needs no Temporal server.
 */
export type Installation = {
  config: InstallationConfig
  paths: InstallationPaths
  ledger: Ledger
  forge: Forge
  logs: LogStore
  /** The bare repository with the objects of `repo`. Throws for a name that is not in `switchyard.yaml`. */
  repository(repo: string): GitRepository
  close(): Promise<void>
}

/** A connection to the installation's Temporal server. */
export type Connected = {
  client: Client
  pipelines: Pipelines
  namespace: string
  address: string
  /** The address of a workflow's page in the Web UI; null where no UI is known. */
  webUrl(workflowId: string, runId?: string): string | null
  /** Whether a worker polls this role's task queue now. */
  hasWorker(role: string): Promise<boolean>
  close(): Promise<void>
}
