import { maskedText } from '../mask.ts'
import { identityOf, isAnyOf, isInGroup, isKnownName, isPerson, type KnownPerson } from '../people.ts'
import type { Instant } from '../pull-request.ts'
import { oneLine } from '../text.ts'
import type { ApprovalsRequired, Condition, Range, RulePolicy, TimeCondition } from './condition.ts'
import type { OpenTimes, ResolvedApprovals, ResolvedCondition, ResolvedFact, ResolvedRule } from './resolved.ts'
import type { Truth } from './truth.ts'

/** What the conditions of a policy ask about a PR. */
export type RuleSubject = {
  author: string
  labels: string[]
  base: string
  changedPaths: string[]
  /** Lines added and removed; null: nobody counted. */
  lines: number | null
  /** Approvers of the head, without its author. */
  approvedBy: string[]
  /** The checks that the policy declares. */
  checks: string[]
  people: KnownPerson[]
  now: Instant
}

/** What the domain has no means for: globs, and the rules of time zones. */
export type RuleTools = {
  matchesName(glob: string, name: string): boolean
  matchesPath(glob: string, path: string): boolean
  openTimes(time: TimeCondition, from: Instant): OpenTimes
}

const MAX_TEXT = 200
const MAX_EXAMPLES = 3

export function resolveRules(rules: RulePolicy[], subject: RuleSubject, tools: RuleTools): ResolvedRule[] {
  const resolve = (condition: Condition) => resolveCondition(condition, subject, tools)
  return rules.map((rule) => ({
    name: rule.name,
    if: rule.if === null ? null : resolve(rule.if),
    require: resolve(rule.require),
  }))
}

export function resolveApprovals(
  { count, from }: ApprovalsRequired,
  { approvedBy, people }: Pick<RuleSubject, 'approvedBy' | 'people'>,
): ResolvedApprovals {
  return {
    count,
    from,
    by: from === null ? approvedBy : approvedBy.filter((actor) => isAnyOf(from, actor, people)),
    unknown: (from ?? []).filter((name) => !isKnownName(name, people)),
  }
}

function resolveCondition(condition: Condition, subject: RuleSubject, tools: RuleTools): ResolvedCondition {
  const resolve = (inner: Condition) => resolveCondition(inner, subject, tools)
  switch (condition.kind) {
    case 'all':
    case 'any':
      return { kind: condition.kind, of: condition.of.map(resolve) }
    case 'not':
      return { kind: 'not', of: resolve(condition.of) }
    case 'if': {
      const otherwise = condition.else === null ? null : resolve(condition.else)
      return { kind: 'if', if: resolve(condition.if), then: resolve(condition.then), else: otherwise }
    }
    case 'label':
      return label(condition.globs, subject, tools)
    case 'paths':
      return paths(condition, subject, tools)
    case 'author':
      return author(condition.names, subject)
    case 'group':
      return group(condition.names, subject)
    case 'size':
      return size(condition, subject)
    case 'base':
      return base(condition.globs, subject, tools)
    case 'time':
      return { kind: 'time', text: cut(timeText(condition)), ...tools.openTimes(condition, subject.now) }
    case 'approvals':
      return approvals(condition, subject)
    case 'check':
      return { kind: 'check', name: condition.name, declared: subject.checks.includes(condition.name) }
  }
}

function label(globs: string[], { labels }: RuleSubject, tools: RuleTools): ResolvedFact {
  const found = labels.filter((name) => globs.some((glob) => tools.matchesName(glob, name)))
  const wanted = listed(globs)
  return fact(`label: ${wanted}`, found.length > 0, {
    final: false,
    reason: found.length > 0 ? `has the label ${listed(found)}` : `has no label ${wanted}`,
    values: { labels: shown(found) },
    toHold: `set the label ${wanted}`,
    toEnd: `take away the label ${listed(found)}`,
  })
}

function paths(
  { globs, only }: Extract<Condition, { kind: 'paths' }>,
  { changedPaths }: RuleSubject,
  tools: RuleTools,
): ResolvedFact {
  const wanted = listed(globs)
  const [inside, outside] = partition(changedPaths, (path) => globs.some((glob) => tools.matchesPath(glob, path)))
  if (!only) {
    const reason = inside.length > 0 ? `changes ${listed(inside)}` : `changes nothing in ${wanted}`
    return fact(`paths: ${wanted}`, inside.length > 0, { reason, values: { paths: shown(inside), of: inside.length } })
  }
  const holds = outside.length === 0 && inside.length > 0
  const reason = holds ? `changes nothing but ${wanted}` : `also changes ${listed(outside) || 'nothing'}`
  return fact(`paths: only ${wanted}`, holds, { reason, values: { paths: shown(outside), of: outside.length } })
}

function author(names: string[], { author, people }: RuleSubject): ResolvedFact {
  const holds = names.some((name) => identityOf(name, people) === identityOf(author, people))
  const reason = `the author is ${cut(author)}${holds ? '' : `, not ${listed(names)}`}`
  return fact(`author: ${listed(names)}`, holds, { reason, values: { author: cut(author) } })
}

/** A group without members is no answer: it is more likely a slip of the pen than meant. */
function group(names: string[], { author, people }: RuleSubject): ResolvedFact {
  const holds = people.some((person) => isPerson(person, author) && names.some((name) => isInGroup(person, name)))
  const unknown = names.filter((name) => !people.some((person) => isInGroup(person, name)))
  const truth = holds ? true : unknown.length > 0 ? null : false
  return fact(`group: ${listed(names)}`, truth, {
    reason: truth === null ? nobodyIn(unknown) : `${cut(author)} is ${holds ? '' : 'not '}in ${listed(names)}`,
    values: { author: cut(author), unknown: shown(unknown) },
    toHold: truth === null ? `name its members in \`people\` of switchyard.yaml` : null,
  })
}

