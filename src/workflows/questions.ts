import {
  CancellationScope,
  condition,
  isCancellation,
  log,
  patched,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow'
import { answered, progress, type AnsweredWord } from '#contracts/clarification'
import type { Role } from '#contracts/roles'
import type { Timings } from '#contracts/timings'
import { readOutcome, readSaid, type Said } from '#domain/clarification/outcome'
import type { Asked } from '#domain/clarification/question'
import type { Answer, ClarificationOutcome, Remark } from '#domain/clarification/state'
import type { Milliseconds } from '#domain/policy'
import { isRecord } from '#domain/record'
import { clarificationActivities } from './proxies.ts'

/**
 * What a run hands to its successor: by key, the id of each question that may still be answered, and what came; of each
 * whose outcome an answer that was on its way may replace; and what was said of those that are not settled.
 */
export type CarriedQuestions = {
  open: Record<string, string>
  outcomes: Record<string, ClarificationOutcome>
  replaceable?: Record<string, string>
  said?: Record<string, Said>
}

const SWEEPS_BEFORE_REREAD = 2
const MAX_SWEEPS_BEFORE_REREAD = 120

/**
 * How long until open questions are read again, where a word got lost: a minute where the forge is swept each half, then
 * twice as long as the `last` time, at most an hour.
 */
export function pauseBeforeReread({ sweep }: Timings, last: Milliseconds | null): Milliseconds {
  return last === null ? sweep * SWEEPS_BEFORE_REREAD : Math.min(last * 2, sweep * MAX_SWEEPS_BEFORE_REREAD)
}

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
  private readonly said = new Map<string, Said>()
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
    for (const [key, said] of Object.entries(carried.said ?? {})) this.said.set(key, said)
    setHandler(answered, (word) => this.hear(word), { description: 'What a person answered' })
    setHandler(progress, (word) => this.hearProgress(word), { description: 'What people said so far' })
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

  /** To a question that needs more of them, in their order; of one that is settled the outcome has them. */
  answers(key: string): Answer[] {
    return this.said.get(key)?.answers ?? []
  }

  /** What people said without answering, while it is not settled. */
  remarks(key: string): Remark[] {
    return this.said.get(key)?.remarks ?? []
  }

  /** Of the clarification; null until `ensure` has answered. */
  id(key: string): string | null {
    return this.ids.get(key) ?? null
  }

  /** Asks, and waits for the outcome for as long as that takes. `parked` is one: its asker may go on without. */
  async ask(key: string, asked: Asked): Promise<ClarificationOutcome> {
    let known = await this.ensure(key, asked)
    let wait = pauseBeforeReread(this.timings, null)
    while (known === null) {
      await condition(() => this.outcomes.has(key), wait)
      known = this.outcome(key) ?? (await this.reread(key, asked))
      wait = pauseBeforeReread(this.timings, wait)
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
    for (const set of [this.open, this.replaceable, this.ids, this.outcomes, this.said]) set.delete(key)
  }

  /** What is just being asked is asked anew by the successor, which costs nothing. */
  carry(): CarriedQuestions {
    const idsOf = (keys: Set<string>) => Object.fromEntries([...this.ids].filter(([key]) => keys.has(key)))
    const replaceable = idsOf(this.replaceable)
    return {
      ...{ open: idsOf(this.open), outcomes: Object.fromEntries(this.outcomes) },
      ...(Object.keys(replaceable).length === 0 ? {} : { replaceable }),
      ...(this.said.size === 0 ? {} : { said: Object.fromEntries(this.said) }),
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

  private hearProgress(word: unknown): void {
    const [named, said] = [readName(word), readSaid(word)]
    if (named === null || said === null) return log.warn('a word that says nothing was dropped')
    const { id, key } = named
    if (!this.open.has(key) || (this.ids.get(key) ?? id) !== id)
      return log.info('a word of what is not asked was dropped', { id })
    // Words may overtake one another, and nothing is unsaid.
    const isNews = said.answers.length + said.remarks.length > this.answers(key).length + this.remarks(key).length
    if (isNews && patched('progress-is-heard')) this.said.set(key, said)
  }

  /** A parked question may still be answered; anything else is the end of it. */
  private settle(key: string, outcome: ClarificationOutcome): void {
    this.outcomes.set(key, outcome)
    this.replaceable.delete(key)
    if (outcome.state === 'parked') return
    this.open.delete(key)
    this.said.delete(key)
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
  const named = readName(word)
  const outcome = named && readOutcome((word as { outcome?: unknown }).outcome)
  return outcome && { ...named!, outcome }
}

function readName(word: unknown): { id: string; key: string } | null {
  if (!isRecord(word)) return null
  const { id, key } = word
  return typeof id === 'string' && typeof key === 'string' ? { id, key } : null
}
