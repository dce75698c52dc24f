import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker'
import { beforeAll, describe, expect, it } from 'vitest'
import * as pipelines from '#workflows/index'
import { testServer } from '../support/server.ts'
import { historiesFolder } from '../workflows/record.ts'

type Event = { activityTaskScheduledEventAttributes?: { activityType: { name: string } } }
type History = { events: Event[] }

const files = readdirSync(historiesFolder, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.json'))
  .sort()

function read(file: string): History {
  return JSON.parse(readFileSync(join(historiesFolder, file), 'utf8')) as History
}

function replay(history: History): Promise<void> {
  return Worker.runReplayHistory({ workflowBundle: { codePath: testServer().bundlePath } }, history)
}

beforeAll(() => {
  Runtime.install({
    logger: new DefaultLogger('ERROR', () => undefined),
    telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' }, forward: {} } },
  })
})

describe('recorded histories', () => {
  it.each(Object.keys(pipelines))('exist of %s', (pipeline) => {
    expect(files.filter((file) => file.startsWith(`${pipeline}/`))).not.toEqual([])
  })

  it.each(files)('%s replays on the current code', async (file) => {
    await replay(read(file))
  })

  it.each(files)('%s names no machine, folder or secret', (file) => {
    const texts = JSON.stringify(decoded(read(file)))
    expect(texts).not.toMatch(/\/(home|root|tmp|work|Users|var)\/|token|password|127\.0\.0\.1/)
    expect(Buffer.byteLength(texts)).toBeLessThan(512 * 1024)
  })

  it('are refused where the code would do something else', async () => {
    const history = read(files.find((file) => file.startsWith('pullRequest/'))!)
    const scheduled = history.events.find((event) => event.activityTaskScheduledEventAttributes)!
    scheduled.activityTaskScheduledEventAttributes!.activityType.name = 'takeAnotherLook'
    await expect(replay(history)).rejects.toThrow(/[Nn]ondeterminism|TMPRL1100/)
  })
})

/** The history with its payloads in clear. */
function decoded(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(decoded)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [
      key,
      key === 'data' && typeof part === 'string' ? Buffer.from(part, 'base64').toString('utf8') : decoded(part),
    ]),
  )
}
