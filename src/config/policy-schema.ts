import { z } from 'zod'
import type { Policy, ReviewerPolicy, ReviewPolicy } from '#domain/policy'
import { resolveApprovalsRequired, resolveRuleList, ruleNames } from './rules.ts'
import { checksWith, command, ownNames, resolveOwn, resolveTests, text, timeout } from './schema-checks.ts'
import { commands } from './schema-commands.ts'
import { merge } from './schema-merge.ts'
import { overrides, problemOfOverride } from './schema-overrides.ts'
import { questions, resolveQuestions } from './schema-questions.ts'
import { policyChange, reviewApprovals, rules } from './schema-rules.ts'
import { duration, size } from './units.ts'

const allowance = z.strictObject({
  pattern: text().refine(isPattern, { error: 'must be a regular expression' }).describe('A regular expression'),
  reason: text('must be a reason that is not empty').describe('Why it is no secret'),
  until: z.iso
    .date({ error: 'must be a date such as 2027-01-31' })
    .describe('The last day on which the allowance counts'),
})

const reviewer = z.strictObject({
  run: command().describe('Gets the diff on standard input, answers findings as JSON'),
  name: text().optional().describe('By default the name of the command'),
  timeout: timeout('5m'),
})

const review = z.strictObject({
  maxFileSize: size().prefault('5MB'),
  forbiddenPaths: z.array(text()).default([]).describe('Glob patterns of paths that no PR may change'),
  reviewers: z.array(reviewer).default([]).refine(namesDiffer, {
    error: 'has two reviewers of the same name; give one of them another `name`',
  }),
  approvals: reviewApprovals.default(0).describe("Approvals of the PR's head by people other than its author"),
})

const checks = checksWith({
  secrets: z.strictObject({ allow: z.array(allowance).default([]) }).prefault({}),
  review: review.prefault({}),
})

const notYet = 'Accepted, without effect in this version'

const declaredPolicy = z.strictObject({
  $schema: z.string().optional(),
  version: z.literal(1).default(1),
  base: z
    .array(z.string().refine(isBranchName, { error: 'must be the name of a branch' }))
    .min(1)
    .refine((names) => new Set(names).size === names.length, { error: 'names a branch twice' })
    .default(['main'])
    .describe('Protected branches, into which PRs land'),
  checks: checks.prefault({}),
  evidence: z
    .strictObject({ maxAge: duration({ example: '7d' }).prefault('7d').describe('Older passes are not reused') })
    .prefault({}),
  merge: merge.prefault({}),
  mode: z
    .enum(['live', 'dry-run'])
    .default('live')
    .describe('dry-run: all is decided and shown, nothing lands and nobody is told on the forge'),
  rules: rules.optional(),
  policyChange: policyChange.optional(),
  commands: commands.optional(),
  questions: questions.optional(),
  overrides: overrides.optional(),
  queue: z.looseObject({}).optional().describe(notYet),
  release: z.looseObject({}).optional().describe(notYet),
  environments: z
    .array(z.looseObject({ name: text() }))
    .optional()
    .describe(notYet),
  qa: z.looseObject({}).optional().describe(notYet),
})

/** `.switchyard.yaml`. */
export const policySchema = declaredPolicy.superRefine(checkNamesOfRules).superRefine(checkOverrides)

/** Drops what this build does not act on, so that it is in no digest. */
export function resolvePolicy(declared: z.output<typeof policySchema>): Policy {
  const {
    version,
    base,
    checks,
    evidence,
    merge,
    commands,
    mode,
    rules = [],
    policyChange,
    questions,
    overrides,
  } = declared
  return {
    ...(mode === 'live' ? {} : { mode }),
    ...(rules.length > 0 ? { rules: resolveRuleList(rules) } : {}),
    ...(policyChange ? { policyChange: resolveApprovalsRequired(policyChange.approvals) } : {}),
    ...(commands ? { commands } : {}),
    ...(questions ? { questions: resolveQuestions(questions) } : {}),
    ...(overrides ? { overrides } : {}),
    version,
    base,
    checks: {
      tests: resolveTests(checks.tests),
      secrets: { allow: checks.secrets.allow },
      review: resolveReview(checks.review),
      ...resolveOwn(checks),
    },
    evidence,
    merge,
  }
}

function resolveReview({ approvals, reviewers, ...declared }: z.output<typeof review>): ReviewPolicy {
  const { count, from } = resolveApprovalsRequired(approvals)
  const approvers = from === null ? {} : { approvers: from }
  const asks = typeof approvals === 'object' && approvals.ask ? { askForApprovals: true as const } : {}
  return { ...declared, reviewers: reviewers.map(resolveReviewer), approvals: count, ...approvers, ...asks }
}

function resolveReviewer(reviewer: { run: string; name?: string | undefined; timeout: number }): ReviewerPolicy {
  return { name: reviewerName(reviewer), run: reviewer.run, timeout: reviewer.timeout }
}

function reviewerName({ run, name }: { run: string; name?: string | undefined }): string {
  const [program = run] = run.trim().split(/\s+/)
  return name ?? (program.split('/').findLast((part) => part !== '') || program)
}

function namesDiffer(reviewers: { run: string; name?: string | undefined }[]): boolean {
  return new Set(reviewers.map(reviewerName)).size === reviewers.length
}

/** A decision shows checks and rules side by side, by their names. */
function checkNamesOfRules({ checks, rules = [] }: z.output<typeof declaredPolicy>, context: z.RefinementCtx): void {
  const taken = new Set(ownNames(checks))
  for (const [index, name] of ruleNames(rules).entries()) {
    if (!taken.has(name)) continue
    const place = ['rules', index]
    if (rules[index]?.name === undefined) {
      const message = `is called ${name} where it has no name, as a check is: give it another \`name\``
      context.addIssue({ code: 'custom', path: place, message })
    } else context.addIssue({ code: 'custom', path: [...place, 'name'], message: 'must not be the name of a check' })
  }
}

function checkOverrides(
  { checks, rules = [], overrides }: z.output<typeof declaredPolicy>,
  context: z.RefinementCtx,
): void {
  const ofRange = Object.entries(resolveOwn(checks).own ?? {}).flatMap(([name, { subject }]) => {
    return subject === 'range' ? [name] : []
  })
  const known = { own: ownNames(checks), ofRange, rules: ruleNames(rules) }
  for (const [index, path] of (overrides?.rules ?? []).entries()) {
    const message = problemOfOverride(path, known)
    if (message !== null) context.addIssue({ code: 'custom', path: ['overrides', 'rules', index], message })
  }
}

function isPattern(pattern: string): boolean {
  try {
    return new RegExp(pattern) instanceof RegExp
  } catch {
    return false
  }
}

/** The rules of `git check-ref-format`, and no leading `-`. */
function isBranchName(name: string): boolean {
  // eslint-disable-next-line no-control-regex -- control characters are what it looks for
  if (name === '' || name === '@' || /^-|\.\.|@\{|[\u0000-\u0020\u007f~^:?*[\\]|\.$/.test(name)) return false
  return name.split('/').every((part) => part !== '' && !part.startsWith('.') && !part.endsWith('.lock'))
}
