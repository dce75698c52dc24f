import { limits, type Asked } from './clarification/question.ts'
import { approvalsOfReview } from './decide.ts'
import type { CheckResults, Decision, Rule } from './decision.ts'
import type { OverrideTerms } from './override.ts'
import type { Sha, SnapshotFacts } from './pull-request.ts'
import type { ResolvedApprovals } from './rules/resolved.ts'
import { escapeMarkdown, oneLine } from './text.ts'

/** Approvals that a criterion of a PR wants of its head. `of`: `review`, `policy-change`, or a rule of the policy. */
export type MissingApprovals = { of: string; needed: number; from: string[] }

/** What one question asks for. `also`: criteria that its approvals meet as well. */
export type ApprovalsToAsk = MissingApprovals & { also?: string[] }

/** What an activity says of a change, for those who are asked about it. */
export type ChangeToApprove = { lines: number; paths: string[]; authors: string[] }

const MAX_TITLE = 100
const MAX_RULE = 60
const MAX_CRITERIA = 200
const MAX_UNMET = 3
const MAX_PATHS = 10
const MAX_PATH = 120
const MAX_REASON = 120
/** Checks that a context shows, so that it stays under 4 KB. */
const MAX_CHECKS = 10

/**
 * Those that a PR lacks, whatever else it lacks; none where its policy does not say that they are asked for. Of rules only
 * where approvals are all that a rule requires.
 */
export function missingApprovals(snapshot: SnapshotFacts): MissingApprovals[] {
  const { policy, state, policyChange, rules = [] } = snapshot
  if (policy.askForApprovals === undefined || policy.mode === 'dry-run' || state !== 'open') return []
  return [
    ...missing('review', approvalsOfReview(snapshot)),
    ...(policyChange?.problem === null ? missing('policy-change', policyChange.approvals) : []),
    ...rules.flatMap(({ name, require }) => (require.kind === 'fact' ? missing(name, require.approvals) : [])),
  ]
}

function missing(of: string, required: ResolvedApprovals | undefined): MissingApprovals[] {
  if (required === undefined || required.by.length >= required.count) return []
  return [{ of, needed: required.count - required.by.length, from: required.from ?? [] }]
}

/** Of the approvals that a PR lacks, those that it waits for; none where it waits for anything else, too. */
export function approvalsWaitedFor({ outcome, rules }: Decision, missing: MissingApprovals[]): MissingApprovals[] {
  if (outcome !== 'wait') return []
  const open = rules.filter((rule) => rule.outcome !== 'pass')
  const asked = missing.filter(({ of }) => open.some(({ rule }) => rule === of))
  return open.every((rule) => asked.some(({ of }) => of === rule.rule) && lacksOnlyApprovals(rule)) ? asked : []
}

/** One question where the approvals that one criterion wants are those that another wants, too: nobody is asked twice. */
export function withoutRepetition(missing: MissingApprovals[]): ApprovalsToAsk[] {
  const isCovered = (one: MissingApprovals, index: number) =>
    missing.some((other, at) => at !== index && covers(other, one) && (at < index || !covers(one, other)))
  return missing
    .filter((one, index) => !isCovered(one, index))
    .map((one) => {
      const also = missing.filter((other) => other !== one && covers(one, other)).map(({ of }) => of)
      return also.length === 0 ? one : { ...one, also }
    })
}

/** Whoever approves for `one` approves for `other`, and so many have to. No name in `from`: anybody. */
function covers(one: MissingApprovals, other: MissingApprovals): boolean {
  if (one.needed < other.needed) return false
  return other.from.length === 0 || (one.from.length > 0 && one.from.every((name) => other.from.includes(name)))
}

function lacksOnlyApprovals({ outcome, rules = [] }: Rule): boolean {
  return outcome === 'pending' && rules.every((inner) => inner.outcome === 'pass' || /^approvals\b/.test(inner.rule))
}

/** What a question about approvals is of: with another head or base it is another one. */
export type ApprovalSubject = { of: string; head: Sha; base: string }

export function isSameSubject(one: ApprovalSubject, other: ApprovalSubject): boolean {
  return one.of === other.of && one.head === other.head && one.base === other.base
}

