import { attemptLimit, attemptLimits, treeChecks } from './check-subjects.ts'
import { approvalsOfReview } from './decide.ts'
import type { Decision, Rule } from './decision.ts'
import { holdRule } from './hold.ts'
import { after } from './instant.ts'
import type { PlannedCheck } from './policy.ts'
import type { Instant, Sha, SnapshotFacts, Waiting } from './pull-request.ts'
import { firstNeed } from './rules/needs.ts'

/** The remote that `init` makes. */
const remote = 'switchyard'

/** What people were asked: about the approvals of the criterion `of`, or whether to override all that is not met. */
export type QuestionAsked = {
  of: string
  id: string | null
  who: string[]
  state: 'open' | 'expired'
  override?: true
}

/** What a PR that was not approved waits for, and who can act. `asked`: the questions that people were asked. */
export function waitingAfter(
  snapshot: SnapshotFacts,
  decision: Decision,
  since: Instant,
  asked: QuestionAsked[] = [],
): Waiting {
  const stale = after(since, snapshot.policy.merge.staleAfter)
  const until = decision.changesAt && decision.changesAt < stale ? decision.changesAt : stale
  const open = decision.rules.filter((rule) => rule.outcome !== 'pass')
  const first = open.find((rule) => rule.outcome === 'fail') ?? open[0]
  if (decision.dryRun) {
    const would = first === undefined ? 'it would land' : `it would not land, ${first.rule}: ${first.reason}`
    const who = [`whoever may change .switchyard.yaml on ${snapshot.base.ref}`]
    return { for: `dry run: ${would}`, since, until, who, command: pushDirectly(snapshot) }
  }
  if (first === undefined) {
    return {
      for: 'pr merge: merge.auto is off',
      since,
      until,
      who: [snapshot.author],
      command: command('merge', snapshot),
    }
  }
  const waiting = { for: `${first.rule}: ${first.reason}`, since, until, ...whoCanAct(first, snapshot) }
  const question = first.outcome === 'pending' ? asked.find(({ of }) => of === first.rule) : undefined
  const override = asked.find((each) => each.override && each.state === 'open')
  return withOverride(question === undefined ? waiting : withQuestion(waiting, question), override)
}

/** Whoever can mend it is told how all the same. */
function withOverride(waiting: Waiting, override: QuestionAsked | undefined): Waiting {
  if (override === undefined || override.id === null) return waiting
  const { id, who } = override
  return { ...waiting, for: `${waiting.for}; whether to override it is asked as ${id}`, who: [...waiting.who, ...who] }
}

function withQuestion(waiting: Waiting, { id, who, state }: QuestionAsked): Waiting {
  if (state === 'expired') return { ...waiting, for: `${waiting.for}; nobody answered in time when asked` }
  if (id === null) return waiting
  return {
    ...waiting,
    for: `${waiting.for}; asked as ${id}`,
    who: who.length > 0 ? who : waiting.who,
    command: `switchyard answer ${id} approve`,
  }
}

function whoCanAct(rule: Rule, snapshot: SnapshotFacts): Pick<Waiting, 'who' | 'command'> {
  const push = { who: [snapshot.author], command: `git push ${remote} ${shellWord(snapshot.head.ref)}` }
  switch (rule.rule) {
    case 'not-draft':
      return { who: [snapshot.author], command: command('ready', snapshot) }
    case holdRule:
      return { who: ['whoever may merge or hold it'], command: command('merge', snapshot) }
    case 'review':
      if (rule.rules?.some((child) => child.rule === 'no-changes-requested' && child.outcome === 'fail')) {
        return { who: snapshot.changesRequestedBy, command: command('approve', snapshot) }
      }
      if (rule.rules?.some((child) => child.rule === 'criteria' && child.outcome === 'fail')) return push
      if (rule.rules?.some((child) => child.rule === 'criteria' && child.outcome !== 'pass')) break
      return { who: approvers(approvalsOfReview(snapshot).from, snapshot), command: command('approve', snapshot) }
    default:
      break
  }
  if (rule.outcome === 'fail') return push
  if (rule.rule === 'policy-change') {
    const from = snapshot.policyChange?.approvals.from ?? null
    return { who: approvers(from, snapshot), command: command('approve', snapshot) }
  }
  const need = firstNeed(rule)
  if (need) return whoCanMeet(need, snapshot)
  if (rule.rule === 'tests' && treeChecks(snapshot.policy.checks).length === 0) {
    return { who: [`whoever may push .switchyard.yaml to ${snapshot.base.ref}`], command: pushDirectly(snapshot) }
  }
  return { who: [snapshot.author], command: command('review', snapshot) }
}

/** Who can act on a condition of the policy's own rules. */
function whoCanMeet(need: Rule, snapshot: SnapshotFacts): Pick<Waiting, 'who' | 'command'> {
  switch (need.rule.split(':')[0]) {
    case 'label':
      return { who: [snapshot.author], command: `${command('edit', snapshot)} ${labelFlag(need)}` }
    case 'approvals':
      return { who: approvers(namesIn(need), snapshot), command: command('approve', snapshot) }
    case 'time':
      return { who: ['switchyard'], command: explain(snapshot) }
    case 'check':
      return { who: [snapshot.author], command: command('review', snapshot) }
    default:
      return { who: ['whoever may change switchyard.yaml'], command: explain(snapshot) }
  }
}

/** A label that is named as such can be pasted; a glob, or one of several, is for the person to choose. */
function labelFlag({ rule, outcome, values }: Rule): string {
  const found = values?.['labels']
  if (outcome === 'pass') return `--remove-label ${shellWord(Array.isArray(found) ? (found[0] ?? '') : '')}`
  const wanted = rule.slice('label: '.length)
  return `--add-label ${/^[\w/.-]+$/.test(wanted) ? wanted : "'<label>'"}`
}

