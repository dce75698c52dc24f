import { CancellationScope, condition, isCancellation, log, setHandler, workflowInfo } from '@temporalio/workflow'
import { answered, type AnsweredWord } from '#contracts/clarification'
import type { Role } from '#contracts/roles'
import type { Timings } from '#contracts/timings'
import { readOutcome } from '#domain/clarification/outcome'
import type { Asked } from '#domain/clarification/question'
import type { ClarificationOutcome } from '#domain/clarification/state'
import { clarificationActivities } from './proxies.ts'

/**
 * What a run hands to its successor: by key, the id of each question that may still be answered, and what came; and of
 * each whose outcome an answer that was on its way may replace.
 */
export type CarriedQuestions = {
  open: Record<string, string>
  outcomes: Record<string, ClarificationOutcome>
  replaceable?: Record<string, string>
}

/** A minute, where the forge is swept each half: a word that got lost costs so long, then twice as long, at most an hour. */
const SWEEPS_BEFORE_REREAD = 2
const MAX_SWEEPS_BEFORE_REREAD = 120

/**
 * What a workflow asks of people, each under a key of its own: asked twice, also after continue-as-new and a reset, it is
 * one question. Never a child: the answer comes as the signal `answered`, whose handler this is. A key that was cancelled
 * stays cancelled, but for an answer that a person gave before the question heard of it; to ask anew is to ask under
 * another key.
 */
export class Questions {
  private readonly timings: Timings
  private readonly role: Role
  private readonly open = new Set<string>()
  /** Their outcome was made here or remembered: it gives way to what a person was told to count. */
  private readonly replaceable = new Set<string>()
  private readonly ids = new Map<string, string>()
  private readonly outcomes = new Map<string, ClarificationOutcome>()
  private readonly asking = new Map<string, Promise<ClarificationOutcome | null>>()

  /** `role`: whose worker asks, which is that of the workflow. */
  constructor(timings: Timings, role: Role, carried: CarriedQuestions = { open: {}, outcomes: {} }) {
    this.timings = timings
    this.role = role
    for (const [set, ids] of [
      [this.open, carried.open],
      [this.replaceable, carried.replaceable ?? {}],
    ] as const) {
      for (const [key, id] of Object.entries(ids)) {
        set.add(key)
        this.ids.set(key, id)
      }
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
    this.replaceable.add(key)
    await this.activities().withdrawQuestion({ asker: this.asker(), key, reason })
  }

  /** For whoever ends: works within a workflow that is being cancelled, too. */
  async cancelAll(reason: string): Promise<void> {
    await CancellationScope.nonCancellable(async () => {
      await Promise.all([...this.open].map((key) => this.cancel(key, reason)))
    })
  }

  /** For whoever asks again and again: what came of it is of no use any more. Takes nothing back. */
  forget(key: string): void {
    for (const set of [this.open, this.replaceable, this.ids, this.outcomes]) set.delete(key)
  }

  /** What is just being asked is asked anew by the successor, which costs nothing. */
  carry(): CarriedQuestions {
    const idsOf = (keys: Set<string>) => Object.fromEntries([...this.ids].filter(([key]) => keys.has(key)))
    const replaceable = idsOf(this.replaceable)
    return {
      ...{ open: idsOf(this.open), outcomes: Object.fromEntries(this.outcomes) },
      ...(Object.keys(replaceable).length === 0 ? {} : { replaceable }),
    }
  }

  private async askOnce(key: string, asked: Asked): Promise<ClarificationOutcome | null> {
    this.open.add(key)
    const { id, outcome } = await this.activities().ensureClarification({ asker: this.asker(), key, question: asked })
    // Forgotten meanwhile.
    if (!this.open.has(key) && !this.outcomes.has(key)) return null
    this.ids.set(key, id)
    // Where an answer came by signal meanwhile, that is the newer word.
    if (outcome !== null && this.open.has(key)) {
      this.settle(key, outcome)
      if (outcome.remembered !== undefined) this.replaceable.add(key)
    }
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
    const read = readWord(word)
    if (read === null) return log.warn('a word that is no answer was dropped')
    const { id, key, outcome } = read
    const known = this.ids.get(key)
    const isAwaited = this.open.has(key) && (known === undefined || known === id)
    const isLate = this.replaceable.has(key) && known === id && outcome.state === 'answered'
    if (!isAwaited && !isLate) return log.info('an answer to what is not asked was dropped', { id })
    this.settle(key, outcome)
  }

  /** A parked question may still be answered; anything else is the end of it. */
  private settle(key: string, outcome: ClarificationOutcome): void {
    this.outcomes.set(key, outcome)
    this.replaceable.delete(key)
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
function readWord(word: unknown): AnsweredWord | null {
  if (typeof word !== 'object' || word === null) return null
  const { id, key, outcome: said } = word as Partial<Record<keyof AnsweredWord, unknown>>
  const outcome = readOutcome(said)
  return typeof id === 'string' && typeof key === 'string' && outcome !== null ? { id, key, outcome } : null
}
