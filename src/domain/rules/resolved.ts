import type { Instant } from '../pull-request.ts'
import type { Truth } from './truth.ts'

/** What a leaf looked at and what it found there. */
export type RuleValues = Record<string, string | number | boolean | null | string[]>

/** From `from` inclusive until `until` exclusive; null: without end. */
export type Interval = { from: Instant; until: Instant | null }

/** When a condition of time holds. After `knownUntil` nobody has looked; null: that was all. */
export type OpenTimes = { open: Interval[]; knownUntil: Instant | null }

/**
 * A condition with everything put in that a full snapshot tells, small enough for a workflow to carry. What is left
 * open are the checks and the time.
 */
export type ResolvedCondition =
  | { kind: 'all' | 'any'; of: ResolvedCondition[] }
  | { kind: 'not'; of: ResolvedCondition }
  | { kind: 'if'; if: ResolvedCondition; then: ResolvedCondition; else: ResolvedCondition | null }
  | ResolvedFact
  | ({ kind: 'time'; text: string } & OpenTimes)
  /** `declared`: the policy has such a check. */
  | { kind: 'check'; name: string; declared: boolean }

export type ResolvedFact = {
  kind: 'fact'
  /** The condition as the policy words it. */
  text: string
  truth: Truth
  /** Only a new head or another base can turn it around. */
  final: boolean
  reason: string
  values: RuleValues
  /** What somebody can do to make it hold, and to end it; null: nothing short of another head. */
  toHold: string | null
  toEnd: string | null
  /** Of a condition on approvals: what it asks for and has. */
  approvals?: ResolvedApprovals
}

export type ResolvedRule = { name: string; if: ResolvedCondition | null; require: ResolvedCondition }

/** Approvals that a policy requires, and those of them that were given. */
export type ResolvedApprovals = {
  count: number
  from: string[] | null
  /** Approvers of this head that count, each person once. */
  by: string[]
  /** Names in `from` that nobody in this installation has, as a person or as a group. */
  unknown: string[]
}

/** That a PR changes the policy file, and what the base's policy requires of that. */
export type PolicyChange = {
  /** Of the file as it would land; null where it is no policy, or the file is removed. */
  digest: string | null
  /** Why it is no policy, with line and column. */
  problem: string | null
  approvals: ResolvedApprovals
}

/**
 * What names a fact that can change a decision, without the instants, which move on by themselves: two looks with the
 * same key are decided alike until `changesAt`.
 */
export function rulesKey(rules: ResolvedRule[]): string {
  return JSON.stringify(rules, (key, value: unknown) => (key === 'open' || key === 'knownUntil' ? undefined : value))
}

/** The rules with the times of `earlier`, which are of the same policy and were resolved before. */
export function withTimesOf(rules: ResolvedRule[], earlier: ResolvedRule[]): ResolvedRule[] {
  return rules.map((rule, index) => {
    const before = earlier[index]
    const condition = rule.if && before?.if ? conditionWithTimes(rule.if, before.if) : rule.if
    return { ...rule, if: condition, require: conditionWithTimes(rule.require, before?.require) }
  })
}

function conditionWithTimes(condition: ResolvedCondition, earlier: ResolvedCondition | undefined): ResolvedCondition {
  if (earlier === undefined) return condition
  if (condition.kind === 'time') return earlier.kind === 'time' ? earlier : condition
  if (condition.kind === 'not' && earlier.kind === 'not') {
    return { ...condition, of: conditionWithTimes(condition.of, earlier.of) }
  }
  if ((condition.kind === 'all' || condition.kind === 'any') && earlier.kind === condition.kind) {
    return { ...condition, of: condition.of.map((each, index) => conditionWithTimes(each, earlier.of[index])) }
  }
  if (condition.kind !== 'if' || earlier.kind !== 'if') return condition
  return {
    ...condition,
    if: conditionWithTimes(condition.if, earlier.if),
    then: conditionWithTimes(condition.then, earlier.then),
    else: condition.else && conditionWithTimes(condition.else, earlier.else ?? undefined),
  }
}
