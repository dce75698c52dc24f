import type { historyFromJSON } from '@temporalio/common/lib/proto-utils.js'
import { median } from '../statistics.ts'

type History = ReturnType<typeof historyFromJSON>
type HistoryEvent = NonNullable<History['events']>[number]
type Time = HistoryEvent['eventTime']

/**
 * Where a landing's time goes, in milliseconds, each the median: per activity from its scheduling to its start
 * (`dispatch`) and from there to its end (`run`); `between` the end of an activity and the scheduling of the next.
 */
export type Parts = {
  activities: Record<string, { count: number; dispatch: number; run: number }>
  between: number
  events: number
}

export function partsOf(history: History): Parts {
  const events = history.events ?? []
  const names = new Map<string, { name: string; scheduled: number; started: number }>()
  const found = new Map<string, { dispatch: number[]; run: number[] }>()
  const between: number[] = []
  let lastEnd: number | null = null
  for (const event of events) {
    const scheduled = event.activityTaskScheduledEventAttributes
    const started = event.activityTaskStartedEventAttributes
    const completed = event.activityTaskCompletedEventAttributes
    const at = millis(event.eventTime)
    if (scheduled) {
      names.set(String(event.eventId), { name: scheduled.activityType?.name ?? '', scheduled: at, started: at })
      if (lastEnd !== null) between.push(at - lastEnd)
      lastEnd = null
    }
    if (started) names.get(String(started.scheduledEventId))!.started = at
    if (completed) {
      const one = names.get(String(completed.scheduledEventId))!
      const times = found.get(one.name) ?? { dispatch: [], run: [] }
      times.dispatch.push(one.started - one.scheduled)
      times.run.push(at - one.started)
      found.set(one.name, times)
      lastEnd = at
    }
  }
  const activities = Object.fromEntries(
    [...found].map(([name, { dispatch, run }]) => [
      name,
      { count: run.length, dispatch: median(dispatch), run: median(run) },
    ]),
  )
  return { activities, between: median(between), events: events.length }
}

function millis(time: Time): number {
  return Number(time?.seconds ?? 0) * 1000 + (time?.nanos ?? 0) / 1e6
}
