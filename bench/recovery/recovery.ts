import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isMet, tableOf, targetLine, type Benchmark, type Report, type Target } from '../benchmark.ts'
import { withShop } from '../installation.ts'
import { median, rounded } from '../statistics.ts'
import { inFolder } from '../surroundings.ts'
import { killServer, killWorkerInCheck, killWorkerInLanding, type Scene } from './kills.ts'

const FILES = 200
/** Pull requests that a round uses up, at most. */
const PRS_A_ROUND = 14

/** Milliseconds after the kill: `first`, anything of the same kind went on; `past`, what was under way is done. */
export type Recovery = { first: number; past: number }

export const recovery: Benchmark = {
  about:
    'kill -9 of a worker in a check and in a landing, and of the server: until the first progress, until all is past it',
  options: { rounds: { fallback: '3', max: 20, about: 'kills of each kind; every figure is the median of them' } },
  run: ({ rounds: given }, { say, signal }) =>
    inFolder(async (folder) => {
      const rounds = given![0]!
      const gates = join(folder, 'gates')
      await mkdir(gates)
      const prs = rounds * PRS_A_ROUND
      return withShop({ folder, say }, { files: FILES, prs, policy: policy(gates) }, async (bench, { template }) => {
        const scene: Scene = { bench, repo: 'shop', gates, changes: [...template.changes], signal }
        const found = { check: [] as Recovery[], landing: [] as Recovery[], server: [] as Recovery[] }
        for (let round = 0; round < rounds; round += 1) {
          say(`round ${round + 1} of ${rounds}`)
          found.check.push(await killWorkerInCheck(scene))
          found.landing.push(await killWorkerInLanding(scene))
          found.server.push(await killServer(scene))
        }
        return reportOf(found)
      })
    }),
}

/** The test that takes the file `held` first waits, for a minute at most; every other passes at once, its retry too. */
function policy(gates: string): string {
  const wait = 'for i in $(seq 600); do sleep 0.1; done'
  const run = `if mv '${gates}/held' '${gates}/running' 2>/dev/null; then ${wait}; fi`
  return `version: 1\nchecks:\n  tests: { run: ${JSON.stringify(run)}, timeout: 5m }\nmerge: { method: merge }\n`
}

function reportOf(found: Record<'check' | 'landing' | 'server', Recovery[]>): Report {
  const middle = (kind: keyof typeof found, key: keyof Recovery) =>
    rounded(median(found[kind].map((each) => each[key])) / 1000)
  const targets: Target[] = [
    { name: 'a worker killed in a check: first progress', is: middle('check', 'first'), atMost: 3, unit: 's' },
    { name: 'a worker killed in a check: past the lost step', is: middle('check', 'past'), atMost: 15, unit: 's' },
    { name: 'a worker killed in a landing: first progress', is: middle('landing', 'first'), atMost: 3, unit: 's' },
    { name: 'a worker killed in a landing: past the lost step', is: middle('landing', 'past'), atMost: 15, unit: 's' },
    { name: 'the server killed: first progress', is: middle('server', 'first'), atMost: 10, unit: 's' },
  ]
  const met = targets.every(isMet)
  const rounds = found.check.length
  const rows = (Object.keys(found) as (keyof typeof found)[]).map((kind) => [
    kind,
    middle(kind, 'first'),
    middle(kind, 'past'),
  ])
  return {
    document: { benchmark: 'recovery', rounds, found, targets, met },
    text: [
      `Seconds after kill -9, median of ${rounds}`,
      tableOf(['killed in', 'first progress', 'past the lost step'], rows),
      ...targets.map(targetLine),
      '',
    ].join('\n'),
    met,
  }
}
