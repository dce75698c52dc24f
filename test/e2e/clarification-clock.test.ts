import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { answer, clarificationStatus } from '#contracts/clarification'
import { completeQuestion, type Asked } from '#domain/clarification/question'
import type { clarification } from '../../src/workflows/clarification.ts'
import { eventually, patience } from '../support/crash-points.ts'
import { createInstallation, type TestInstallation } from '../support/installation.ts'
import { testServer } from '../support/server.ts'

const HOUR = 3_600_000
const MINUTE = 60_000
const LIMIT_MS = 60_000 * patience
/** What this machine's own clock and a task may differ by. */
const SLACK_MS = 30_000

/** A process whose clock is wrong from its beginning. */
function withClockOff(by: number): string {
  const code = `const Real = Date
globalThis.Date = class Date extends Real {
  constructor(...given) { if (given.length === 0) super(Real.now() + ${by}); else super(...given) }
  static now() { return Real.now() + ${by} }
}`
  return `--import data:text/javascript,${encodeURIComponent(code)}`
}

/** What a worker took for the time when it last said something. */
async function clockOf({ home }: TestInstallation): Promise<number | null> {
  const log = await readFile(join(home, 'logs', 'worker.log'), 'utf8')
  const [, time] = /.*"time":(\d+)/s.exec(log) ?? []
  return time === undefined ? null : Number(time)
}

describe.each([
  ['an hour ahead', HOUR],
  ['an hour behind', -HOUR],
])('a worker whose clock is %s', (name, by) => {
  let rig: TestInstallation
  beforeAll(async () => {
    rig = await createInstallation({
      ...{ server: 'own', name: name.replaceAll(' ', '-'), bundlePath: testServer().bundlePath, isolation: 'none' },
      ...{ repositories: [], fill: async () => undefined, env: { NODE_OPTIONS: withClockOff(by) } },
    })
    await rig.startWorkers()
    const clock = await eventually(
      () => clockOf(rig),
      LIMIT_MS,
      () => 'the worker said nothing',
    )
    expect(Math.abs(clock - Date.now() - by)).toBeLessThan(5 * MINUTE)
  })
  afterAll(() => rig?.remove())

  async function ask(key: string, ladder: Asked['ladder']): Promise<string> {
    const options = ['yes', 'no'].map((value) => ({ value, label: value }))
    const asked: Asked = { kind: 'question', title: `May ${key} go on?`, options, default: 'no', who: ['ann'] }
    const question = completeQuestion({ ...asked, ladder: { escalateTo: [['ben']], ...ladder } })
    const { workflowId } = await rig.connected.pipelines.ask({ asker: null, key, question, people: [] })
    return workflowId
  }

  test('reminds, escalates and gives up when the server says that it is time', async () => {
    const started = Date.now()
    const times = { remindAfter: 10 * MINUTE, escalateAfter: 30 * MINUTE, expiresAfter: 50 * MINUTE }
    const handle = rig.connected.client.workflow.getHandle<typeof clarification>(await ask('slow', times))
    const told = async () => {
      const { events } = await handle.fetchHistory()
      return (events ?? []).some((event) => event.activityTaskCompletedEventAttributes) ? events : null
    }
    const events = await eventually(told, LIMIT_MS, () => 'nobody was told')
    const timers = (events ?? []).map((event) => event.timerStartedEventAttributes).filter((timer) => timer != null)
    for (const { startToFireTimeout } of timers) {
      const wait = Number(startToFireTimeout?.seconds ?? 0) * 1_000
      expect(Math.abs(wait - times.remindAfter)).toBeLessThan(SLACK_MS)
    }
    expect(timers.length).toBeGreaterThan(0)
    const status = await handle.query(clarificationStatus)
    expect(status).toMatchObject({ state: 'open', who: ['ann'], next: { action: 'remind' } })
    expect(Math.abs(Date.parse(status.next!.at) - started - times.remindAfter)).toBeLessThan(SLACK_MS)
    await handle.executeUpdate(answer, { args: [{ by: 'ann', value: 'yes' }] })
    const outcome = await handle.result()
    expect(outcome).toMatchObject({ state: 'answered', value: 'yes' })
    expect(Math.abs(Date.parse(outcome.at) - Date.now())).toBeLessThan(SLACK_MS)
  })

  test('climbs a ladder of seconds rung by rung, and none too early', async () => {
    const times = { remindAfter: 1_000, escalateAfter: 2_000, expiresAfter: 3_500, atExpiry: 'default' as const }
    const handle = rig.connected.client.workflow.getHandle<typeof clarification>(await ask('quick', times))
    const outcome = await handle.result()
    expect(outcome).toMatchObject({ state: 'defaulted', value: 'no' })
    const { events } = await handle.fetchHistory()
    const at = (time: { seconds?: unknown; nanos?: number | null } | null | undefined) =>
      Number(time?.seconds ?? 0) * 1_000 + Number(time?.nanos ?? 0) / 1e6
    const start = at(events![0]!.eventTime)
    const told = (events ?? []).filter((event) => event.activityTaskScheduledEventAttributes)
    const names = told.map((event) => event.activityTaskScheduledEventAttributes!.activityType!.name)
    expect(names).toEqual(['tellPeople', 'tellPeople', 'tellPeople', 'recordOutcome'])
    const due = [0, times.remindAfter, times.escalateAfter, times.expiresAfter]
    const early = told.filter((event, index) => at(event.eventTime) - start < due[index]! - 50)
    expect(early).toEqual([])
  })
})
