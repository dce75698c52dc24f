import type { Instant } from '../pull-request.ts'

export type Range = { min: number | null; max: number | null }

/** Hours of some days of the week in a time zone. */
export type TimeWindow = {
  /** 0 is Sunday. */
  days: number[]
  /** Minutes since midnight. Not after `from`: it ends on the next day. */
  from: number
  to: number
}

/** Holds inside any of the windows (none: at any hour), at or after `after`, and before `before`. */
export type TimeCondition = {
  windows: TimeWindow[]
  /** An IANA name, such as Europe/Berlin. */
  zone: string
  after: Instant | null
  before: Instant | null
}

/** So many approvals of the head, by people or members of groups; without `from` by anybody but the author. */
export type ApprovalsRequired = { count: number; from: string[] | null }

/** What a rule asks about a PR. Names are of people or groups, globs as in `forbiddenPaths`. */
export type Condition =
  | { kind: 'all' | 'any'; of: Condition[] }
  | { kind: 'not'; of: Condition }
  | { kind: 'if'; if: Condition; then: Condition; else: Condition | null }
  | { kind: 'label'; globs: string[] }
  /** `only`: every changed path matches, not just one of them. */
  | { kind: 'paths'; globs: string[]; only: boolean }
  | { kind: 'author'; names: string[] }
  | { kind: 'group'; names: string[] }
  | { kind: 'size'; files: Range | null; lines: Range | null }
  | { kind: 'base'; globs: string[] }
  | ({ kind: 'time' } & TimeCondition)
  | ({ kind: 'approvals' } & ApprovalsRequired)
  | { kind: 'check'; name: string }

/** A criterion of the user's own, besides the built-in ones. */
export type RulePolicy = {
  name: string
  /** It applies only where this holds. */
  if: Condition | null
  require: Condition
}

/** Every condition in a tree, the tree itself first. */
export function* conditionsOf(condition: Condition): Generator<Condition> {
  yield condition
  switch (condition.kind) {
    case 'all':
    case 'any':
      for (const each of condition.of) yield* conditionsOf(each)
      break
    case 'not':
      yield* conditionsOf(condition.of)
      break
    case 'if':
      for (const each of [condition.if, condition.then, condition.else]) if (each) yield* conditionsOf(each)
      break
    default:
      break
  }
}

/** Every condition of rules. */
export function conditionsOfRules(rules: RulePolicy[]): Condition[] {
  return rules.flatMap((rule) => [rule.if, rule.require].flatMap((each) => (each ? [...conditionsOf(each)] : [])))
}