/** `round`: from 1; the same is asked anew where approvals lack again although the last question has ended. */
export function approvalKey({ of, head, base }: ApprovalSubject, round: number): string {
  const parts = ['approval', head, base, ...(of === 'review' ? [] : [`of ${of}`]), ...(round === 1 ? [] : [round])]
  return parts.join(':')
}

/** What people are asked. Whoever wrote some of it, or approved it already, is not. */
export function approvalQuestion(
  snapshot: SnapshotFacts,
  { of, needed, from, also = [] }: ApprovalsToAsk,
  checks: CheckResults,
  change: ChangeToApprove,
): Asked {
  const { repo, number, title, author, approvedBy, policy } = snapshot
  return {
    kind: 'approval',
    title: `Approve #${number} ${oneLine(title, MAX_TITLE)}${purposeOf([of, ...also])}?`,
    context: [contextOf(snapshot, checks, change), ...countsFor([of, ...also])].join('\n\n'),
    who: from.slice(0, limits.who),
    needed: Math.min(needed, limits.who),
    not: [...new Set([author, ...approvedBy, ...change.authors])].slice(0, limits.who),
    ladder: policy.askForApprovals ?? {},
    repo,
    number,
  }
}

function purposeOf(criteria: string[]): string {
  if (criteria.includes('policy-change')) return ' (it changes the policy)'
  const rule = criteria.find((of) => of !== 'review')
  return rule === undefined ? '' : ` (rule ${oneLine(rule, MAX_RULE)})`
}

function countsFor(criteria: string[]): string[] {
  if (criteria.length === 1) return []
  return [`One approval counts for each of ${escapeMarkdown(oneLine(criteria.join(', '), MAX_CRITERIA))}.`]
}

/** What one must know of a change to judge it; `decision` where it is about what was decided. Markdown, under 4 KB. */
export function contextOf(
  snapshot: SnapshotFacts,
  checks: CheckResults,
  { lines, paths }: ChangeToApprove,
  decision: Decision | null = null,
): string {
  const { repo, number, head, base, author, commitCount, pathCount } = snapshot
  const inline = (text: string, max: number) => escapeMarkdown(oneLine(text, max))
  const counted = `${plural(commitCount, 'commit')}, ${plural(pathCount, 'file')}, ${plural(lines, 'line')} changed`
  const passed = Object.values(checks).slice(0, MAX_CHECKS)
  const unmet = (decision?.rules ?? []).filter(({ outcome }) => outcome !== 'pass').slice(0, MAX_UNMET)
  const rest = pathCount - Math.min(paths.length, MAX_PATHS)
  return [
    `${inline(head.ref, MAX_PATH)} at \`${head.sha.slice(0, 12)}\` into ${inline(base.ref, MAX_PATH)}, by ${inline(author, MAX_PATH)}: ${counted}.`,
    '',
    ...passed.map(({ check, conclusion, reason }) => `- ${check} ${conclusion}: ${inline(reason, MAX_REASON)}`),
    ...unmet.map(({ rule, reason }) => `- not met, ${inline(rule, MAX_RULE)}: ${inline(reason, 2 * MAX_REASON)}`),
    '',
    ...paths.slice(0, MAX_PATHS).map((path) => `- ${inline(path, MAX_PATH)}`),
    ...(rest > 0 ? [`- … and ${rest} more`] : []),
    '',
    `To look: \`switchyard pr diff ${number} --repo ${repo}\``,
  ].join('\n')
}

function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

/**
 * A question that a pipeline put. `closed`: its answer was used. `withdrawn`: it was taken back, and an answer that was
 * given before the question heard of it still counts. `declined` and `expired`: it is not asked again for this head.
 */
export type AskedApproval = ApprovalSubject & {
  key: string
  /** From 1. */
  round: number
  /** Other criteria that its approvals meet as well; absent: none. */
  also?: string[]
  /** What it asks to override; absent: it asks for approvals. */
  override?: OverrideTerms
  /** Of the clarification; null where it had ended when it was asked for. */
  id: string | null
  /** To read it again; null once it is not open any more. */
  question: Asked | null
  state: 'open' | 'withdrawn' | 'closed' | 'declined' | 'expired'
  /** How many of its answers are reviews already, while it is open; absent: none. */
  reviewed?: number
}
