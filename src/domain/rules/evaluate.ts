import type { CheckResults, Rule, RuleOutcome } from '../decision.ts'
import type { CheckResult } from '../evidence.ts'
import type { Instant } from '../pull-request.ts'
import { never } from '../result.ts'
import { oneLine } from '../text.ts'
import type { Interval, OpenTimes, ResolvedCondition, ResolvedFact, ResolvedRule } from './resolved.ts'
import { allOf, anyOf, either, not, type Truth } from './truth.ts'

type World = { checks: CheckResults; now: Instant }

/**
 * What a condition is worth now, and what it can be without another head: a label may still come, a changed path won't
 * go away. What can still turn out well is waited for, what can't is refused.
 */
type Worth = { now: Truth; later: Truth }

/** `met`: it is to hold; `unmet`: it is not to; `asked`: it only says what else counts. */
type Purpose = 'met' | 'unmet' | 'asked'

type Evaluated = Worth & { text: string; reason: string; show(purpose: Purpose): Rule }

const MAX_REASON = 300
/** Instants at which an answer may change that are looked into at once. */
const MAX_INSTANTS = 64

/** The rules of a policy on the results of the checks, at an instant. */
export function evaluateRules(rules: ResolvedRule[], checks: CheckResults, now: Instant): Rule[] {
  return rules.map((rule) => evaluateRule(rule, { checks, now }))
}

/**
 * The next instant at which time alone gives one of the rules another outcome, or from which on it has to be looked up
 * anew, also because there were too many instants to look into; null: there is none.
 */
export function nextChange(rules: ResolvedRule[], checks: CheckResults, now: Instant): Instant | null {
  const times = rules.flatMap(({ if: condition, require }) => [condition, require].flatMap(timesOf))
  const unknown = new Set(times.map(({ knownUntil }) => knownUntil))
  const instants = [...times.flatMap(({ open }) => open.flatMap(({ from, until }) => [from, until])), ...unknown]
  const later = instants.filter((instant) => instant !== null && Date.parse(instant) > Date.parse(now)) as Instant[]
  if (later.length === 0) return null
  const outcomes = (at: Instant) =>
    evaluateRules(rules, checks, at)
      .map(({ outcome }) => outcome)
      .join()
  const before = outcomes(now)
  const inOrder = [...new Set(later)].sort((a, b) => Date.parse(a) - Date.parse(b))
  const looked = inOrder.slice(0, MAX_INSTANTS)
  const changing = looked.find((instant) => unknown.has(instant) || outcomes(instant) !== before)
  return changing ?? (inOrder.length > looked.length ? looked.at(-1)! : null)
}

function evaluateRule({ name, if: condition, require }: ResolvedRule, world: World): Rule {
  const required = evaluate(require, world)
  const asked = condition === null ? null : evaluate(condition, world)
  if (asked?.now === false) {
    return { rule: name, outcome: 'pass', reason: cut(`does not apply: ${asked.reason}`), evidence: null }
  }
  const worth =
    asked === null
      ? required
      : { now: either(asked.now, required.now, true), later: either(asked.later, required.later, true) }
  const open = asked !== null && asked.now === null && required.now !== true
  return {
    rule: name,
    outcome: outcomeOf(worth, 'met'),
    reason: cut(open ? `may apply: ${asked.reason}; ${required.reason}` : required.reason),
    evidence: null,
    rules: [...(asked ? [asked.show('asked')] : []), required.show('met')],
  }
}

function evaluate(condition: ResolvedCondition, world: World): Evaluated {
  switch (condition.kind) {
    case 'fact':
      return leaf(condition)
    case 'check':
      return check(condition, world)
    case 'time':
      return time(condition, world)
    case 'not':
      return negation(evaluate(condition.of, world))
    case 'all':
      return conjunction(condition.of.map((each) => evaluate(each, world)))
    case 'any':
      return disjunction(condition.of.map((each) => evaluate(each, world)))
    case 'if': {
      const otherwise = condition.else === null ? null : evaluate(condition.else, world)
      return conditional(evaluate(condition.if, world), evaluate(condition.then, world), otherwise)
    }
    default:
      return never(condition)
  }
}

function conjunction(parts: Evaluated[]): Evaluated {
  const worth = { now: allOf(parts.map(({ now }) => now)), later: allOf(parts.map(({ later }) => later)) }
  return branch('all', worth, reasonOf(parts, worth.now, false, 'every condition holds'), parts)
}

function disjunction(parts: Evaluated[]): Evaluated {
  const worth = { now: anyOf(parts.map(({ now }) => now)), later: anyOf(parts.map(({ later }) => later)) }
  return branch('any', worth, reasonOf(parts, worth.now, true, 'no condition holds'), parts)
}

/** Told is what decides: the parts of the deciding value, else those that are not known; `otherwise` where all agree. */
function reasonOf(parts: Evaluated[], now: Truth, deciding: boolean, otherwise: string): string {
  if (parts.length === 1) return parts[0]!.reason
  if (now === !deciding) return now ? otherwise : parts.map(({ reason }) => reason).join('; ')
  const told = parts.filter((part) => part.now === now)
  return (deciding && now ? told.slice(0, 1) : told).map(({ reason }) => reason).join('; ') || otherwise
}

function negation(part: Evaluated): Evaluated {
  const opposite = { met: 'unmet', unmet: 'met', asked: 'asked' } as const
  const worth = { now: not(part.now), later: not(part.later) }
  return {
    ...{ ...worth, text: 'not', reason: part.reason },
    show: (purpose) => node('not', worth, part.reason, purpose, [part.show(opposite[within(worth, purpose)])]),
  }
}

