import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type ServerPorts, LOOPBACK } from './ports.ts'
import type { ServerAddress } from './port.ts'
import { isAlive, type ProcessIdentity } from './process-identity.ts'

/** `server.json`: outlives the server, so that the next one takes the same ports and Web UI addresses stay valid. */
export type ServerRecord = { ports: ServerPorts; namespace: string; process: ProcessIdentity | null }

export type ServerFiles = { database: string; record: string; mutex: string; log: string }

export function serverFiles(home: string): ServerFiles {
  const folder = join(home, 'temporal')
  return {
    database: join(folder, 'server.db'),
    record: join(folder, 'server.json'),
    mutex: join(folder, 'start.lock'),
    log: join(home, 'logs', 'temporal-server.log'),
  }
}

/** Null when there is none, or it is not readable as one: it only saves work, so a broken one is as good as none. */
export async function readRecord(home: string): Promise<ServerRecord | null> {
  try {
    const record = JSON.parse(await readFile(serverFiles(home).record, 'utf8')) as ServerRecord
    return typeof record.ports?.grpc === 'number' && typeof record.namespace === 'string' ? record : null
  } catch {
    return null
  }
}

export async function writeRecord(home: string, record: ServerRecord): Promise<void> {
  const { record: path } = serverFiles(home)
  await mkdir(dirname(path), { recursive: true })
  const partial = `${path}.${process.pid}`
  await writeFile(partial, `${JSON.stringify(record, null, 2)}\n`)
  await rename(partial, path)
}

/** The process that the record names, if it is still the same one. */
export async function recordedProcess(record: ServerRecord | null): Promise<ProcessIdentity | null> {
  return record?.process && (await isAlive(record.process)) ? record.process : null
}

export function embeddedAddress({ ports, namespace }: ServerRecord, pid: number): ServerAddress {
  const address = `${LOOPBACK}:${ports.grpc}`
  return {
    kind: 'embedded',
    address,
    namespace,
    webUi: `http://${LOOPBACK}:${ports.ui}`,
    connection: { address },
    pid,
  }
}
