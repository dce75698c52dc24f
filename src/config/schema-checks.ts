import { z } from 'zod'
import { problemOfCheckName } from '#domain/check-names'
import type { CheckName, CommandPolicy } from '#domain/policy'
import { limits } from './schema-limits.ts'
import { duration } from './units.ts'

/** Longer than this no timer of Node.js can be set (2^31 ms). */
const LONGEST_TIMEOUT = 7 * 86_400_000

export const text = (error = 'must be text that is not empty') =>
  z.string({ error }).regex(/\S/, { error, abort: true })
export const command = () => text('must be a command that is not empty')
export const count = (max: number) => z.int().min(0).max(max)
export const timeout = (fallback: string) => duration({ max: LONGEST_TIMEOUT, example: fallback }).prefault(fallback)

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

const commandCheck = z.strictObject({
  run: command().describe('The command; exit code 0 is a pass'),
  subject: z
    .enum(['tree', 'range'])
    .default('tree')
    .describe("What a pass is about: `tree`, run again for each new tree, or `range`, the PR's own commits"),
  setup: command().optional().describe('Runs before the command, with the network'),
  keep: keep.optional(),
  timeout: timeout('15m'),
  retries: count(10).default(1).describe('More tries after infrastructure failures; never after a red check'),
  report: treePath().optional().describe('What the command writes: a JUnit report, or SARIF (*.sarif). May be a glob'),
  network: z.boolean().default(false).describe('Whether the command may use the network'),
  limits: limits.optional(),
  env: z
    .array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: 'must be the name of an environment variable' }))
    .default([])
    .describe("Variables passed through from the worker's environment"),
})

const tests = commandCheck
  .omit({ subject: true })
  .describe('What lands must pass this, or another check of the tree; without one nothing lands')

/** `checks`: the built-in ones given, and whatever else the policy names. */
export function checksWith<Secrets extends z.ZodType, Review extends z.ZodType>(builtIn: {
  secrets: Secrets
  review: Review
}) {
  return z
    .object({ tests: tests.optional(), ...builtIn })
    .catchall(commandCheck.describe("A check of the repository's own"))
    .superRefine((checks, context) => {
      for (const name of ownNames(checks)) {
        const problem = problemOfCheckName(name)
        if (problem !== null) context.addIssue({ code: 'custom', message: problem, path: [name] })
      }
    })
}

type DeclaredCommand = Omit<z.output<typeof commandCheck>, 'subject'> & { subject?: CommandPolicy['subject'] }

export function resolveTests(declared: z.output<typeof tests> | undefined): CommandPolicy | null {
  return declared ? resolveCommand(declared) : null
}

/** Nothing where the policy declares none, so that it stays the policy that it was. */
export function resolveOwn(checks: Record<string, unknown>): { own?: Record<CheckName, CommandPolicy> } {
  const names = ownNames(checks)
  if (names.length === 0) return {}
  return { own: Object.fromEntries(names.map((name) => [name, resolveCommand(checks[name] as DeclaredCommand)])) }
}

/** What is the default, and was not there before, is left out: a policy that says nothing of it keeps its digest. */
function resolveCommand(declared: DeclaredCommand): CommandPolicy {
  const { run, subject, setup, keep, timeout, retries, report, network, env, limits } = declared
  return {
    ...{ run, setup: setup ?? null, keep: keep ?? null, timeout, retries, network, env },
    ...(subject === 'range' ? { subject } : {}),
    ...(report === undefined ? {} : { report }),
    ...(limits ? { limits } : {}),
  }
}

export function ownNames(checks: Record<string, unknown>): string[] {
  return Object.keys(checks).filter((name) => !['tests', 'secrets', 'review'].includes(name))
}

function staysInTree(path: string): boolean {
  const parts = path.split('/')
  // eslint-disable-next-line no-control-regex -- control characters are what it looks for
  if (path.startsWith('/') || path.startsWith('-') || /[\u0000-\u001f\u007f\\]/.test(path)) return false
  return (
    !parts.includes('..') && parts[0]?.toLowerCase() !== '.git' && parts.some((part) => part !== '' && part !== '.')
  )
}
