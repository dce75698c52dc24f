import {
  CancellationScope,
  allHandlersFinished,
  getExternalWorkflowHandle,
  isCancellation,
  log,
  patched,
  setCurrentDetails,
  upsertMemo,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow'
import {
  answered,
  outcomeMemo,
  progress,
  viewMemo,
  type ClarificationInput,
  type ClarificationStatus,
} from '#contracts/clarification'
import { searchAttributePairs } from '#contracts/search-attributes'
import { nextRung, postponed } from '#domain/clarification/ladder'
import {
  isSettled,
  opened,
  settledBy,
  type ClarificationState,
  type OutcomeState,
  type Refusal,
} from '#domain/clarification/state'
import { viewOf } from '#domain/clarification/view'
import type { KnownPerson } from '#domain/people'
import type { Instant } from '#domain/pull-request'
import type { TellEvent } from '#activities/clarification/tell'
import { renderClarification } from './clarification-details.ts'
import { clarificationActivities, recordingActivities } from './proxies.ts'

/** The state of one question: what handlers write and the pipeline reads. */
export class ClarificationRun {
  readonly input: ClarificationInput
  /** Never changed in place: another state is another object. */
  state: ClarificationState
  private told: OutcomeState | null
  /** How much of what was said, in answers and comments, the asker was told. */
  private saidToAsker: number
  private refused: { what: string; refusal: Refusal } | null = null
  private shown = { memo: '', attributes: '' }
  private readonly notices = new CancellationScope()
  private telling = 0
  private reminding = 0
  private recording = 0

  constructor(input: ClarificationInput) {
    const { question, people, carried } = input
    this.input = input
    this.state = carried?.state ?? opened(question, people, now())
    this.told = carried?.told ?? null
    this.saidToAsker = carried === undefined ? 0 : countOf(carried.state)
  }

  /** A reply that counts for nothing: nobody waits for that word, so it stands on the run's page. */
  refuse(what: string, refusal: Refusal): void {
    this.refused = { what, refusal }
    log.warn('a message was refused', { what, ...refusal })
    this.showDetails()
  }

  cancel(reason: string): void {
    if (isSettled(this.state)) return
    this.state = settledBy(this.state, { state: 'cancelled', value: null, comment: reason }, now())
  }

  /** Shows the state in lists and on the run's page, where it differs from what is shown. */
  show(): void {
    const view = viewOf(this.state)
    const memo = JSON.stringify(view)
    const { outcome } = this.state
    if (memo !== this.shown.memo) upsertMemo({ [viewMemo]: view, ...(outcome ? { [outcomeMemo]: outcome } : {}) })
    const { state, title, next } = view
    const attributes = {
      Phase: state,
      WaitingOn: isSettled(this.state) ? null : title,
      Deadline: next === null ? null : new Date(next.at),
    }
    const asText = JSON.stringify(attributes)
    if (asText !== this.shown.attributes) upsertSearchAttributes(searchAttributePairs(attributes))
    this.shown = { memo, attributes: asText }
    this.showDetails()
  }

  /** In the background: a target that is down holds up no answer. `to`: only these people. */
  tell(event: TellEvent, to: string[] | null = null): void {
    const count = event === 'reminder' ? 1 : 0
    this.reminding += count
    this.inBackground('people could not be told', () =>
      this.deliver(event, to).finally(() => (this.reminding -= count)),
    )
  }

  /** Who may answer now, at once: to tell them may take as long as a target is down. */
  delegated(to: string): void {
    if (patched('people-before-they-are-told')) {
      this.inBackground('people could not be looked up', () => this.findPeople())
    }
    this.tell('asked', [to])
  }

  stopTelling(): void {
    this.notices.cancel()
  }

  /** Tells the asker the outcome, once for each. One that has ended needs no answer. */
  async tellAsker(): Promise<void> {
    const { asker, key } = this.input
    const { outcome } = this.state
    if (asker === null || outcome === null || this.told === outcome.state) return
    this.told = outcome.state
    try {
      const id = workflowInfo().workflowId
      await getExternalWorkflowHandle(asker.workflowId).signal(answered, { id, key, outcome })
    } catch (error) {
      if (isCancellation(error)) throw error
      log.info('the asker does not hear', { asker: asker.workflowId, reason: String(error) })
    }
  }

  /** Tells the asker what is said so far, once for all that came at once: it may do something about each answer. */
  tellProgress(): void {
    const { asker, key } = this.input
    const { answers, remarks } = this.state
    const count = countOf(this.state)
    if (asker === null || count === this.saidToAsker || !patched('progress-is-told')) return
    this.saidToAsker = count
    const word = { id: workflowInfo().workflowId, key, answers, remarks }
    this.telling += 1
    void CancellationScope.nonCancellable(() => getExternalWorkflowHandle(asker.workflowId).signal(progress, word))
      .catch((error: unknown) => log.info('the asker does not hear', { reason: String(error) }))
      .finally(() => (this.telling -= 1))
  }

  /** In the background, for as long as it takes. */
  record(): void {
    const { asker, key } = this.input
    const { question, delegations, remarks, outcome } = this.state
    if (outcome === null) return
    this.recording += 1
    void recordingActivities(this.input.timings)
      .recordOutcome({ id: workflowInfo().workflowId, key, asker, question, outcome, delegations, remarks })
      .catch((error: unknown) => log.error('an outcome could not be recorded', { reason: String(error) }))
      .finally(() => (this.recording -= 1))
  }

  isRecorded(): boolean {
    return this.recording === 0
  }

  /**
   * Whether a reminder is left out: one that hangs is not followed by another, and a run that is to hand over begins
   * nothing new. Each delivery ends with the last attempt of its activity.
   */
  skipsReminder(): boolean {
    const isBusy = this.reminding > 0 || (this.telling > 0 && workflowInfo().continueAsNewSuggested)
    return isBusy && patched('reminders-in-turn')
  }

  /** Whether a successor would lose nothing, and its history is too long. */
  mayHandOver(): boolean {
    if (!workflowInfo().continueAsNewSuggested) return false
    return this.telling === 0 && this.recording === 0 && allHandlersFinished()
  }

  carry(): ClarificationInput {
    return { ...this.input, carried: { state: this.state, told: this.told } }
  }

  status(): ClarificationStatus {
    const { question, answers, remarks, delegations, outcome } = this.state
    const { context, contextDigest } = question
    return {
      ...viewOf(this.state),
      ...{ asker: this.input.asker?.workflowId ?? null, key: this.input.key, context, contextDigest },
      ...{ answers, remarks, delegations, outcome },
    }
  }

  private inBackground(problem: string, act: () => Promise<void>): void {
    this.telling += 1
    void this.notices
      .run(act)
      .catch((error: unknown) => {
        if (!isCancellation(error)) log.warn(problem, { reason: String(error) })
      })
      .finally(() => (this.telling -= 1))
  }

  private async findPeople(): Promise<void> {
    const { question, delegations } = this.state
    const people = await clarificationActivities('decision', this.input.timings).findPeople({ question, delegations })
    this.learn(people, delegations)
  }

  /** What was looked up before somebody delegated it names too few. */
  private learn(people: KnownPerson[], delegations: ClarificationState['delegations']): void {
    if (!isSettled(this.state) && this.state.delegations === delegations) this.state = { ...this.state, people }
  }

  private async deliver(event: TellEvent, to: string[] | null): Promise<void> {
    const { asker, timings } = this.input
    const id = workflowInfo().workflowId
    const state = { ...this.state, people: [], remarks: [] }
    const { tellPeople } = clarificationActivities('decision', timings)
    const request = { id, asker, event, to, state, now: now() }
    const told = await tellPeople({ ...request, once: true })
    if (isSettled(this.state)) return
    this.learn(told.people, state.delegations)
    if (told.again !== null) this.postpone(told.again, to === null && told.delivered + told.failed === 0)
    if (told.left === undefined || told.left.length === 0) return
    const { answers } = this.state
    await tellPeople({ ...request, state: { ...state, answers }, only: told.left })
  }

  /** Whoever was off is told by the next rung, too: it is no use to wake earlier for a later one. */
  private postpone(again: Instant, nobodyWasTold: boolean): void {
    const rung = nextRung(this.state)
    if (nobodyWasTold || rung === null || isBefore(again, rung.at)) this.state = postponed(this.state, again)
  }

  private showDetails(): void {
    setCurrentDetails(renderClarification(this.state, this.refused, workflowInfo().workflowId))
  }
}

/** By the server's clock: that of a worker may be wrong. */
export function now(): Instant {
  return new Date().toISOString()
}

function countOf({ answers, remarks }: ClarificationState): number {
  return answers.length + remarks.length
}

function isBefore(one: Instant, other: Instant): boolean {
  return Date.parse(one) < Date.parse(other)
}
