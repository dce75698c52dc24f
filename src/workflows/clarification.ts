/**
 * A question to people, from asked to answered:
 *  1. tells those who may answer, in the background
 *  2. waits for what they say; reminds, asks the next group, and at expiry takes the default, fails or is parked
 *  3. tells its asker the outcome, at once; and before that each answer where it needs several, and each comment
 *  4. records it: who, when, through what, with which context
 *  5. a parked question waits on, and does 3 and 4 again when it is answered after all
 */
import {
  CancellationScope,
  allHandlersFinished,
  condition,
  continueAsNew,
  isCancellation,
  patched,
} from '@temporalio/workflow'
import type { ClarificationInput } from '#contracts/clarification'
import { climbed, nextRung, skipped, type Rung } from '#domain/clarification/ladder'
import { isSettled, type ClarificationOutcome } from '#domain/clarification/state'
import { never } from '#domain/result'
import { handleMessages } from './clarification-messages.ts'
import { ClarificationRun, now } from './clarification-run.ts'

export async function clarification(input: ClarificationInput): Promise<ClarificationOutcome> {
  const run = new ClarificationRun(input)
  handleMessages(run)
  if (input.carried === undefined) run.tell('asked')
  try {
    await waitForPeople(run)
  } catch (error) {
    if (!isCancellation(error)) throw error
    run.cancel('its workflow was cancelled')
  }
  return CancellationScope.nonCancellable(() => finish(run))
}

async function waitForPeople(run: ClarificationRun): Promise<void> {
  while (!isSettled(run.state)) {
    run.tellProgress()
    if (run.mayHandOver()) await continueAsNew<typeof clarification>(run.carry())
    run.show()
    const { state } = run
    const rung = nextRung(state)
    const happened = await until(rung, () => run.state !== state || run.mayHandOver())
    if (rung !== null && !happened) await climb(run, rung)
  }
}

/**
 * Answers whether something happened before the rung was due. By a timer even where it is overdue: where a worker had
 * died, its successor was seen to go on at the time of the task before, so the clock decides nothing.
 */
async function until(rung: Rung | null, happened: () => boolean): Promise<boolean> {
  if (rung === null) {
    await condition(happened)
    return true
  }
  const left = Date.parse(rung.at) - Date.now()
  if (!patched('a-timer-for-each-rung') && left <= 0) return false
  return condition(happened, Math.max(1, left))
}

async function climb(run: ClarificationRun, rung: Rung): Promise<void> {
  const at = Date.now() < Date.parse(rung.at) ? rung.at : now()
  if (rung.action === 'remind' && run.skipsReminder()) {
    run.state = skipped(run.state, at)
    return
  }
  run.state = climbed(run.state, rung, at)
  switch (rung.action) {
    case 'remind':
      return run.tell('reminder')
    case 'escalate':
      return run.tell('escalation')
    case 'expire':
      return isSettled(run.state) ? undefined : park(run)
    default:
      return never(rung.action)
  }
}

async function park(run: ClarificationRun): Promise<void> {
  const told = run.tellAsker()
  run.record()
  run.tell('parked')
  await told
}

/** The asker's word comes first: somebody may wait for what it does next. */
async function finish(run: ClarificationRun): Promise<ClarificationOutcome> {
  run.stopTelling()
  const told = run.tellAsker()
  run.record()
  run.show()
  await told
  await condition(() => run.isRecorded() && allHandlersFinished())
  return run.state.outcome!
}
