import { CancellationScope, condition, isCancellation, log, setHandler, workflowInfo } from '@temporalio/workflow'
import { answered, type AnsweredWord } from '#contracts/clarification'
import type { Role } from '#contracts/roles'
import type { Timings } from '#contracts/timings'
import type { Asked } from '#domain/clarification/question'
import type { ClarificationOutcome } from '#domain/clarification/state'
import { clarificationActivities } from './proxies.ts'

/** What a run hands to its successor: by key, the id of each question that may still be answered, and what came. */
export type CarriedQuestions = { open: Record<string, string>; outcomes: Record<string, ClarificationOutcome> }

/** A minute, where the forge is swept each half: a word that got lost costs so long, then twice as long, at most an hour. */
const SWEEPS_BEFORE_REREAD = 2
const MAX_SWEEPS_BEFORE_REREAD = 120

/**
 * What a workflow asks of people, each under a key of its own: asked twice, also after continue-as-new and a reset, it is
 * one question. Never a child: the answer comes as the signal `answered`, whose handler this is. A key that was cancelled
 * stays cancelled; to ask anew is to ask under another key.
 */
export class Questions {
  private readonly timings: Timings
  private readonly role: Role
  private readonly open = new Set<string>()
  private readonly ids = new Map<string, string>()
  private readonly outcomes = new Map<string, ClarificationOutcome>()
  private readonly asking = new Map<string, Promise<ClarificationOutcome | null>>()

  /** `role`: whose worker asks, which is that of the workflow. */
  constructor(timings: Timings, role: Role, carried: CarriedQuestions = { open: {}, outcomes: {} }) {
    this.timings = timings
    this.role = role
    for (const [key, id] of Object.entries(carried.open)) {
      this.open.add(key)
      this.ids.set(key, id)
    }
    for (const [key, outcome] of Object.entries(carried.outcomes)) this.outcomes.set(key, outcome)
    setHandler(answered, (word) => this.hear(word), { description: 'What a person answered' })
  }

  /** Asks, if that was not done, and answers what is known; null: nobody answered yet. Does not wait for people. */
  async ensure(key: string, asked: Asked): Promise<ClarificationOutcome | null> {
    if (this.isSettled(key)) return this.outcome(key)
    const running = this.asking.get(key) ?? this.askOnce(key, asked).finally(() => this.asking.delete(key))
    this.asking.set(key, running)
    return running
  }

  /** What is known; `parked` may still become another. */
  outcome(key: string): ClarificationOutcome | null {
    return this.outcomes.get(key) ?? null
  }

  /** Of the clarification; null until `ensure` has answered. */
  id(key: string): string | null {
    return this.ids.get(key) ?? null
  }

  /** Asks, and waits for the outcome for as long as that takes. `parked` is one: its asker may go on without. */
  async ask(key: string, asked: Asked): Promise<ClarificationOutcome> {
    let known = await this.ensure(key, asked)
    let wait = this.timings.sweep * SWEEPS_BEFORE_REREAD
    while (known === null) {
      await condition(() => this.outcomes.has(key), wait)
      known = this.outcome(key) ?? (await this.reread(key, asked))
      wait = Math.min(wait * 2, this.timings.sweep * MAX_SWEEPS_BEFORE_REREAD)
    }
    return known
  }

  /** Takes a question back; whoever waits for it hears that it was cancelled. Nothing where it has ended. */
  async cancel(key: string, reason: string): Promise<void> {
    await this.asking.get(key)?.catch(() => undefined)
    if (!this.open.has(key)) return
    this.settle(key, {
      ...{ state: 'cancelled', value: null, by: [], comment: reason, answers: [] },
      at: new Date().toISOString(),
    })
    await this.activities().withdrawQuestion({ asker: this.asker(), key, reason })
  }

  /** For whoever ends: works within a workflow that is being cancelled, too. */
  async cancelAll(reason: string): Promise<void> {
    await CancellationScope.nonCancellable(async () => {
      await Promise.all([...this.open].map((key) => this.cancel(key, reason)))
    })
  }

  /** What is just being asked is asked anew by the successor, which costs nothing. */
  carry(): CarriedQuestions {
    const open = [...this.ids].filter(([key]) => this.open.has(key))
    return { open: Object.fromEntries(open), outcomes: Object.fromEntries(this.outcomes) }
  }

  private async askOnce(key: string, asked: Asked): Promise<ClarificationOutcome | null> {
    this.open.add(key)
    const { id, outcome } = await this.activities().ensureClarification({ asker: this.asker(), key, question: asked })
    this.ids.set(key, id)
    // Where an answer came by signal meanwhile, that is the newer word.
    if (outcome !== null && this.open.has(key)) this.settle(key, outcome)
    return this.outcome(key)
  }

  /** It was asked already: what fails now fails only to tell what came of it. */
  private async reread(key: string, asked: Asked): Promise<ClarificationOutcome | null> {
    try {
      return await this.ensure(key, asked)
    } catch (error) {
      if (isCancellation(error)) throw error
      log.warn('a question could not be read again', { key, reason: String(error) })
      return null
    }
  }

  private hear(word: unknown): void {
    if (!isAnsweredWord(word)) return log.warn('a word that is no answer was dropped')
    const { id, key, outcome } = word
    if (!this.open.has(key) || (this.ids.get(key) ?? id) !== id) {
      return log.info('an answer to what is not asked was dropped', { id })
    }
    this.settle(key, outcome)
  }

  /** A parked question may still be answered; anything else is the end of it. */
  private settle(key: string, outcome: ClarificationOutcome): void {
    this.outcomes.set(key, outcome)
    if (outcome.state !== 'parked') this.open.delete(key)
  }

  private isSettled(key: string): boolean {
    return this.outcomes.has(key) && !this.open.has(key)
  }

  private asker(): { workflowId: string } {
    return { workflowId: workflowInfo().workflowId }
  }

  private activities() {
    return clarificationActivities(this.role, this.timings)
  }
}

/** Anybody can signal a workflow anything. */
function isAnsweredWord(word: unknown): word is AnsweredWord {
  if (typeof word !== 'object' || word === null) return false
  const { id, key, outcome } = word as Partial<Record<keyof AnsweredWord, unknown>>
  return typeof id === 'string' && typeof key === 'string' && isOutcome(outcome)
}

const states: unknown[] = ['answered', 'defaulted', 'expired', 'parked', 'cancelled']

function isOutcome(outcome: unknown): boolean {
  if (typeof outcome !== 'object' || outcome === null) return false
  const { state, value, by, at, comment, answers } = outcome as Record<keyof ClarificationOutcome, unknown>
  const isText = typeof at === 'string' && typeof comment === 'string' && (value === null || typeof value === 'string')
  const isBy = Array.isArray(by) && by.every((each) => typeof each === 'string')
  return states.includes(state) && isText && isBy && Array.isArray(answers) && answers.every(isAnswer)
}

/** As far as an asker reads it. */
function isAnswer(answer: unknown): boolean {
  if (typeof answer !== 'object' || answer === null) return false
  const { by, value, comment } = answer as Record<'by' | 'value' | 'comment', unknown>
  return [by, value, comment].every((text) => typeof text === 'string')
}
