import { limits, type Asked, type Ladder } from './clarification/question.ts'
import { outcomeOf, withParts } from './decide.ts'
import type { CheckResults, Decision, Overridden, Rule } from './decision.ts'
import { contextOf, type ApprovalSubject, type ChangeToApprove } from './approval-question.ts'
import type { Sha, SnapshotFacts } from './pull-request.ts'
import { oneLine } from './text.ts'

/** Criteria of a policy that people may let pass, each a rule's name or `review/<part>`. */
export type OverridePolicy = { rules: string[]; by: string[]; count: number }

/** What a workflow knows of it. */
export type OverrideFacts = OverridePolicy & { ladder: Partial<Ladder> }

/** What people said about one head that goes into one base; void with another. */
export type Override = Overridden & { rules: string[]; head: Sha; base: string }

/** Parts of the review that may be overridden. */
export const overridableParts = ['review/criteria', 'review/approvals', 'review/no-changes-requested']

/** Built-in criteria that nobody may override: what lands was tested, holds no secret, and follows its own rules. */
export const neverOverridden = ['no-conflicts', 'no-secrets', 'not-draft', 'not-held', 'policy-change', 'tests']

const MAX_TITLE = 90
const MAX_RULES = 60

/** A decision with what people let pass, as far as the policy still allows that. */
export function withOverrides(decision: Decision, snapshot: SnapshotFacts, overrides: Override[]): Decision {
  const { policy, head, base } = snapshot
  const current = overrides.filter((each) => each.head === head.sha && each.base === base.ref)
  const allowed = policy.overrides?.rules ?? []
  const of = (path: string) =>
    allowed.includes(path) ? current.findLast(({ rules }) => rules.includes(path)) : undefined
  if (current.length === 0) return decision
  const rules = decision.rules.map((rule) => {
    if (rule.rule !== 'review') return overridden(rule, of(rule.rule))
    const parts = (rule.rules ?? []).map((part) => overridden(part, of(`review/${part.rule}`)))
    return withParts(rule, parts)
  })
  return { ...decision, rules, outcome: outcomeOf(rules) }
}

function overridden(rule: Rule, override: Override | undefined): Rule {
  if (override === undefined || rule.outcome === 'pass') return rule
  const { by, reason, at } = override
  return {
    ...rule,
    outcome: 'pass',
    reason: `overridden by ${by.join(', ')}: ${reason} (${rule.reason})`,
    overridden: { by, reason, at },
  }
}

/** The criteria that are all that keeps a PR from landing, where people may override every one of them; else none. */
export function overridesWanted({ outcome, rules }: Decision, { policy, state }: SnapshotFacts): string[] {
  if (policy.overrides === undefined || policy.mode === 'dry-run' || state !== 'open') return []
  if (outcome === 'approve') return []
  const unmet = rules.filter((rule) => rule.outcome !== 'pass').flatMap(pathsOf)
  return unmet.every((path) => policy.overrides!.rules.includes(path)) ? unmet.sort() : []
}

function pathsOf({ rule, rules = [] }: Rule): string[] {
  if (rule !== 'review') return [rule]
  return rules.filter((part) => part.outcome !== 'pass').map((part) => `review/${part.rule}`)
}

/** `round`: from 1; the same is asked anew where the last question was taken back. */
export function overrideKey({ of, head, base }: ApprovalSubject, round: number): string {
  return ['override', head, base, of.replace(/^override /, ''), ...(round === 1 ? [] : [round])].join(':')
}

/** What people are asked. The reason that they give is recorded with the decision. */
export function overrideQuestion(
  snapshot: SnapshotFacts,
  decision: Decision,
  rules: string[],
  checks: CheckResults,
  change: ChangeToApprove,
): Asked {
  const { repo, number, title, author, policy } = snapshot
  const { by, count, ladder } = policy.overrides!
  return {
    kind: 'escalation',
    title: `Let #${number} ${oneLine(title, MAX_TITLE)} land in spite of ${oneLine(rules.join(', '), MAX_RULES)}?`,
    context: contextOf(snapshot, checks, change, decision),
    options: [
      { value: 'override', label: 'Let it land all the same' },
      { value: 'leave', label: 'Leave it as it is' },
    ],
    ...{ who: by.slice(0, limits.who), needed: count, vetoes: ['leave'], not: [author], reason: true },
    ...{ ladder, repo, number },
  }
}