function namesIn({ values }: Rule): string[] | null {
  const from = values?.['from']
  return Array.isArray(from) && from.length > 0 ? from : null
}

/** The author's own approval counts nowhere. Where nobody else is named, those who are must be changed in the policy. */
function approvers(from: string[] | null, { author }: SnapshotFacts): string[] {
  if (from === null) return [`anybody but ${author}`]
  const others = from.filter((name) => name.trim().toLowerCase() !== author.trim().toLowerCase())
  return others.length > 0 ? others : from
}

/** Of the policy itself, where no PR can bring it: nothing lands while it is missing or a dry run. */
function pushDirectly({ base }: SnapshotFacts): string {
  return `git push -o allow-direct ${remote} ${shellWord(base.ref)}`
}

function explain({ repo, number }: SnapshotFacts): string {
  return `switchyard policy explain ${number} --repo ${repo}`
}

function command(verb: string, { repo, number }: Pick<SnapshotFacts, 'repo' | 'number'>): string {
  return `switchyard pr ${verb} ${number} --repo ${repo}`
}

/** One word for a shell: git allows `;` and `$(…)` in a branch name, and this is printed to be pasted. */
function shellWord(text: string): string {
  return /^[\w./@+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

/**
 * Why the queue gave a PR back. `empty`: nothing of it would change the base. `behind`: a fast-forward needs the base's
 * tip in the head.
 */
export type EjectionKind = 'tests' | 'conflict' | 'moved' | 'infrastructure' | 'blocked' | 'closed' | 'empty' | 'behind'

/** Absent kinds are of 0.1.0. `outdated`: it was decided anew under another policy since. */
export type Ejection = { reason: string; kind?: EjectionKind; outdated?: true }

/** What an approved PR waits for after the queue ejected it. */
export function waitingAfterEjection(
  snapshot: SnapshotFacts,
  { reason, kind, outdated }: Ejection,
  since: Instant,
): Waiting {
  const until = after(since, snapshot.policy.merge.staleAfter)
  if (outdated) {
    const ask = 'pr merge: the merge queue ejected it under another policy than the one that approves it now'
    return { for: ask, since, until, who: [snapshot.author], command: command('merge', snapshot) }
  }
  return {
    for: `ejected from the merge queue: ${reason}`,
    since,
    until,
    who: [snapshot.author],
    command: afterEjection(snapshot, kind),
  }
}

function afterEjection(snapshot: SnapshotFacts, kind: EjectionKind | undefined): string {
  switch (kind) {
    case 'empty':
      return command('close', snapshot)
    case 'conflict':
    case 'behind':
      return rebaseAndPush(snapshot)
    default:
      return command('merge', snapshot)
  }
}

/** The lease names the head that was seen: a bare one is void after the fetch. */
function rebaseAndPush({ head, base }: SnapshotFacts): string {
  const [branch, upstream] = [shellWord(head.ref), shellWord(`${remote}/${base.ref}`)]
  const lease = `--force-with-lease=${branch}:${head.sha}`
  return `git fetch ${remote} && git rebase ${upstream} ${branch} && git push ${lease} ${remote} ${branch}`
}

/** What a PR waits for while its checks run: those that have not ended. */
export function waitingForChecks(running: PlannedCheck[], since: Instant): Waiting {
  return {
    for: running.map(({ name }) => name).join(', ') || 'its decision',
    since,
    until: after(since, Math.max(0, ...running.map(attemptLimit))),
    who: ['switchyard'],
    command: null,
  }
}

/** Where an entry is, as the queue last told: no place yet, its place, or the candidate at work. */
export type QueuePlace =
  { outcome: 'offered' } | { outcome: 'queued'; position: number } | { outcome: 'testing'; candidate: Sha }

/** What an approved PR waits for in the merge queue. Serial: each entry ahead takes one attempt of its checks at most. */
export function waitingInQueue(snapshot: SnapshotFacts, place: QueuePlace, since: Instant): Waiting {
  const limit = attemptLimits(treeChecks(snapshot.policy.checks))
  return {
    for: placeInWords(place),
    since,
    until: after(since, limit * (place.outcome === 'queued' ? place.position : 1)),
    who: ['switchyard'],
    command: `switchyard queue show --repo ${snapshot.repo}`,
  }
}

function placeInWords(place: QueuePlace): string {
  switch (place.outcome) {
    case 'offered':
      return 'the merge queue'
    case 'queued':
      return `the merge queue, position ${place.position}`
    case 'testing':
      return `tests of candidate ${place.candidate.slice(0, 12)}`
  }
}

/** What a PR waits for whose pipeline could not go on, though it tried again and again. */
export function waitingForRetry(
  pullRequest: Pick<SnapshotFacts, 'repo' | 'number'> & { author: string | null },
  reason: string,
  since: Instant,
  until: Instant,
): Waiting {
  const who = pullRequest.author === null ? ['switchyard'] : ['switchyard', pullRequest.author]
  return { for: `another try: ${reason}`, since, until, who, command: command('review', pullRequest) }
}

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const

/** Said when a PR has lain too long. `staleAfter` in milliseconds. */
export function staleSentence(staleAfter: number): string {
  const [unit, size] = units.find(([, size]) => staleAfter >= size && staleAfter % size === 0) ?? ['ms', 1]
  return `ended after ${staleAfter / size} ${unit} without news; the next commit, approval or comment starts it again`
}
