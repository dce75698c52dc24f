import { fileURLToPath } from 'node:url'
import { DefaultLogger, Runtime, bundleWorkflowCode } from '@temporalio/worker'
import { mergeQueueId } from '#contracts/ids'
import { roles } from '#contracts/roles'
import { locateServer } from '#installation/connect'
import { bundled } from '#workers/bundle'
import { runWorkers } from '#workers/run'
import { tableOf, targetLine, isMet, type Benchmark, type Report } from '../benchmark.ts'
import { withShop, type Bench } from '../installation.ts'
import { openPullRequest } from '../pull-requests.ts'
import { median, rotate, rounded } from '../statistics.ts'
import { inFolder } from '../surroundings.ts'
import type { Template } from '../template.ts'
import { landOne, type Landing, type Lane } from './lanes.ts'

const lanes: Lane[] = ['ours', 'plain']
const FILES = 100
const WARM_UP = 2
const AT_MOST = 1.2
const policy = 'version: 1\nchecks:\n  tests: { run: "true" }\nmerge: { method: merge }\n'

export const pipeline: Benchmark = {
  about: 'one PR from opened to landed with checks that do nothing, against a plain workflow with the same activities',
  options: { prs: { fallback: '30', max: 500, about: 'pull requests for each of the two' } },
  run: ({ prs }, { say, signal }) =>
    inFolder(async (folder) => {
      const count = prs![0]! + WARM_UP
      const landings = await withShop(
        { folder, say },
        { files: FILES, prs: 2 * count, policy },
        (bench, { template }) => withOwnWorkers(bench, () => landAll(bench, template, count, signal)),
        [],
      )
      return reportOf(landings)
    }),
}

/** Workers of this process, because theirs must know the plain workflow too; they hear of no PR by themselves. */
async function withOwnWorkers<T>({ installation, connected }: Bench, work: () => Promise<T>): Promise<T> {
  const workflowsPath = fileURLToPath(new URL('./workflows.ts', import.meta.url))
  const logger = new DefaultLogger('ERROR')
  Runtime.install({ logger })
  const deaf = { takeHints: async () => [] }
  const workers = await runWorkers({
    ...{ roles: [...roles], installation, pipelines: connected.pipelines, env: process.env },
    server: await locateServer(installation.paths.home, process.env),
    bundle: await bundleWorkflowCode({ ...bundled, workflowsPath, logger }),
    onError: (error) => {
      throw error
    },
    decorate: { tools: (tools) => ({ ...tools, forge: { ...tools.forge, ...deaf } }) },
  })
  try {
    return await work()
  } finally {
    await workers.drain()
  }
}

type Landings = Record<Lane, Landing[]> & { queueActivities: number }

async function landAll(bench: Bench, template: Template, count: number, signal: AbortSignal): Promise<Landings> {
  const landings: Record<Lane, Landing[]> = { ours: [], plain: [] }
  const left = [...template.changes]
  for (let round = 0; round < count; round += 1) {
    for (const lane of rotate(lanes, round)) {
      signal.throwIfAborted()
      const number = await openPullRequest(bench, 'shop', left.shift()!)
      landings[lane].push(await landOne(bench, lane, 'shop', number))
    }
  }
  const queue = bench.connected.client.workflow.getHandle(mergeQueueId('shop', 'main'))
  const { events } = await queue.fetchHistory()
  const inQueue = (events ?? []).filter((event) => event.activityTaskScheduledEventAttributes).length
  return { ...landings, queueActivities: inQueue / count }
}

function reportOf({ ours, plain, queueActivities }: Landings): Report {
  const times = (landings: Landing[]) => landings.slice(WARM_UP).map(({ ms }) => ms)
  const activities = { ours: ours.at(-1)!.activities + queueActivities, plain: plain.at(-1)!.activities }
  const ms = { ours: rounded(median(times(ours))), plain: rounded(median(times(plain))) }
  const ratio = rounded(ms.ours / ms.plain)
  const target = { name: 'ours against the plain workflow', is: ratio, atMost: AT_MOST, unit: '×' }
  const rows = (['ours', 'plain'] as const).map((lane) => [lane, ms[lane], activities[lane]])
  return {
    document: { benchmark: 'pipeline', prs: times(ours).length, ms, activities, ratio, target, met: isMet(target) },
    text: [
      `One pull request, opened to landed, median of ${times(ours).length}`,
      tableOf(['', 'ms', 'activities'], rows),
      targetLine(target),
      '',
    ].join('\n'),
    met: isMet(target),
  }
}
