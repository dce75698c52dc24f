import { z } from 'zod'
import type { Policy, ReviewerPolicy, CommandPolicy } from '#domain/policy'
import { limits } from './schema-limits.ts'
import { commands } from './schema-commands.ts'
import { duration, size } from './units.ts'

const DAY = 86_400_000
/** Longer than this no timer of Node.js can be set (2^31 ms). */
const LONGEST_TIMEOUT = 7 * DAY

/** What a merge message may name. */
export const messagePlaceholders = ['title', 'number', 'author', 'head', 'base'] as const

const text = (error = 'must be text that is not empty') => z.string({ error }).regex(/\S/, { error, abort: true })
const command = () => text('must be a command that is not empty')
const count = (max: number) => z.int().min(0).max(max)
const timeout = (fallback: string) => duration({ max: LONGEST_TIMEOUT, example: fallback }).prefault(fallback)

/** Kept paths are bound over what a PR's code sees: one that leaves the tree would reach this machine's files. */
const treePath = () =>
  text('must be a path in the repository').refine(staysInTree, {
    error: 'must be a relative path that stays in the repository and outside .git',
  })

const keep = z
  .strictObject({
    lockfile: treePath().describe('The file whose content decides whether `setup` runs again'),
    paths: z.array(treePath()).min(1).describe('What `setup` makes'),
  })
  .describe('Paths made by `setup`, kept between runs for as long as the lockfile stays the same')

const tests = z
  .strictObject({
    run: command().describe('The command that tests the repository; exit code 0 is a pass'),
    setup: command().optional().describe('Runs before the tests, with the network'),
    keep: keep.optional(),
    timeout: timeout('15m'),
    retries: count(10).default(1).describe('More tries after infrastructure failures; never after a red test'),
    report: treePath().optional().describe('A JUnit report that the command writes'),
    network: z.boolean().default(false).describe('Whether the command may use the network'),
    limits: limits.optional(),
    env: z
      .array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: 'must be the name of an environment variable' }))
      .default([])
      .describe("Variables passed through from the worker's environment"),
  })
  .describe('What lands must pass this; without it nothing lands')

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
  approvals: count(100).default(0).describe("Approvals of the PR's head by people other than its author"),
})

const method = z
  .enum(['merge', 'squash'], {
    error: (issue) =>
      issue.input === 'rebase' || issue.input === 'fast-forward'
        ? `is ${issue.input}, which is not yet supported; use merge or squash`
        : 'must be merge or squash',
  })
  .default('squash')

const merge = z.strictObject({
  auto: z.boolean().default(true).describe('Land an approved PR without `pr merge`'),
  method,
  message: text()
    .superRefine(checkTemplate)
    .default('{title} (#{number})')
    .describe(`Placeholders: ${messagePlaceholders.map((name) => `{${name}}`).join(' ')}`),
  deleteBranch: z.boolean().default(true).describe('Delete the head branch after landing'),
  staleAfter: duration({ example: '30d' }).prefault('30d').describe('A rejected PR without news ends after this'),
})

const checks = z.strictObject({
  tests: tests.optional(),
  secrets: z.strictObject({ allow: z.array(allowance).default([]) }).prefault({}),
  review: review.prefault({}),
})

const notYet = 'Accepted, without effect in this version'

/** `.switchyard.yaml`. */
export const policySchema = z.strictObject({
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
  commands: commands.optional(),
  queue: z.looseObject({}).optional().describe(notYet),
  release: z.looseObject({}).optional().describe(notYet),
  environments: z
    .array(z.looseObject({ name: text() }))
    .optional()
    .describe(notYet),
  qa: z.looseObject({}).optional().describe(notYet),
})

/** Drops what this build does not act on, so that it is in no digest. */
export function resolvePolicy(declared: z.output<typeof policySchema>): Policy {
  const { version, base, checks, evidence, merge, commands } = declared
  return {
    ...(commands ? { commands } : {}),
    version,
    base,
    checks: {
      tests: checks.tests ? resolveTests(checks.tests) : null,
      secrets: { allow: checks.secrets.allow },
      review: { ...checks.review, reviewers: checks.review.reviewers.map(resolveReviewer) },
    },
    evidence,
    merge,
  }
}

function resolveTests(declared: z.output<typeof tests>): CommandPolicy {
  const { run, setup, keep, timeout, retries, network, env, limits } = declared
  const command = { run, setup: setup ?? null, keep: keep ?? null, timeout, retries, network, env }
  return limits ? { ...command, limits } : command
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

function checkTemplate(template: string, context: z.RefinementCtx): void {
  const names = [...template.matchAll(/\{([^{}]*)\}/g)].map((match) => match[1] ?? '')
  const known = messagePlaceholders as readonly string[]
  const unknown = names.find((name) => !known.includes(name))
  const list = messagePlaceholders.map((name) => `{${name}}`).join(', ')
  if (unknown !== undefined) context.addIssue(`must name no other placeholders than ${list}`)
  else if (names.length === 0) context.addIssue(`must name at least one of the placeholders ${list}`)
}

function isPattern(pattern: string): boolean {
  try {
    return new RegExp(pattern) instanceof RegExp
  } catch {
    return false
  }
}

function staysInTree(path: string): boolean {
  const parts = path.split('/')
  // eslint-disable-next-line no-control-regex -- control characters are what it looks for
  if (path.startsWith('/') || path.startsWith('-') || /[\u0000-\u001f\u007f\\]/.test(path)) return false
  return (
    !parts.includes('..') && parts[0]?.toLowerCase() !== '.git' && parts.some((part) => part !== '' && part !== '.')
  )
}

/** The rules of `git check-ref-format`, and no leading `-`. */
function isBranchName(name: string): boolean {
  // eslint-disable-next-line no-control-regex -- control characters are what it looks for
  if (name === '' || name === '@' || /^-|\.\.|@\{|[\u0000-\u0020\u007f~^:?*[\\]|\.$/.test(name)) return false
  return name.split('/').every((part) => part !== '' && !part.startsWith('.') && !part.endsWith('.lock'))
}
