import { z } from 'zod'
import { reservedNames } from '#domain/check-names'
import { isZone, parseInstant, parseWindow } from './time-windows.ts'

/** A snapshot carries every condition of a policy, and a comment shows them. */
const MAX_CONDITIONS = 200
const MAX_DEPTH = 20
const MAX_RULES = 50
const MAX_LIST = 50
const MAX_TEXT = 200

const text = (what: string) =>
  z
    .string({ error: `must be ${what}` })
    .regex(/\S/, { error: `must be ${what}`, abort: true })
    .max(MAX_TEXT, { error: `must have at most ${MAX_TEXT} characters` })
const glob = () =>
  text('a glob').refine((pattern) => !pattern.startsWith('!'), { error: 'must not start with "!": use `not`' })
const oneOrMore = <T extends z.ZodType>(each: T, what: string) =>
  z.union([each, z.array(each).min(1).max(MAX_LIST)], { error: `must be ${what}, or a list of them` })

const range = z
  .strictObject({ min: z.int().min(0).optional(), max: z.int().min(0).optional() })
  .refine(({ min, max }) => min !== undefined || max !== undefined, { error: 'must have `min`, `max`, or both' })
  .refine(({ min = 0, max = Number.POSITIVE_INFINITY }) => min <= max, {
    error: 'must have a `min` not over its `max`',
  })

const size = z
  .strictObject({
    files: range.optional().describe('Changed files'),
    lines: range.optional().describe('Lines added and removed; of a binary file none'),
  })
  .refine(({ files, lines }) => files !== undefined || lines !== undefined, {
    error: 'must have `files`, `lines`, or both',
  })

const time = z
  .strictObject({
    within: oneOrMore(
      text('a window such as Mon-Fri 09:00-17:00').refine((window) => parseWindow(window) !== null, {
        error: 'must be a window such as Mon-Fri 09:00-17:00',
      }),
      'a window such as Mon-Fri 09:00-17:00',
    ).optional(),
    after: text('a date or time').optional().describe('At or after, such as 2026-12-24 or 2026-12-24T18:00+01:00'),
    before: text('a date or time').optional().describe('Before, such as 2026-12-24 or 2026-12-24T18:00+01:00'),
    zone: text('the name of a time zone')
      .refine(isZone, { error: 'must be the name of a time zone such as Europe/Berlin' })
      .default('UTC')
      .describe('In which times without an offset are meant'),
  })
  .superRefine(checkTime)

/** `2`, or `{ count: 2, from: [release-managers] }`. */
export const approvals = z.union(
  [
    z.int().min(0).max(100),
    z.strictObject({
      count: z.int().min(0).max(100).default(1),
      from: z.array(text('a person or a group')).min(1).max(MAX_LIST).optional().describe('People or groups'),
    }),
  ],
  { error: 'must be a whole number, or { count: 2, from: [people or groups] }' },
)

/** `2`, or `{ count: 2, from: [reviewers], ask: true }`. */
export const reviewApprovals = z.union(
  [
    z.int().min(0).max(100),
    z.strictObject({
      count: z.int().min(0).max(100).default(1),
      from: z.array(text('a person or a group')).min(1).max(MAX_LIST).optional().describe('People or groups'),
      ask: z
        .boolean()
        .default(false)
        .describe('Ask for approvals that are missing once nothing else is, in the inbox and as `people` want it'),
    }),
  ],
  { error: 'must be a whole number, or { count: 2, from: [people or groups] }' },
)

/** A map with one key, or `if`, `then` and perhaps `else`. */
export type DeclaredCondition = {
  all?: DeclaredCondition[] | undefined
  any?: DeclaredCondition[] | undefined
  not?: DeclaredCondition | undefined
  if?: DeclaredCondition | undefined
  then?: DeclaredCondition | undefined
  else?: DeclaredCondition | undefined
  label?: string | string[] | undefined
  paths?: string | string[] | { only: string | string[] } | undefined
  author?: string | string[] | undefined
  group?: string | string[] | undefined
  size?: z.output<typeof size> | undefined
  base?: string | string[] | undefined
  time?: z.output<typeof time> | undefined
  approvals?: z.output<typeof approvals> | undefined
  check?: string | undefined
}

const nested = (): z.ZodType<DeclaredCondition> => z.lazy(() => condition)
const list = () => z.array(nested()).min(1).max(MAX_LIST)

