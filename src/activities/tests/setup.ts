import { emptyFolder } from './folders.ts'
import { checkOut } from './checkout.ts'
import { planKept, problemOfPath, type KeptPath, type KeptPlan } from './kept.ts'
import type { CommandPolicy } from '#domain/policy'
import type { Verdict } from './outcome.ts'
import { runInSlot } from './run-in-slot.ts'
import type { RunContext } from './runner.ts'

/** The kept paths for a run, made now where the store has none; or the verdict of a `setup` that didn't make them. */
export async function prepareKept(
  context: RunContext,
  setup: string,
  keep: NonNullable<CommandPolicy['keep']>,
): Promise<Verdict | { kept: KeptPath[] }> {
  const { input, isolation } = context
  const bad = [keep.lockfile, ...keep.paths].map(problemOfPath).find((problem) => problem !== null)
  if (bad) return failed(`keep: ${bad}`)
  const plan = await planKept({ ...input, setup, keep, surroundings: isolation.surroundings })
  const found = await context.kept.find(plan)
  if (found) return { kept: found }
  input.onStage({ stage: 'waiting', pid: null })
  return context.kept.alone(plan, input.signal, () => findOrMake(context, setup, plan))
}

async function findOrMake(context: RunContext, setup: string, plan: KeptPlan): Promise<Verdict | { kept: KeptPath[] }> {
  const { input, slot } = context
  const found = await context.kept.find(plan)
  if (found) return { kept: found }
  input.onStage({ stage: 'checkout', pid: null })
  await checkOut(slot, input.gitDir, plan.madeAt, input.signal)
  const { verdict } = await runInSlot(context, { shell: setup, stage: 'setup', network: true, kept: [] })
  if (verdict.conclusion !== 'passed') return { ...verdict, reason: `setup: ${verdict.reason}` }
  const problem = await context.kept.store(plan, slot.tree)
  if (problem) return failed(problem)
  for (const folder of [slot.home, slot.temp]) await emptyFolder(folder)
  const made = await context.kept.find(plan)
  return made ? { kept: made } : failed('its kept paths were removed while it ended')
}

function failed(problem: string): Verdict {
  return { conclusion: 'failed', reason: `setup: ${problem}`, exitCode: null }
}
