import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { initBareRepository } from '#activities/git/bare'
import { tableOf, type Benchmark, type Report } from '../benchmark.ts'
import { withInstallation } from '../installation.ts'
import { median, rotate, rounded } from '../statistics.ts'
import { inFolder } from '../surroundings.ts'

const main = fileURLToPath(new URL('../../src/client/main.ts', import.meta.url))

/** Two floors: no command is faster than Node itself, and none that speaks to Temporal faster than its client. */
const lanes = {
  node: ['--eval', '0'],
  client: ['--input-type=module', '--eval', "await import('@temporalio/client')"],
  help: [main, '--help'],
  status: [main, 'status'],
} satisfies Record<string, string[]>

type Lane = keyof typeof lanes

export const cli: Benchmark = {
  about: '`--help` and `status` of a running installation, against bare Node and importing the Temporal client',
  options: { rounds: { fallback: '20', max: 1_000, about: 'runs of each; every figure is the median of them' } },
  run: ({ rounds }, { say, signal }) =>
    inFolder(async (folder) => {
      const gitDir = join(folder, 'home', 'forge', 'shop.git')
      await initBareRepository(gitDir, { defaultBranch: 'main' })
      return withInstallation(join(folder, 'home'), [{ name: 'shop', gitDir }], say, async () => {
        const found = Object.fromEntries(Object.keys(lanes).map((lane) => [lane, [] as number[]]))
        for (let round = -1; round < rounds![0]!; round += 1) {
          for (const lane of rotate(Object.keys(lanes) as Lane[], Math.max(0, round))) {
            signal.throwIfAborted()
            const ms = await timed(lanes[lane])
            // The first round fills the caches.
            if (round >= 0) found[lane]!.push(ms)
          }
        }
        return reportOf(found as Record<Lane, number[]>)
      })
    }),
}

async function timed(args: string[]): Promise<number> {
  const start = performance.now()
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}`)
  return performance.now() - start
}

function reportOf(found: Record<Lane, number[]>): Report {
  const ms = Object.fromEntries(Object.entries(found).map(([lane, times]) => [lane, rounded(median(times))]))
  const ratio = (lane: Lane, to: Lane) => rounded(ms[lane]! / ms[to]!)
  const names: Record<Lane, string> = {
    node: 'node, nothing else',
    client: 'node, importing the Temporal client',
    help: 'switchyard --help',
    status: 'switchyard status',
  }
  const rows = (Object.keys(lanes) as Lane[]).map((lane) => {
    return [names[lane], ms[lane]!, `${ratio(lane, 'node')} ×`, `${ratio(lane, 'client')} ×`]
  })
  return {
    document: { benchmark: 'cli', rounds: found.node.length, ms, met: true },
    text: [
      `One command, median of ${found.node.length}`,
      tableOf(['', 'ms', 'of bare Node', 'of the client'], rows),
      '',
    ].join('\n'),
    met: true,
  }
}
