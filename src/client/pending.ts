import { maskedText } from '#domain/mask'
import type { Connected } from '#installation/installation'
import type { WorkflowExecutionDescription } from '@temporalio/client'
import type { Text } from './output.ts'

/** A step of a pipeline that has begun and not ended, as `why --json` and `view --json` show it. */
export type PendingActivity = {
  activity: string
  /** null where the server does not say it. */
  role: string | null
  state: 'scheduled' | 'started' | 'cancelling' | 'paused'
  attempt: number
  lastFailure: string | null
  /** Whether a worker polls the role now. */
  worker: boolean
}

type Raw = NonNullable<WorkflowExecutionDescription['raw']['pendingActivities']>[number]

const LONGEST_REASON = 1000

/** temporal.api.enums.v1.PendingActivityState */
const states: Partial<Record<number, PendingActivity['state']>> = {
  2: 'started',
  3: 'cancelling',
  4: 'paused',
  5: 'cancelling',
}

/** What the server says of a pipeline's steps; each role is asked for a worker once. */
export async function pendingActivities(connected: Connected, raw: readonly Raw[]): Promise<PendingActivity[]> {
  const polled = new Map<string, boolean>()
  for (const role of new Set(raw.map(roleOf))) {
    if (role !== null) polled.set(role, await connected.hasWorker(role))
  }
  return raw.map((each) => {
    const role = roleOf(each)
    return {
      activity: each.activityType?.name ?? '',
      role,
      state: states[each.state ?? 0] ?? 'scheduled',
      attempt: each.attempt ?? 1,
      lastFailure: each.lastFailure?.message ? shownReason(each.lastFailure.message) : null,
      worker: role === null || polled.get(role) === true,
    }
  })
}

/** A failure's message comes from anywhere: no secret and no escape sequence in it, and not endless. */
export function shownReason(message: string): string {
  return maskedText(message).slice(0, LONGEST_REASON)
}

export function pendingLines(pending: readonly PendingActivity[]): Text[][] {
  return pending.map(({ activity, role, state, attempt, lastFailure, worker }) => {
    const line: Text[] = [
      { text: '  step ', style: 'dim' },
      `${activity}  ${role ?? ''}  ${state}`,
      attempt > 1 ? `, attempt ${attempt}` : '',
    ]
    if (lastFailure !== null) line.push({ text: `, last failure: ${lastFailure}`, style: 'yellow' })
    if (state === 'scheduled' && !worker) {
      line.push({ text: `, no worker polls the role ${role}: switchyard up`, style: 'red' })
    }
    return line
  })
}

function roleOf({ activityOptions }: Raw): string | null {
  return activityOptions?.taskQueue?.name || null
}
