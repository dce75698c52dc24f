import { setTimeout as delay } from 'node:timers/promises'
import { workerProcesses } from '#workers/roles'
import { isMet, tableOf, targetLine, type Benchmark, type Report } from '../benchmark.ts'
import { withShop, type Bench } from '../installation.ts'
import { openPullRequest } from '../pull-requests.ts'
import { median, rounded } from '../statistics.ts'
import { inFolder } from '../surroundings.ts'
import type { Change, Template } from '../template.ts'
import { residentMemory, sizeOnDisk } from './memory.ts'

const FILES = 500
const FEW = 10
const AT_MOST = 1.25
const POLL_MS = 3
const AT_ONCE = 8
const LIMIT_MS = 60_000
const policy = 'version: 1\nchecks:\n  tests: { run: "true" }\nmerge: { auto: false }\n'

export const cost: Benchmark = {
  about: 'one more PR with many open and idle, against the same with 10; and memory and disk per open PR',
  options: {
    open: { fallback: '1000', max: 5_000, about: 'pull requests that are open and idle' },
    more: { fallback: '20', max: 200, about: 'further ones that are timed, each at both sizes' },
  },
  run: ({ open, more }, { say, signal }) =>
    inFolder(async (folder) => {
      const [idle, timed] = [open![0]!, more![0]!]
      const prs = idle + 2 * timed
      say(`making a repository with ${prs} changes …`)
      return withShop({ folder, say }, { files: FILES, prs, policy }, async (bench, { template, home }) =>
        reportOf(await grow({ bench, template, home, open: idle, more: timed, say, signal })),
      )
    }),
}

type Growth = {
  bench: Bench
  template: Template
  home: string
  open: number
  more: number
  say: (line: string) => void
  signal: AbortSignal
}

type Figures = { open: number; few: number[]; many: number[]; memory: number[]; disk: number[] }

/** A PR costs the same however many lie idle: their number grows between two series of measurements, nothing else. */
async function grow(input: Growth): Promise<Figures> {
  const { bench, template, home, open, more, say } = input
  const left = [...template.changes]
  const take = (count: number) => left.splice(0, count)
  await openIdle(input, take(FEW))
  const few = await timeEach(input, take(more))
  const before = await footprint(bench, home)
  const missing = take(open - FEW - more)
  await openIdle(input, missing)
  say(`${open} pull requests are open`)
  const after = await footprint(bench, home)
  const many = await timeEach(input, take(more))
  const each = (key: 'memory' | 'disk') => (after[key] - before[key]) / missing.length
  return { open, few, many, memory: [before.memory, each('memory')], disk: [before.disk, each('disk')] }
}

async function openIdle(input: Growth, changes: Change[]): Promise<void> {
  const waiting = [...changes]
  const lane = async (): Promise<void> => {
    for (let change = waiting.shift(); change !== undefined; change = waiting.shift())
      await untilApproved(input, change)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
}

async function timeEach(input: Growth, changes: Change[]): Promise<number[]> {
  const times: number[] = []
  for (const change of changes) times.push(await untilApproved(input, change))
  return times
}

/** Milliseconds from the opening of a PR until its checks ran and its decision stands in the ledger. */
async function untilApproved({ bench, signal }: Growth, change: Change): Promise<number> {
  const { ledger } = bench.installation
  const start = performance.now()
  const number = await openPullRequest(bench, 'shop', change)
  while ((await ledger.decisions('shop', number))[0]?.outcome !== 'approve') {
    signal.throwIfAborted()
    if (performance.now() - start > LIMIT_MS) throw new Error(`#${number} was not approved in ${LIMIT_MS / 1000} s`)
    await delay(POLL_MS)
  }
  return performance.now() - start
}

async function footprint({ running }: Bench, home: string): Promise<{ memory: number; disk: number }> {
  const workers = workerProcesses.map(({ name }) => running.workers.pid(name)!)
  const server = running.server.kind === 'embedded' ? [running.server.pid!] : []
  return { memory: await residentMemory([...workers, ...server]), disk: await sizeOnDisk(home) }
}

function reportOf({ open, few, many, memory, disk }: Figures): Report {
  const ms = { few: rounded(median(few)), many: rounded(median(many)) }
  const ratio = rounded(ms.many / ms.few)
  const target = { name: `one more PR with ${open} open, against ${FEW}`, is: ratio, atMost: AT_MOST, unit: '×' }
  const perOpen = { memoryKB: rounded(memory[1]!), diskKB: rounded(disk[1]!) }
  const rows = [
    [`one more PR with ${FEW} open, ms`, ms.few],
    [`one more PR with ${open} open, ms`, ms.many],
    ['memory per open PR, all processes, KB', perOpen.memoryKB],
    ['disk per open PR, KB', perOpen.diskKB],
  ]
  return {
    document: { benchmark: 'cost', open, timed: few.length, ms, ratio, perOpen, target, met: isMet(target) },
    text: [
      `Open and idle pull requests, median of ${few.length}`,
      tableOf(['', ''], rows),
      targetLine(target),
      '',
    ].join('\n'),
    met: isMet(target),
  }
}
