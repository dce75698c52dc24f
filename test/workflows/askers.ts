/** Every pipeline, and one that does nothing but ask: what any workflow may do with `Questions`. */
import {
  allHandlersFinished,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  isCancellation,
  setHandler,
} from '@temporalio/workflow'
import type { Timings } from '#contracts/timings'
import type { Asked } from '#domain/clarification/question'
import type { Answer, ClarificationOutcome, Remark } from '#domain/clarification/state'
import { Questions, type CarriedQuestions } from '#workflows/questions'

export * from '#workflows/index'

export type AskerInput = {
  timings: Timings
  asked: Record<string, Asked>
  /** It goes on waiting for an answer to what was parked. */
  patient?: boolean
  carried?: CarriedQuestions
}

export const handOver = defineSignal('handOver')
export const takeBack = defineSignal<[string]>('takeBack')
/** Forgets a question; the next run asks it anew. */
export const forget = defineSignal<[string]>('forget')
/** What it knows of each question, as of now. */
export const known =
  defineQuery<Record<string, { id: string | null; state: string | null; answers: Answer[]; remarks: Remark[] }>>(
    'known',
  )

export async function asker({
  timings,
  asked,
  patient = false,
  carried,
}: AskerInput): Promise<Record<string, ClarificationOutcome>> {
  const questions = new Questions(timings, 'pr-review', carried)
  let handingOver = false
  setHandler(handOver, () => void (handingOver = true))
  setHandler(takeBack, (key) => questions.cancel(key, 'it is of no use any more'))
  setHandler(forget, (key) => questions.forget(key))
  setHandler(known, () =>
    Object.fromEntries(
      Object.keys(asked).map((key) => [
        key,
        {
          ...{ id: questions.id(key), state: questions.outcome(key)?.state ?? null },
          ...{ answers: questions.answers(key), remarks: questions.remarks(key) },
        },
      ]),
    ),
  )
  try {
    const outcomes: Record<string, ClarificationOutcome> = {}
    let failure: unknown = null
    const waiting = Object.entries(asked).map(async ([key, each]) => {
      await questions.ask(key, each)
      if (patient) await condition(() => questions.outcome(key)!.state !== 'parked')
      outcomes[key] = questions.outcome(key)!
    })
    Promise.all(waiting).catch((error: unknown) => (failure = error))
    const count = Object.keys(asked).length
    await condition(() => handingOver || failure !== null || Object.keys(outcomes).length === count)
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- it is what was caught
    if (failure !== null) throw failure
    await condition(allHandlersFinished)
    if (Object.keys(outcomes).length === count) return outcomes
    return await continueAsNew<typeof asker>({ timings, asked, patient, carried: questions.carry() })
  } catch (error) {
    if (isCancellation(error)) await questions.cancelAll('its asker was aborted')
    throw error
  }
}
