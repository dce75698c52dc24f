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

/** What people are asked to let pass, and on which terms: another reason, or another who may, is another question. */
export type OverrideTerms = {
  rules: string[]
  /** The fingerprint of the reason for which each is not met. */
  reasons: Record<string, string>
  /** Who may, and how many of them must. */
  allowed: string
}

/** What people said about one head that goes into one base; void with another, and where its terms hold no more. */
export type Override = Overridden & OverrideTerms & { head: Sha; base: string }

/** Parts of the review that may be overridden. */
export const overridableParts = ['review/criteria', 'review/approvals', 'review/no-changes-requested']

/** Built-in criteria that nobody may override: what lands was tested, holds no secret, and follows its own rules. */
export const neverOverridden = ['no-conflicts', 'no-secrets', 'not-draft', 'not-held', 'policy-change', 'tests']

const MAX_TITLE = 90
const MAX_RULES = 60
/** Of the criteria in the key of a question, whose length is bounded. */
const MAX_NAMES = 100

/** A decision with what people let pass, as far as the policy still allows that. */
export function withOverrides(decision: Decision, snapshot: SnapshotFacts, overrides: Override[]): Decision {
  const { policy, head, base } = snapshot
  if (policy.overrides === undefined) return decision
  const allowed = allowedBy(policy.overrides)
  const current = overrides.filter(
    (each) => each.head === head.sha && each.base === base.ref && each.allowed === allowed,
  )
  if (current.length === 0) return decision
  const mayPass = new Set(policy.overrides.rules)
  const of = (path: string, { reason }: Rule) =>
    mayPass.has(path) ? current.findLast((each) => covers(each, path, reason)) : undefined
  const rules = decision.rules.map((rule) => {
    if (rule.rule !== 'review') return overridden(rule, of(rule.rule, rule))
    const parts = (rule.rules ?? []).map((part) => overridden(part, of(`review/${part.rule}`, part)))
    return withParts(rule, parts)
  })
  return { ...decision, rules, outcome: outcomeOf(rules) }
}

function covers({ rules, reasons }: Override, path: string, reason: string): boolean {
  return rules.includes(path) && Object.hasOwn(reasons, path) && reasons[path] === fingerprint(reason)
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
  const paths = unmet(rules).map(({ path }) => path)
  return paths.every((path) => policy.overrides!.rules.includes(path)) ? paths.sort() : []
}

/** null where nobody is asked. */
export function overrideTerms(decision: Decision, snapshot: SnapshotFacts): OverrideTerms | null {
  const rules = overridesWanted(decision, snapshot)
  if (rules.length === 0) return null
  const reasons = unmet(decision.rules).map(({ path, reason }) => [path, fingerprint(reason)] as const)
  return { rules, reasons: Object.fromEntries(reasons), allowed: allowedBy(snapshot.policy.overrides!) }
}

/** What a question about them is of. */
export function overrideOf({ rules, reasons, allowed }: OverrideTerms): string {
  const terms = JSON.stringify([rules.map((path) => [path, reasons[path]]), allowed])
  return `override ${oneLine(rules.join(','), MAX_NAMES)}:${fingerprint(terms)}`
}

function unmet(rules: Rule[]): { path: string; reason: string }[] {
  return rules
    .filter((rule) => rule.outcome !== 'pass')
    .flatMap(({ rule, reason, rules: parts = [] }) => {
      if (rule !== 'review') return [{ path: rule, reason }]
      const open = parts.filter(({ outcome }) => outcome !== 'pass')
      return open.map((part) => ({ path: `review/${part.rule}`, reason: part.reason }))
    })
}

function allowedBy({ by, count }: OverridePolicy): string {
  return JSON.stringify([count, ...[...by].sort()])
}

/** 128 bits that tell texts apart, of a text that may be long: four FNV-1a hashes. A digest proper is nothing for here. */
function fingerprint(text: string): string {
  const seeds = [0x811c9dc5, 0x01000193, 0x9e3779b9, 0x85ebca6b]
  return seeds.map((seed) => hash(text, seed).toString(16).padStart(8, '0')).join('')
}

function hash(text: string, seed: number): number {
  let sum = seed
  for (let index = 0; index < text.length; index++) sum = Math.imul(sum ^ text.charCodeAt(index), 0x01000193)
  return sum >>> 0
}

/** `round`: from 1; the same is asked anew where the last question was taken back. */
export function overrideKey({ of, head, base }: ApprovalSubject, round: number): string {
  return ['override', head, base, of.replace(/^override /, ''), ...(round === 1 ? [] : [round])].join(':')
}

/** What people are asked; never whoever wrote some of it. The reason that they give is recorded with the decision. */
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
    ...{ who: by.slice(0, limits.who), onlyWho: true, needed: count, vetoes: ['leave'], reason: true },
    not: [...new Set([author, ...change.authors])].slice(0, limits.who),
    ...{ ladder, repo, number },
  }
}
