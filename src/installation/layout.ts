import { join } from 'node:path'

/** Where an installation's home keeps what. */
export const ledgerFile = (home: string): string => join(home, 'ledger.db')
export const logsFolder = (home: string): string => join(home, 'logs', 'checks')
export const workerLog = (home: string, name: string): string => join(home, 'logs', `worker-${name}.log`)