function size(
  { files, lines }: Extract<Condition, { kind: 'size' }>,
  { changedPaths, lines: changed }: RuleSubject,
): ResolvedFact {
  const sizes = [
    { what: 'files', range: files, value: changedPaths.length },
    { what: 'lines', range: lines, value: changed },
  ].filter((each): each is { what: string; range: Range; value: number | null } => each.range !== null)
  const outside = sizes.filter(({ range, value }) => value !== null && !isInside(value, range))
  const uncounted = sizes.filter(({ value }) => value === null)
  const truth = outside.length > 0 ? false : uncounted.length > 0 ? null : true
  const inWords = ({ what, value }: { what: string; value: number | null }) =>
    value === null ? `the ${what} are not counted yet` : `${value} ${value === 1 ? what.slice(0, -1) : what} changed`
  const told = truth === false ? outside : truth === null ? uncounted : sizes
  return fact(`size: ${sizes.map(({ what, range }) => `${what} ${rangeText(range)}`).join(', ')}`, truth, {
    reason: told.map(inWords).join(', '),
    values: { files: changedPaths.length, lines: changed },
  })
}

function base(globs: string[], { base }: RuleSubject, tools: RuleTools): ResolvedFact {
  const holds = globs.some((glob) => tools.matchesName(glob, base))
  const reason = `lands on ${cut(base)}${holds ? '' : `, not on ${listed(globs)}`}`
  return fact(`base: ${listed(globs)}`, holds, { reason, values: { base: cut(base) } })
}

function approvals(required: ApprovalsRequired, subject: RuleSubject): ResolvedFact {
  const given = resolveApprovals(required, subject)
  const enough = given.by.length >= given.count
  const from = given.from === null ? '' : ` from ${listed(given.from)}`
  return fact(`approvals: ${given.count}${from}`, enough ? true : given.unknown.length > 0 ? null : false, {
    final: false,
    reason: approvalsReason(given),
    values: {
      from: shown(given.from ?? []),
      by: shown(given.by),
      count: given.by.length,
      of: given.count,
      unknown: shown(given.unknown),
    },
    toHold: `${given.count - given.by.length} more approval${given.count - given.by.length === 1 ? '' : 's'}${from}`,
    approvals: given,
  })
}

/** `1 of 2 approvals of this head from reviewers (bob)`. */
export function approvalsReason({ count, from, by, unknown }: ResolvedApprovals): string {
  if (count === 0) return `needs no approval${by.length > 0 ? `, and has those of ${by.join(', ')}` : ''}`
  const given = by.length > 0 ? ` (${by.join(', ')})` : ''
  const wanted = from === null ? '' : ` from ${listed(from)}`
  const nobody = by.length < count && unknown.length > 0 ? `; ${nobodyIn(unknown)}` : ''
  return `${by.length} of ${count} approvals of this head${wanted}${given}${nobody}`
}

function nobodyIn(names: string[]): string {
  return `nobody in this installation is ${names.map((name) => `${quoted(name)} or in a group of that name`).join(', ')}`
}

type FactDetails = Pick<ResolvedFact, 'reason' | 'values'> & Partial<ResolvedFact>

function fact(text: string, truth: Truth, details: FactDetails): ResolvedFact {
  const resolved = { kind: 'fact' as const, text: cut(text), truth, final: true, toHold: null, toEnd: null, ...details }
  return { ...resolved, reason: oneLine(resolved.reason, 2 * MAX_TEXT) }
}

function isInside(value: number, { min, max }: Range): boolean {
  return (min === null || value >= min) && (max === null || value <= max)
}

function rangeText({ min, max }: Range): string {
  if (min === null) return `at most ${max}`
  return max === null ? `at least ${min}` : `${min} to ${max}`
}

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']

function timeText({ windows, zone, after, before }: TimeCondition): string {
  const hours = windows.map((window) => {
    const on = window.days.length === 7 ? '' : `${window.days.map((day) => days[day]).join(',')} `
    return `${on}${clock(window.from)}-${clock(window.to)}`
  })
  const within = hours.length > 0 ? [`within ${hours.join(', ')} (${zone})`] : []
  const bounds = [after === null ? [] : [`after ${after}`], before === null ? [] : [`before ${before}`]]
  return `time: ${[...within, ...bounds.flat()].join(', ')}`
}

function clock(minutes: number): string {
  return [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0')).join(':')
}

function partition<T>(values: T[], belongs: (value: T) => boolean): [T[], T[]] {
  const inside: T[] = []
  const outside: T[] = []
  for (const value of values) (belongs(value) ? inside : outside).push(value)
  return [inside, outside]
}

/** Text from outside, as short as an example needs to be, without a secret. */
function cut(text: string): string {
  return oneLine(maskedText(text), MAX_TEXT)
}

const quoted = (text: string): string => `"${cut(text)}"`

function shown(values: string[]): string[] {
  return values.slice(0, MAX_EXAMPLES).map(cut)
}

function listed(values: string[]): string {
  const rest = values.length - MAX_EXAMPLES
  return [...shown(values), ...(rest > 0 ? [`${rest} more`] : [])].join(', ')
}
