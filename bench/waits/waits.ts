import { rotate } from '../statistics.ts'
import type { Benchmark } from '../benchmark.ts'
import { inFolder } from '../surroundings.ts'
import { openIdle, stormOfBare, stormOfOurs, timedAnswers } from './questions.ts'
import { reportOf, type Figures } from './report.ts'
import { standing, withRig, type Rig } from './rig.ts'

const FEW = 10
/** A process that has just begun grows, whatever waits in it. */
const WARM_UP = 50
/** A small run is for looking whether it works: its figures say little. */
const sizesOf = (open: number) => ({
  answers: Math.min(300, Math.max(20, Math.ceil(open / 20))),
  storm: Math.min(200, Math.max(20, Math.ceil(open / 20))),
  rounds: open < 5_000 ? 2 : 4,
  idleMs: open < 5_000 ? 5_000 : 20_000,
})

export const waits: Benchmark = {
  about: 'questions that wait for people: memory, CPU, from an answer to the next step, and a storm of answers',
  options: { open: { fallback: '10000', max: 50_000, about: 'questions that are open' } },
  run: ({ open }, { say, signal }) =>
    inFolder((folder) =>
      withRig({ folder, say, signal }, async (rig) => reportOf(await measure(rig, Math.max(2 * FEW, open![0]!), say))),
    ),
}

async function measure(rig: Rig, open: number, say: (line: string) => void): Promise<Figures> {
  const { answers, storm, rounds, idleMs } = sizesOf(open)
  await stormOfOurs(rig, 'warm-up', WARM_UP)
  await stormOfBare(rig, 'warm-up', WARM_UP)
  await openIdle(rig, 0, FEW)
  const few = { latency: await timedAnswers(rig, 'few', answers), standing: await standing(rig, FEW, idleMs) }
  say(`opening ${open} questions …`)
  await openIdle(rig, FEW, open)
  const many = { standing: await standing(rig, open, idleMs), latency: await timedAnswers(rig, 'many', answers) }
  say(`${rounds} storms of ${storm} answers of each kind …`)
  const drained: Figures['storm'] = { ours: [], bare: [] }
  for (let round = 0; round < rounds; round += 1) {
    for (const lane of rotate(['ours', 'bare'] as const, round)) {
      const blow = lane === 'ours' ? stormOfOurs : stormOfBare
      drained[lane].push(await blow(rig, `${lane}-${round}`, storm))
    }
  }
  return {
    standing: { few: few.standing, many: many.standing },
    latency: { few: few.latency, many: many.latency },
    storm: drained,
  }
}
