import { proxyActivities } from '@temporalio/workflow'
import { taskQueue } from '#contracts/roles'
import { Questions } from '../../src/workflows/questions.ts'
import { DAY, type AskerInput, type StepActivities } from './contract.ts'

/** Asks one question, and answers when the step after it began. */
export async function asker({ key, steps, timings }: AskerInput): Promise<number> {
  const questions = new Questions(timings, 'merge')
  const options = ['yes', 'no'].map((value) => ({ value, label: value }))
  const ladder = { remindAfter: DAY, expiresAfter: 7 * DAY }
  await questions.ask(key, { kind: 'question', title: `May ${key} go on?`, options, ladder })
  if (!steps) return 0
  const { startStep } = proxyActivities<StepActivities>({
    taskQueue: taskQueue('merge'),
    startToCloseTimeout: '1m',
  })
  return startStep()
}
