import { condition, defineQuery, defineSignal, setHandler, sleep, upsertMemo } from '@temporalio/workflow'

export const hear = defineSignal('hear')
export const isListening = defineQuery<boolean>('isListening')

const QUIET_MS = 5_000

/** Does one thing where it heard nothing for a while, and another where it did. */
export async function listener(): Promise<'heard' | 'silent'> {
  let heard = false
  setHandler(hear, () => void (heard = true))
  setHandler(isListening, () => true)
  const inTime = await condition(() => heard, QUIET_MS)
  if (inTime) upsertMemo({ heard: true })
  else await sleep(1)
  await condition(() => heard)
  return inTime ? 'heard' : 'silent'
}
