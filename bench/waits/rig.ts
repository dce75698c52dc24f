import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { DefaultLogger, bundleWorkflowCode } from '@temporalio/worker'
import { supervise } from '#client/supervisor/supervisor'
import { bundled } from '#workers/bundle'
import { cpuTime } from '../cpu.ts'
import { residentMemory } from '../cost/memory.ts'
import { withInstallation, type Bench } from '../installation.ts'
import type { Standing } from './report.ts'

/** An installation whose one worker decides, and knows the workflows of this benchmark too. */
export type Rig = { bench: Bench; worker: () => number; server: () => number; signal: AbortSignal }

const READY_MS = 60_000
const file = (name: string) => fileURLToPath(new URL(name, import.meta.url))

export async function withRig<T>(
  { folder, say, signal }: { folder: string; say: (line: string) => void; signal: AbortSignal },
  work: (rig: Rig) => Promise<T>,
): Promise<T> {
  const codePath = join(folder, 'workflows.js')
  const { code } = await bundleWorkflowCode({
    workflowsPath: file('./workflows.ts'),
    ...bundled,
    logger: new DefaultLogger('ERROR'),
  })
  await writeFile(codePath, code)
  const home = join(folder, 'home')
  return withInstallation(
    home,
    [],
    say,
    async (bench) => {
      const env = { ...process.env, SWITCHYARD_HOME: home }
      const log = join(home, 'logs', 'waits.log')
      const spec = { name: 'waits', command: process.execPath, args: [file('./worker.ts'), codePath], env, log }
      const workers = supervise([spec])
      try {
        await workers.ready(READY_MS)
        const worker = () => workers.pid('waits')!
        const server = () => (bench.running.server.kind === 'embedded' ? bench.running.server.pid! : 0)
        return await work({ bench, worker, server, signal })
      } finally {
        await workers.stop()
      }
    },
    { workers: [] },
  )
}

const LOOK_MS = 1_000
/** Of a core, for so many looks in a row. */
const CALM = 0.05
const CALM_LOOKS = 3

/** Memory and CPU while nothing is due, over as many milliseconds; before, at most as long until all is calm. */
export async function standing({ worker, server, signal }: Rig, open: number, ms: number): Promise<Standing> {
  const use = async (during: number) => {
    const before = [cpuTime(worker()), cpuTime(server())]
    const start = performance.now()
    await delay(during, undefined, { signal })
    const elapsed = performance.now() - start
    const after = [cpuTime(worker()), cpuTime(server())]
    return after.map((time, index) => ((time ?? 0) - (before[index] ?? 0)) / elapsed)
  }
  for (let looks = 0, calm = 0; looks < ms / LOOK_MS && calm < CALM_LOOKS; looks += 1) {
    calm = (await use(LOOK_MS)).reduce((sum, each) => sum + each) < CALM ? calm + 1 : 0
  }
  const [ofWorker, ofServer] = await use(ms)
  const known = cpuTime() !== null
  return {
    open,
    memoryKB: await residentMemory([worker()]),
    idle: known ? { worker: ofWorker! * 100, server: ofServer! * 100 } : null,
  }
}
