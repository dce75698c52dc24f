import type { CommandOutcome } from '#activities/tests/port'
import type { CheckConclusion, Finding } from '#domain/evidence'
import { until } from './until.ts'

export type Answer = {
  conclusion: Exclude<CheckConclusion, 'interrupted'>
  reason: string
  findings?: Finding[]
  /** Of a command: what its own report says. */
  report?: CommandOutcome['report']
}

export const passed: Answer = { conclusion: 'passed', reason: 'exit code 0' }
export const red: Answer = { conclusion: 'failed', reason: 'exit code 1' }
export const broken: Answer = { conclusion: 'infrastructure', reason: 'no space left on the disk' }

/** One run of a check, as the tool that ran it saw it. */
export class ScriptedRun {
  /** What was checked: the commit under test, or the head of a range. */
  readonly subject: string
  state: 'running' | 'finished' | 'aborted' = 'running'
  readonly #ended = Promise.withResolvers<Answer>()

  constructor(subject: string, signal: AbortSignal) {
    this.subject = subject
    signal.addEventListener('abort', () => {
      if (this.state !== 'running') return
      this.state = 'aborted'
      this.#ended.reject(signal.reason as Error)
    })
  }

  finish(answer: Answer): void {
    if (this.state === 'running') this.state = 'finished'
    this.#ended.resolve(answer)
  }

  get ended(): Promise<Answer> {
    return this.#ended.promise
  }
}

/** A check whose end a test decides. Passes at once unless told otherwise. */
export class ScriptedCheck {
  readonly runs: ScriptedRun[] = []
  /** Says how a run ends; `hold` leaves that to `finish`; a throw is a fault of the tool. */
  answer: (run: ScriptedRun) => Answer | 'hold' = () => passed

  async run(subject: string, signal: AbortSignal): Promise<Answer> {
    const run = new ScriptedRun(subject, signal)
    this.runs.push(run)
    const answer = this.answer(run)
    if (answer !== 'hold') run.finish(answer)
    return run.ended
  }

  hold(): void {
    this.answer = () => 'hold'
  }

  /** Answers as given, once each in order; then as the last. */
  answers(...given: (Answer | 'hold')[]): void {
    const left = [...given]
    this.answer = () => (left.length > 1 ? left.shift()! : left[0]!)
  }

  /** The run that is the nth of all, once it has started. */
  async started(nth: number): Promise<ScriptedRun> {
    await until(`run ${nth} of the check`, () => this.runs.length >= nth)
    return this.runs[nth - 1]!
  }
}
