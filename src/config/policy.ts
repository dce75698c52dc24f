import { createHash } from 'node:crypto'
import type { KnownPerson } from '#domain/people'
import {
  commandsOf,
  type CheckName,
  type PlannedCheck,
  type Policy,
  type PolicyFacts,
  type PolicySource,
} from '#domain/policy'
import { policyWarnings } from '#domain/rules/warnings'
import { policySchema, resolvePolicy } from './policy-schema.ts'
import type { ConfigProblem } from './problems.ts'
import { validateYaml } from './validate.ts'
import { readYaml } from './yaml-document.ts'

export { policyFileName } from '#domain/policy'

/** Raised when what the scan finds or covers changes: a pass of an older scanner is no pass. */
const SCANNER = 2

const FIVE_MINUTES = 300_000
/** The scan and the review start no process of the repository's own that could be to blame; one more try is enough. */
const OWN_CHECK_RETRIES = 1

export type ParsedPolicy = { ok: true; policy: Policy; digest: string } | { ok: false; problems: ConfigProblem[] }

/** Reads `.switchyard.yaml`, with every default filled in. `file` is the name shown in problems. Never throws. */
export function parsePolicy(text: string, file: string): ParsedPolicy {
  const result = validateYaml(policySchema, text, file)
  if (!result.ok) return result
  const policy = resolvePolicy(result.value)
  return { ok: true, policy, digest: policyDigest(policy) }
}

/** What will never be met in a policy that `parsePolicy` took, each at its place in the text. */
export function placedWarnings(policy: Policy, people: KnownPerson[], text: string, file: string): ConfigProblem[] {
  const read = readYaml(text, file)
  if (!read.ok) return read.problems
  const { document } = read
  const warnings = policyWarnings(policy, people).map(({ path, name, message }) => {
    return { file, ...document.placeOfText(path, name), path: path.join('.'), message }
  })
  return warnings.sort((a, b) => a.line - b.line || a.column - b.column)
}

/** The policy of an empty file: no tests, every default. */
export function defaultPolicy(): Policy {
  return resolvePolicy(policySchema.parse({}))
}

/** SHA-256 of the resolved policy: comments, order of keys and defaults that are written out don't count. */
export function policyDigest(policy: Policy): string {
  return sha256(policy)
}

/** SHA-256 of what decides a check's outcome. Timeouts, retries and approvals don't. */
export function checkDigest(policy: Policy, check: CheckName): string {
  return sha256({ check, ...digested(policy, check) })
}

/** What a workflow needs of a policy. `problem`: why the base's own file does not apply, when it does not. */
export function policyFacts(policy: Policy, digest: string, source: PolicySource, problem: string | null): PolicyFacts {
  return {
    digest,
    source,
    problem,
    checks: plannedChecks(policy),
    merge: policy.merge,
    approvals: policy.checks.review.approvals,
    ...(policy.checks.review.askForApprovals ? { askForApprovals: policy.questions?.approval ?? {} } : {}),
    ...(policy.overrides ? { overrides: { ...policy.overrides, ladder: policy.questions?.escalation ?? {} } } : {}),
    ...(policy.mode ? { mode: policy.mode } : {}),
    evidenceMaxAge: policy.evidence.maxAge,
  }
}

function plannedChecks(policy: Policy): PlannedCheck[] {
  const { review } = policy.checks
  const reviewers = review.reviewers.reduce((sum, reviewer) => sum + reviewer.timeout, 0)
  const builtIn = (name: 'secrets' | 'review', timeout: number): PlannedCheck => ({
    ...{ name, kind: name, subject: 'range', digest: checkDigest(policy, name) },
    ...{ timeout, retries: OWN_CHECK_RETRIES },
  })
  return [
    ...[...commandsOf(policy)].map(([name, { subject = 'tree', timeout, retries }]): PlannedCheck => {
      return { name, kind: 'command', subject, digest: checkDigest(policy, name), timeout, retries }
    }),
    builtIn('secrets', FIVE_MINUTES),
    builtIn('review', FIVE_MINUTES + reviewers),
  ]
}

function digested(policy: Policy, check: CheckName): object {
  const { secrets, review } = policy.checks
  if (check === 'secrets') return { allow: secrets.allow, scanner: SCANNER }
  if (check === 'review') {
    const { maxFileSize, forbiddenPaths, reviewers } = review
    return { maxFileSize, forbiddenPaths, reviewers }
  }
  const command = commandsOf(policy).get(check)
  if (!command) return { run: null }
  const { run, subject = 'tree', setup, keep, report = null, env, network } = command
  return { run, subject, setup, keep, report, env: [...new Set(env)].sort(), network }
}

function sha256(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex')
}

/** JSON with sorted keys, so that the same content has one text. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}
