import { mkdir, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { exclusively } from '#server/mutex'
import { identifyProcess, isAlive, type ProcessIdentity } from '#server/process-identity'

/** `<home>/run/up.json`: which `up` runs this installation. */
export type UpRecord = {
  process: ProcessIdentity
  /** ISO 8601, UTC. */
  startedAt: string
  /** Whatever the holder tells those who find it, such as the Web UI's address. */
  details: Record<string, string>
}

export type FoundUp = { state: 'alive' | 'stale'; record: UpRecord }

export type UpLock = {
  acquired: true
  update(details: Record<string, string>): Promise<void>
  release(): Promise<void>
}

/** The `up` of this home: alive, or left behind by a process that died. Null when there is none. */
export async function readUp(home: string): Promise<FoundUp | null> {
  const record = await readRecord(home)
  if (!record) return null
  return { state: (await isAlive(record.process)) ? 'alive' : 'stale', record }
}

/** One `up` per home: takes the lock, also from a dead holder, or says who holds it. */
export async function lockUp(home: string): Promise<UpLock | { acquired: false; holder: UpRecord }> {
  await mkdir(join(home, 'run'), { recursive: true })
  const root = await realpath(home)
  return exclusively(join(root, 'run', 'up.lock'), 10_000, async () => {
    const found = await readUp(root)
    if (found?.state === 'alive') return { acquired: false, holder: found.record }
    const self = await identifyProcess(process.pid)
    if (!self) throw new Error(`process ${process.pid} can't see itself: neither /proc nor ps tells its start time`)
    const record: UpRecord = { process: self, startedAt: new Date().toISOString(), details: {} }
    await writeRecord(root, record)
    return {
      acquired: true,
      update: (details) => writeRecord(root, { ...record, details }),
      release: () => rm(recordPath(root), { force: true }),
    }
  })
}

/** Takes away what a dead `up` left. A living one's is kept. */
export async function clearStaleUp(home: string): Promise<void> {
  if ((await readUp(home)) === null) return
  await exclusively(join(await realpath(home), 'run', 'up.lock'), 10_000, async () => {
    if ((await readUp(home))?.state === 'stale') await rm(recordPath(home), { force: true })
  })
}

const recordPath = (home: string): string => join(home, 'run', 'up.json')

async function readRecord(home: string): Promise<UpRecord | null> {
  try {
    const record = JSON.parse(await readFile(recordPath(home), 'utf8')) as UpRecord
    return typeof record.process?.pid === 'number' ? record : null
  } catch {
    return null
  }
}

async function writeRecord(home: string, record: UpRecord): Promise<void> {
  const partial = `${recordPath(home)}.${process.pid}`
  await writeFile(partial, `${JSON.stringify(record, null, 2)}\n`)
  await rename(partial, recordPath(home))
}
