import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { PolicyReader } from '#activities/policy/port'
import type { GitRepository } from '#activities/git/port'
import { TooLargeError } from '#activities/git/run'
import { defaultPolicy, parsePolicy, policyDigest, policyFacts, policyFileName } from '#config/policy'
import { fileProblem, formatProblem, type ConfigProblem } from '#config/problems'
import { createRuleTools } from '#config/rules'
import type { Policy, PolicyFacts, PolicySource } from '#domain/policy'
import type { Sha } from '#domain/pull-request'
import type { ProposedPolicy } from '#domain/rules/facts'
import type { Installation } from './installation.ts'

const MAX_POLICY_BYTES = 256 * 1024

type Resolved = { policy: Policy; facts: PolicyFacts }

/** Where `init` keeps the policy that applies until the base branch has one. */
export function initialPolicyFile(home: string, repo: string): string {
  return join(home, 'policies', `${repo}.yaml`)
}

/** Reads policies from base branches; a text that was parsed once is not parsed again. */
export function createPolicyReader(
  installation: Pick<Installation, 'ledger' | 'paths' | 'repository'>,
  /** Told once for each new policy of a base branch. */
  onPolicy: (repo: string, branch: string, policy: Policy) => Promise<void> = async () => undefined,
): PolicyReader {
  const { ledger, paths } = installation
  const parsed = new Map<string, ReturnType<typeof parsePolicy>>()

  function parse(text: string, file: string): ReturnType<typeof parsePolicy> {
    const key = createHash('sha256').update(text).digest('hex')
    const known = parsed.get(key) ?? parsePolicy(text, file)
    if (parsed.size > 100) parsed.clear()
    parsed.set(key, known)
    return known
  }

  async function initial(repo: string): Promise<Resolved> {
    const file = initialPolicyFile(paths.home, repo)
    const text = await readFile(file, 'utf8').catch(() => null)
    const result = text === null ? null : parse(text, file)
    if (result?.ok) return resolved(result.policy, result.digest, 'init', null)
    const fallback = defaultPolicy()
    return resolved(fallback, policyDigest(fallback), 'init', result === null ? null : describe(result.problems))
  }

  const marked = new Map<string, string>()

  async function markGood(repo: string, branch: string, digest: string, policy: Policy): Promise<void> {
    const key = `${repo}@${branch}`
    if (marked.get(key) === digest) return
    await ledger.savePolicy(repo, digest, policy)
    await ledger.markGoodPolicy(repo, branch, digest, new Date().toISOString())
    await onPolicy(repo, branch, policy)
    marked.set(key, digest)
  }

  return {
    ruleTools: createRuleTools(),
    proposed: (repo, changedPaths, commit) => proposed(installation.repository(repo), parse, changedPaths, commit),
    async read(repo, branch, commit) {
      const result = await parsedAt(installation.repository(repo), parse, commit)
      if (result === null) return initial(repo)
      if (result.ok) {
        await markGood(repo, branch, result.digest, result.policy)
        return resolved(result.policy, result.digest, 'base', null)
      }
      const problem = describe(result.problems)
      const good = await ledger.lastGoodPolicy(repo, branch)
      if (good) return resolved(good.policy, good.digest, 'last-good', problem)
      const first = await initial(repo)
      return { ...first, facts: { ...first.facts, problem } }
    },
  }
}

type Parse = (text: string, file: string) => ReturnType<typeof parsePolicy>

async function proposed(
  repository: GitRepository,
  parse: Parse,
  changedPaths: string[],
  commit: Sha,
): Promise<ProposedPolicy | null> {
  if (!changedPaths.includes(policyFileName)) return null
  const result = await parsedAt(repository, parse, commit)
  if (result === null) return { digest: null, problem: null }
  return result.ok ? { digest: result.digest, problem: null } : { digest: null, problem: describe(result.problems) }
}

/** The policy file of a commit. One that is too large does not parse: no size of it stops a pipeline. */
async function parsedAt(
  repository: GitRepository,
  parse: Parse,
  commit: Sha,
): Promise<ReturnType<typeof parsePolicy> | null> {
  try {
    const content = await repository.readFile(commit, policyFileName, MAX_POLICY_BYTES)
    return content === null ? null : parse(content.toString('utf8'), policyFileName)
  } catch (error) {
    if (!(error instanceof TooLargeError)) throw error
    return { ok: false, problems: [fileProblem(policyFileName, `is larger than ${MAX_POLICY_BYTES / 1024} KB`)] }
  }
}

function resolved(policy: Policy, digest: string, source: PolicySource, problem: string | null): Resolved {
  return { policy, facts: policyFacts(policy, digest, source, problem) }
}

function describe(problems: ConfigProblem[]): string {
  return problems.map(formatProblem).join('; ')
}
