import { condition, patched, setCurrentDetails, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow'
import { searchAttributePairs } from '#contracts/search-attributes'
import type {
  CheckStatus,
  PullRequestCarried,
  PullRequestInput,
  PullRequestStatus,
  QueueReport,
} from '#contracts/pull-request'
import type { AskedApproval } from '#domain/approval-question'
import { renderComment, renderDetails } from '#domain/comment'
import type { CommandAct } from '#domain/comment-command'
import { decide } from '#domain/decide'
import type { CheckResults, Decision } from '#domain/decision'
import { withHold, type Hold } from '#domain/hold'
import { withOverrides, type Override } from '#domain/override'
import type { Instant, Merged, Phase, Sha, SnapshotFacts, Waiting } from '#domain/pull-request'
import type { CheckResult } from '#domain/evidence'
import type { QuestionAsked } from '#domain/waiting'
import type { Publication } from '#activities/forge/activities'
import { Questions } from './questions.ts'

/** The state of one PR's pipeline: what handlers write and the pipeline reads. */
export class PullRequestRun {
  readonly input: PullRequestInput
  snapshot: SnapshotFacts | null
  checks: CheckResults
  decision: Decision | null
  phase: Phase
  waiting: Waiting | null
  merged: Merged | null = null
  mergeRequest: PullRequestCarried['mergeRequest']
  ejected: PullRequestCarried['ejected']
  /** A hint came that no look has answered yet. */
  lookPending: boolean
  /** `pr review`: run again what did not pass. */
  rerun: boolean
  /** The snapshot was checked, and its decision was not made or not published yet. */
  undecided: boolean
  /** The newest word from the queue about the head that was enqueued. */
  report: QueueReport | null
  /** The entry that the queue was given and has not finished with. */
  queued: { branch: string; head: Sha } | null
  /** Since when every try of an activity failed, after which the pipeline rests and tries again. */
  failingSince: Instant | null
  /** Who keeps it from landing. */
  hold: Hold | null
  /** The newest comment whose commands were heard; undefined: of a run of 0.1.0, which heard none. */
  heardComment: string | null | undefined
  /** Commands that were carried out or refused, and not told yet. */
  acts: CommandAct[]
  /** The head that was seen last, and since when; null where it was the first. */
  headSeen: { sha: Sha; since: Instant | null } | null
  /** What people were asked about this head. */
  asked: AskedApproval[]
  /** What people let pass of this head. */
  overrides: Override[]
  readonly questions: Questions
  /** Why the pipeline ends although its PR is open. */
  ending: string | null = null
  readonly checkStatuses = new Map<string, CheckStatus>()

  constructor(input: PullRequestInput) {
    this.input = input
    const { carried } = input
    this.snapshot = carried?.snapshot ?? null
    this.checks = carried?.checks ?? {}
    this.decision = carried?.decision ?? null
    this.phase = carried?.phase ?? 'checking'
    this.waiting = carried?.waiting ?? null
    this.mergeRequest = carried?.mergeRequest ?? null
    this.ejected = carried?.ejected ?? null
    this.queued = carried?.queued ?? null
    this.rerun = carried?.rerun ?? false
    this.lookPending = carried?.lookPending ?? false
    this.undecided = carried?.undecided ?? false
    this.report = carried?.report ?? null
    this.failingSince = carried?.failingSince ?? null
    this.hold = carried?.hold ?? null
    this.heardComment = carried ? carried.heardComment : null
    this.acts = carried?.acts ?? []
    this.headSeen = carried?.headSeen ?? null
    this.asked = carried?.questions?.asked ?? []
    this.overrides = carried?.questions?.overrides ?? []
    this.questions = new Questions(input.timings, 'pr-review', carried?.questions)
    for (const result of Object.values(this.checks)) this.showResult(result)
  }

  carry(): PullRequestInput {
    const { snapshot, checks, decision, phase, mergeRequest, ejected, waiting, queued, rerun } = this
    const { lookPending, undecided, report, failingSince } = this
    const pending = { queued, rerun, lookPending, undecided, report, failingSince }
    const { hold, heardComment, acts, headSeen } = this
    const told = { hold, heardComment, acts, headSeen }
    const { asked, overrides } = this
    const questions = asked.length === 0 ? {} : { questions: { asked, overrides, ...this.questions.carry() } }
    return {
      ...this.input,
      carried: { snapshot, checks, decision, phase, mergeRequest, ejected, waiting, ...pending, ...told, ...questions },
    }
  }

  /** What the policy and whoever holds it say of a snapshot and its checks. */
  decide(snapshot: SnapshotFacts, checks: CheckResults, now: Instant): Decision {
    const { source, problem } = snapshot.policy
    const decided = withOverrides(decide(snapshot, checks, now), snapshot, this.overrides)
    return { ...withHold(decided, this.hold), policy: { source, problem } }
  }

  /** Remembers since when the head is the one it is; `known` by earlier runs, where this is the first look. */
  seeHead({ head, takenAt }: SnapshotFacts, known: Instant | null): void {
    if (this.headSeen?.sha === head.sha) return
    this.headSeen = { sha: head.sha, since: this.headSeen === null ? known : takenAt }
  }

  /** Whoever asked that it lands asked for the base that it had. */
  seeBase({ base }: SnapshotFacts): void {
    const before = this.snapshot?.base.ref ?? base.ref
    const asked = this.mergeRequest?.base ?? before
    // A run of 0.1.0 took the request along, and may have entered the queue of the new base by it.
    if (this.mergeRequest !== null && asked !== base.ref && patched('merge-request-of-base')) this.mergeRequest = null
    if (this.ejected?.by && before !== base.ref) this.ejected = { ...this.ejected, by: null }
  }

  /** Heeds the queue's word about the head it was given; nothing comes after `landed` or `ejected`. */
  hear(word: QueueReport): void {
    if (word.head !== this.queued?.head) return
    if (word.branch !== undefined && word.branch !== this.queued.branch) return
    if (this.report?.outcome === 'landed' || this.report?.outcome === 'ejected') return
    this.report = word
  }

  /** Moves to a phase, and shows it in the search attributes and on the run's page. */
  enter(phase: Phase, waiting: Waiting | null = null): void {
    this.phase = phase
    this.waiting = waiting
    upsertSearchAttributes(
      searchAttributePairs({
        Phase: phase,
        WaitingOn: waiting?.for ?? null,
        Deadline: waiting?.until ? new Date(waiting.until) : null,
        ...(this.snapshot ? { Sha: this.snapshot.head.sha, Branch: this.snapshot.base.ref } : {}),
      }),
    )
    this.showDetails()
  }

  /** Says anew what it waits for within a phase. No search attribute changes: that would be an event for each word. */
  waitFor(waiting: Waiting): void {
    this.waiting = waiting
    this.showDetails()
  }

  showResult(result: CheckResult): void {
    const duration = Date.parse(result.finishedAt) - Date.parse(result.startedAt)
    const reason = result.reused ? `${result.reason} (evidence of ${result.finishedAt})` : result.reason
    this.checkStatuses.set(result.check, { name: result.check, state: result.conclusion, reason, duration })
  }

  showDetails(): void {
    const { snapshot, phase, decision, waiting, merged } = this
    const title = snapshot ? `#${snapshot.number} ${snapshot.title}` : `#${this.input.number}`
    setCurrentDetails(
      renderDetails({ title, phase, checks: [...this.checkStatuses.values()], decision, waiting, merged }),
    )
  }

  publication(snapshot: SnapshotFacts): Publication {
    const { phase, decision, waiting, merged, ejected } = this
    const comment = renderComment({
      phase,
      head: snapshot.head.sha,
      base: snapshot.base.ref,
      decision,
      waiting,
      merged,
      policyProblem: snapshot.policy.problem,
      isolationWarning: snapshot.isolationWarning,
      logs: `switchyard logs ${snapshot.number} --repo ${snapshot.repo}`,
    })
    const done = phase === 'landed' || phase === 'rejected' || phase === 'closed' || this.ending !== null
    const conclusion = phase === 'landed' ? 'success' : phase === 'rejected' ? 'failure' : 'neutral'
    return {
      repo: snapshot.repo,
      number: snapshot.number,
      workflowId: workflowInfo().workflowId,
      head: snapshot.head.sha,
      comment: this.ending === null ? comment : `${comment}\nSwitchyard ${this.ending}.\n`,
      at: new Date().toISOString(),
      decision,
      ...(snapshot.policy.mode === 'dry-run' ? { silent: true } : {}),
      ...(ejected?.at
        ? { ejected: { head: ejected.head, reason: ejected.reason, at: ejected.at, kind: ejected.kind } }
        : {}),
      check: {
        status: done ? 'completed' : 'in_progress',
        conclusion: this.ending !== null ? 'neutral' : done ? conclusion : null,
        summary: this.ending ?? waiting?.for ?? phase,
      },
    }
  }

  status(): PullRequestStatus {
    const { snapshot, input, phase, decision, waiting } = this
    return {
      repo: input.repo,
      number: input.number,
      title: snapshot?.title ?? '',
      phase,
      state: phase === 'landed' ? 'merged' : phase === 'closed' ? 'closed' : (snapshot?.state ?? 'open'),
      head: snapshot?.head ?? null,
      base: snapshot?.base ?? null,
      checks: [...this.checkStatuses.values()],
      decision,
      waiting,
      hold: this.hold,
      merged: this.merged,
      resting: this.resting(),
    }
  }

  private atRest = false

  inQueue(): boolean {
    return this.phase === 'queued' || this.phase === 'testing' || this.phase === 'landing'
  }

  /** Nothing but a person, a new commit or time will move it. Between two steps a phase may look like it and is not. */
  private resting(): boolean {
    if (this.phase === 'landed' || this.phase === 'closed') return true
    return this.atRest && !this.lookPending && !this.hasUnusedAnswers()
  }

  /** Questions whose outcome was not used yet. A parked one may still be answered, one that was taken back just was. */
  answeredQuestions(): AskedApproval[] {
    return this.asked.filter(({ state, key }) => {
      const outcome = this.questions.outcome(key)
      if (state === 'withdrawn') return outcome?.state === 'answered'
      return state === 'open' && outcome !== null && outcome.state !== 'parked'
    })
  }

  /** Those that say what it waits for. */
  shownQuestions(): QuestionAsked[] {
    return this.asked.flatMap(({ of, also = [], id, question, override, state }) => {
      if (state !== 'open' && state !== 'expired') return []
      const shown = { id, who: question?.who ?? [], state, ...(override ? { override: true as const } : {}) }
      return [of, ...also].map((each) => ({ ...shown, of: each }))
    })
  }

  /** Questions that need several answers, and have more of them than are reviews. */
  partlyAnswered(): AskedApproval[] {
    return this.asked.filter(({ state, override, key, reviewed = 0 }) => {
      return state === 'open' && override === undefined && this.questions.answers(key).length > reviewed
    })
  }

  unusedAnswers(): AskedApproval[] {
    return [...this.answeredQuestions(), ...this.partlyAnswered()]
  }

  hasUnusedAnswers(): boolean {
    return this.unusedAnswers().length > 0
  }

  hasNews(): boolean {
    return this.lookPending || this.answeredQuestions().length > 0
  }

  /** Rests until a hint or an answer comes, or the time has passed; answers whether one came. */
  async rest(milliseconds: number, isNews = () => this.lookPending || this.hasUnusedAnswers()): Promise<boolean> {
    this.atRest = true
    try {
      return await condition(isNews, milliseconds)
    } finally {
      this.atRest = false
    }
  }
}
