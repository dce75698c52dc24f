import type { ConnectionOptions } from '@temporalio/client'

/** How to reach the installation's Temporal server. `embedded`: we run it; `external`: named by TEMPORAL_* or a profile. */
export type ServerAddress = {
  kind: 'embedded' | 'external'
  address: string
  namespace: string
  /** Base address of the Web UI, without a trailing slash; null for an external server. */
  webUi: string | null
  connection: ConnectionOptions
  /** Process id of the embedded server. */
  pid: number | null
}