/** Only the branch that counts is shown; both while it is not known which. */
function conditional(asked: Evaluated, then: Evaluated, otherwise: Evaluated | null): Evaluated {
  const alternative = otherwise ?? { now: true, later: true }
  const worth = {
    now: either(asked.now, then.now, alternative.now),
    later: either(asked.later, then.later, alternative.later),
  }
  const taken = asked.now === null ? [then, otherwise] : [asked.now ? then : otherwise]
  const shown = taken.filter((each) => each !== null)
  const reason =
    asked.now === null
      ? [asked, ...shown].map((each) => each.reason).join('; ')
      : (shown[0]?.reason ?? `does not apply: ${asked.reason}`)
  return {
    ...{ ...worth, text: 'if', reason },
    show: (purpose) =>
      node('if', worth, reason, purpose, [
        asked.show('asked'),
        ...shown.map((each) => each.show(within(worth, purpose))),
      ]),
  }
}

function leaf({ text, truth, final, reason, values, toHold, toEnd }: ResolvedFact): Evaluated {
  const worth = { now: truth, later: final ? truth : null }
  return {
    ...worth,
    text,
    reason,
    show: (purpose) => ({ ...node(text, worth, reason, purpose), values, ...needs(worth, purpose, toHold, toEnd) }),
  }
}

function check({ name, declared }: { name: string; declared: boolean }, { checks }: World): Evaluated {
  const result = checks[name]
  const text = `check: ${name}`
  const missing = declared ? `${name} has not run` : `the policy has no check ${name}`
  const reason = result === undefined ? missing : `${name}: ${result.reason}`
  const truth = result === undefined ? null : passed(result)
  const worth = { now: truth, later: truth }
  const toHold = declared ? 'run the checks again' : `declare the check ${name} in the policy`
  return {
    ...{ ...worth, text, reason },
    show: (purpose) => ({
      ...node(text, worth, reason, purpose),
      ...{ evidence: result?.id || null, values: { conclusion: result?.conclusion ?? null } },
      ...needs(worth, purpose, toHold, null),
    }),
  }
}

/** What did not end is not known. */
function passed({ conclusion }: CheckResult): Truth {
  switch (conclusion) {
    case 'passed':
      return true
    case 'failed':
    case 'timed-out':
      return false
    default:
      return null
  }
}

function time(condition: Extract<ResolvedCondition, { kind: 'time' }>, { now }: World): Evaluated {
  const { text, open, knownUntil } = condition
  const at = Date.parse(now)
  const current = open.find((interval) => includes(interval, at))
  const next = open.find(({ from }) => Date.parse(from) > at)
  const looked = knownUntil === null || Date.parse(knownUntil) > at
  const truth = current ? true : next || looked ? false : null
  const opens = truth ? null : (next?.from ?? knownUntil)
  const closes = current?.until ?? null
  const worth = { now: truth, later: truth === null || opens || closes ? null : truth }
  const reason = timeReason(truth, opens, closes)
  return {
    ...{ ...worth, text, reason },
    show: (purpose) => ({
      ...node(text, worth, reason, purpose),
      ...{ values: { opens, closes } },
      ...needs(worth, purpose, opens && `wait until ${opens}`, closes && `wait until ${closes}`),
    }),
  }
}

function timeReason(truth: Truth, opens: Instant | null, closes: Instant | null): string {
  if (truth === null) return 'the time is to be looked at again'
  if (truth) return closes === null ? 'the time has come' : `open until ${closes}`
  return opens === null ? 'the time has passed' : `closed until ${opens}`
}

function includes({ from, until }: Interval, at: number): boolean {
  return Date.parse(from) <= at && (until === null || at < Date.parse(until))
}

function timesOf(condition: ResolvedCondition | null): OpenTimes[] {
  switch (condition?.kind) {
    case 'all':
    case 'any':
      return condition.of.flatMap(timesOf)
    case 'not':
      return timesOf(condition.of)
    case 'if':
      return [condition.if, condition.then, condition.else].flatMap(timesOf)
    case 'time':
      return [condition]
    default:
      return []
  }
}

function branch(text: string, worth: Worth, reason: string, parts: Evaluated[]): Evaluated {
  return {
    ...{ ...worth, text, reason },
    show: (purpose) =>
      node(
        text,
        worth,
        reason,
        purpose,
        parts.map((part) => part.show(within(worth, purpose))),
      ),
  }
}

function node(text: string, worth: Worth, reason: string, purpose: Purpose, rules?: Rule[]): Rule {
  return {
    rule: text,
    outcome: outcomeOf(worth, purpose),
    reason: cut(reason),
    evidence: null,
    ...(rules ? { rules } : {}),
  }
}

/** What a condition was only asked about can't fail: where it does not hold, it is skipped. */
function outcomeOf({ now, later }: Worth, purpose: Purpose): RuleOutcome {
  if (now === true) return 'pass'
  if (now === null) return 'pending'
  if (purpose !== 'met') return 'skipped'
  return later === false ? 'fail' : 'pending'
}

/** Inside of what is as it is to be, nothing has to change any more. */
function within({ now }: Worth, purpose: Purpose): Purpose {
  return now === (purpose === 'met') && purpose !== 'asked' ? 'asked' : purpose
}

function needs({ now }: Worth, purpose: Purpose, toHold: string | null, toEnd: string | null): Pick<Rule, 'needs'> {
  const need = purpose === 'met' && now !== true ? toHold : purpose === 'unmet' && now !== false ? toEnd : null
  return need === null ? {} : { needs: need }
}

const cut = (reason: string): string => oneLine(reason, MAX_REASON)
