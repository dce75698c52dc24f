import { isMet, tableOf, targetLine, type Report, type Target } from '../benchmark.ts'
import { median, rounded } from '../statistics.ts'

/** What an installation holds and does while nobody answers. `idle`: hundredths of a core; null where not known. */
export type Standing = { open: number; memoryKB: number; idle: { worker: number; server: number } | null }

/** Milliseconds from each answer to the step after it; answers each second of each round of a storm. */
export type Figures = {
  standing: { few: Standing; many: Standing }
  latency: { few: number[]; many: number[] }
  storm: { ours: number[]; bare: number[] }
}

/** The value that 99 in a hundred do not exceed. */
export function percentile99(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * 0.99) - 1)] ?? Number.NaN
}

export function reportOf({ standing, latency, storm }: Figures): Report {
  const { few, many } = standing
  const memory = rounded((many.memoryKB - few.memoryKB) / (many.open - few.open))
  const summary = (values: number[]) => ({ p50: rounded(median(values)), p99: rounded(percentile99(values)) })
  const ms = { few: summary(latency.few), many: summary(latency.many) }
  const drained = { ours: rounded(median(storm.ours)), bare: rounded(median(storm.bare)) }
  const targets: Target[] = [
    { name: `the worker's memory for each of ${many.open} open questions`, is: memory, atMost: 64, unit: 'KB' },
    ...idleTargets(standing),
    { name: `answer to next step, p50 with ${many.open} open`, is: ms.many.p50, atMost: 60, unit: 'ms' },
    { name: `answer to next step, p99 with ${many.open} open`, is: ms.many.p99, atMost: 200, unit: 'ms' },
    {
      ...{ name: `its p50, against that with ${few.open} open`, is: rounded(ms.many.p50 / ms.few.p50) },
      ...{ atMost: 1.25, unit: '×' },
    },
    // At least 70 % of what the bare workflow does.
    {
      ...{ name: 'a storm of answers: time of the bare workflow', is: rounded(drained.bare / drained.ours) },
      ...{ atMost: rounded(1 / 0.7), unit: '×' },
    },
  ]
  const met = targets.every(isMet)
  return {
    document: {
      benchmark: 'waits',
      standing,
      memoryKB: memory,
      answers: latency.few.length,
      ms,
      drained,
      targets,
      met,
    },
    text: [
      `Questions that wait; ${latency.few.length} answers timed at each size`,
      tableOf(['', `${few.open} open`, `${many.open} open`], rowsOf(standing, ms)),
      tableOf(
        ['a storm', 'answers/s'],
        [
          ['ours', drained.ours],
          ['bare Temporal workflow', drained.bare],
        ],
      ),
      ...targets.map(targetLine),
      '',
    ].join('\n'),
    met,
  }
}

/** What one that waits uses itself: a worker and a server that hold none poll and write, too. */
function idleTargets({ few, many }: Figures['standing']): Target[] {
  if (few.idle === null || many.idle === null) return []
  const more = sum(many.idle) - sum(few.idle)
  const name = `CPU of worker and server, more than with ${few.open} open`
  return [{ name, is: rounded(Math.max(0, more)), atMost: 1, unit: '% of a core' }]
}

type Times = Record<'few' | 'many', { p50: number; p99: number }>

function rowsOf({ few, many }: Figures['standing'], ms: Times): (string | number)[][] {
  const row = (name: string, of: (standing: Standing) => string | number) => [name, of(few), of(many)]
  return [
    row('memory of the worker, MB', ({ memoryKB }) => memoryKB / 1024),
    row('CPU of the worker, % of a core', ({ idle }) => idle?.worker ?? 'unknown'),
    row('CPU of the server, % of a core', ({ idle }) => idle?.server ?? 'unknown'),
    ['answer to next step, p50, ms', ms.few.p50, ms.many.p50],
    ['answer to next step, p99, ms', ms.few.p99, ms.many.p99],
  ]
}

const sum = ({ worker, server }: { worker: number; server: number }) => worker + server
