import {
  condition,
  defineSignal,
  defineUpdate,
  getExternalWorkflowHandle,
  proxyActivities,
  setHandler,
} from '@temporalio/workflow'
import { taskQueue } from '#contracts/roles'
import type { BareInput, StepActivities } from './contract.ts'

const answer = defineUpdate<void, [{ value: string }]>('answer')
const answered = defineSignal<[{ value: string }]>('answered')

/** What a script would do for a question: it takes any answer, says it to who asked, and writes one row. */
export async function bareQuestion({ key, asker }: BareInput): Promise<void> {
  let given: string | null = null
  setHandler(answer, ({ value }) => {
    given ??= value
  })
  await condition(() => given !== null)
  await getExternalWorkflowHandle(asker).signal(answered, { value: given! })
  const { writeRow } = proxyActivities<StepActivities>({
    taskQueue: taskQueue('decision'),
    startToCloseTimeout: '1m',
  })
  await writeRow({ key, value: given! })
}

export async function bareAsker(): Promise<void> {
  let heard = false
  setHandler(answered, () => {
    heard = true
  })
  await condition(() => heard)
}
