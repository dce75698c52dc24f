import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { WorkflowHandle } from '@temporalio/client'
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js'

/** Histories by pipeline: `<pipeline>/<version that made it>-<what happened>.json`. */
export const historiesFolder = join(import.meta.dirname, '..', 'histories')

type Json = { events: unknown[] }

/**
 * Keeps the history of a run for the replay test, with `SWITCHYARD_RECORD=1` in the environment. What was recorded
 * once is what an installation may hold in its server, and is never written over.
 */
export async function record(pipeline: string, what: string, handle: WorkflowHandle): Promise<void> {
  if (process.env['SWITCHYARD_RECORD'] !== '1') return
  const { version } = JSON.parse(await readFile(join(import.meta.dirname, '../../package.json'), 'utf8')) as {
    version: string
  }
  const path = join(historiesFolder, pipeline, `${version}-${what}.json`)
  if (existsSync(path)) return
  const { events } = JSON.parse(historyToJSON(await handle.fetchHistory())) as Json
  await mkdir(join(historiesFolder, pipeline), { recursive: true })
  await writeFile(path, `{"events":[\n${events.map((event) => JSON.stringify(event)).join(',\n')}\n]}\n`)
}
