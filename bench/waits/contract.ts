import type { Timings } from '#contracts/timings'

/** Of the workflow `asker`, which asks one question as a pipeline does. `steps`: it has a step after the answer. */
export type AskerInput = { key: string; steps: boolean; timings: Timings }

/** Of the workflow `bareQuestion`, which a person answers; it tells the workflow `bareAsker`. */
export type BareInput = { key: string; asker: string }

/** What the worker of this benchmark can do besides. */
export type StepActivities = {
  /** The time at which the step began, in milliseconds by the clock. */
  startStep(): Promise<number>
  /** As the record of an answer: one entry of the audit trail. */
  writeRow(row: { key: string; value: string }): Promise<void>
}

/** The action of those entries. */
export const rowAction = 'bench.answered'

export const DAY = 86_400_000