const condition: z.ZodType<DeclaredCondition> = z
  .strictObject({
    all: list().optional().describe('Each of them'),
    any: list().optional().describe('One of them at least'),
    not: nested().optional(),
    if: nested().optional().describe('Decides between `then` and `else`'),
    then: nested().optional(),
    else: nested().optional().describe('Without it, nothing is required where `if` does not hold'),
    label: oneOrMore(glob(), 'a label').optional().describe('It has one of these labels (globs)'),
    paths: z
      .union([glob(), z.array(glob()).min(1).max(MAX_LIST), z.strictObject({ only: oneOrMore(glob(), 'a glob') })], {
        error: 'must be a glob, a list of them, or { only: [globs] }',
      })
      .optional()
      .describe('It changes a path that matches; with `only`, it changes no other'),
    author: oneOrMore(text('a person'), 'a person').optional().describe('One of them opened it'),
    group: oneOrMore(text('a group'), 'a group').optional().describe('Its author is in one of these groups'),
    size: size.optional().describe('How much it changes'),
    base: oneOrMore(glob(), 'a branch').optional().describe('It lands on one of these branches (globs)'),
    time: time.optional().describe('The time at which it is decided about'),
    approvals: approvals.optional().describe('So many approvals of its head by others than its author'),
    check: text('the name of a check').optional().describe('This check of `checks` passed'),
  })
  .superRefine(checkKeys)
  .meta({ id: 'condition', minProperties: 1, maxProperties: 3 })

const rule = z.strictObject({
  name: text('a name')
    .max(60, { error: 'must have at most 60 characters' })
    .refine((name) => name !== 'tests' && !reservedNames.includes(name), {
      error: 'must not be the name of a built-in criterion',
    })
    .optional()
    .describe('By default rule-1, rule-2 and so on'),
  if: condition.optional().describe('The rule applies only where this holds'),
  require: z
    .union([condition, z.array(condition).min(1).max(MAX_LIST)], { error: 'must be a condition, or a list of them' })
    .describe('What must hold, so that the PR lands; of a list, all'),
})

/** `rules` of `.switchyard.yaml`. */
export const rules = z
  .array(rule)
  .max(MAX_RULES)
  .superRefine(checkRules)
  .describe('Criteria of your own, besides the built-in ones')

export const policyChange = z
  .strictObject({ approvals: approvals.default(0).describe('Of the head, by others than its author') })
  .describe('What a PR that changes this file needs besides; it lands alone')

export type DeclaredRule = z.output<typeof rule>
export type DeclaredApprovals = z.output<typeof approvals>

function checkKeys(declared: DeclaredCondition, context: z.RefinementCtx): void {
  if (context.issues.length > 0) return
  const keys = Object.entries(declared).flatMap(([key, value]) => (value === undefined ? [] : [key]))
  const branches = ['if', 'then', 'else']
  if (keys.length > 0 && keys.every((key) => branches.includes(key))) {
    if (declared.if === undefined || declared.then === undefined) context.addIssue('must have both `if` and `then`')
  } else if (keys.length !== 1) {
    context.addIssue(`must have exactly one key${keys.length === 0 ? '' : `, not ${keys.join(' and ')}; use \`all\``}`)
  }
}

function checkTime({ within, after, before, zone }: z.output<typeof time>, context: z.RefinementCtx): void {
  if (within === undefined && after === undefined && before === undefined) {
    context.addIssue('must have `within`, `after` or `before`')
    return
  }
  const parsed = { after: after && parseInstant(after, zone), before: before && parseInstant(before, zone) }
  for (const [key, instant] of Object.entries(parsed)) {
    const message = 'must be a date or time such as 2026-12-24 or 2026-12-24T18:00+01:00'
    if (instant === null) context.addIssue({ code: 'custom', path: [key], message })
  }
  if (parsed.after && parsed.before && parsed.after >= parsed.before) {
    context.addIssue({ code: 'custom', path: ['before'], message: 'must be later than `after`' })
  }
}

function checkRules(declared: DeclaredRule[], context: z.RefinementCtx): void {
  const seen = new Set<string>()
  for (const [index, { name }] of declared.entries()) {
    if (name === undefined) continue
    if (seen.has(name)) context.addIssue({ code: 'custom', path: [index, 'name'], message: 'is there twice' })
    seen.add(name)
  }
  const measured = declared.map((each) => measure([...(each.if ? [each.if] : []), ...[each.require].flat()]))
  const total = measured.reduce((sum, { count }) => sum + count, 0)
  if (total > MAX_CONDITIONS) context.addIssue(`must have at most ${MAX_CONDITIONS} conditions, found ${total}`)
  const deep = measured.findIndex(({ depth }) => depth > MAX_DEPTH)
  if (deep >= 0) {
    context.addIssue({ code: 'custom', path: [deep], message: `is nested more than ${MAX_DEPTH} deep` })
  }
}

function measure(conditions: DeclaredCondition[]): { count: number; depth: number } {
  const inner = conditions.map((each) =>
    measure([
      ...(each.all ?? []),
      ...(each.any ?? []),
      ...[each.not, each.if, each.then, each.else].filter((one) => one !== undefined),
    ]),
  )
  return {
    count: conditions.length + inner.reduce((sum, { count }) => sum + count, 0),
    depth: conditions.length === 0 ? 0 : 1 + Math.max(...inner.map(({ depth }) => depth)),
  }
}
