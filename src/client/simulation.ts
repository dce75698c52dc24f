import { policyFacts } from '#config/policy'
import { checkSubject, runnableChecks } from '#domain/check-subjects'
import { decide } from '#domain/decide'
import type { CheckResults, Decision, Rule, RuleOutcome } from '#domain/decision'
import { isReusable, subjectKey, type CheckResult, type Evidence } from '#domain/evidence'
import { holdRule } from '#domain/hold'
import type { Policy, PolicySource } from '#domain/policy'
import type { Instant, Snapshot, SnapshotFacts } from '#domain/pull-request'
import { evidenceIds } from '#domain/rules'
import { asksForLines, policyFactsOf } from '#domain/rules/facts'
import type { Installation } from '#installation/installation'
import { createPolicyReader } from '#installation/policies'
import type { RecordedDecision } from '#ledger/port'

export type UnderPolicy = { policy: Policy; digest: string; source: PolicySource; problem: string | null }

export type RuleDifference = {
  rule: string
  /** null: it is no criterion there. */
  before: RuleOutcome | null
  after: RuleOutcome | null
  reason: string
}

export type Simulation = {
  repo: string
  number: number
  snapshotId: string
  /** What was decided, and when. */
  recorded: { outcome: Decision['outcome']; decidedAt: Instant; policyDigest: string }
  decision: Decision
  differences: RuleDifference[]
  /** Checks of the policy that have never run on this head. */
  neverRan: string[]
}

/** What another policy would have decided on the facts of a decision, at an instant. Runs nothing, changes nothing. */
export async function simulate(
  installation: Installation,
  recorded: RecordedDecision,
  under: UnderPolicy,
  at: Instant,
): Promise<Simulation | null> {
  const snapshot = await installation.ledger.snapshot(recorded.snapshotId)
  if (snapshot === null) return null
  const facts = await factsUnder(installation, { ...snapshot, takenAt: at }, under)
  const checks = await knownResults(installation, facts, recorded)
  const decision = withRecordedHold(decide(facts, checks, at), recorded)
  const { repo, number, snapshotId, outcome, decidedAt, policyDigest } = recorded
  return {
    ...{ repo, number, snapshotId, recorded: { outcome, decidedAt, policyDigest }, decision },
    differences: differencesOf(recorded.rules, decision.rules),
    neverRan: facts.policy.checks.map(({ name }) => name).filter((name) => checks[name] === undefined),
  }
}

/** A snapshot of the ledger as a workflow would carry it under a policy. */
export async function factsUnder(
  installation: Installation,
  snapshot: Snapshot,
  { policy, digest, source, problem }: UnderPolicy,
): Promise<SnapshotFacts> {
  const { repo, changedPaths, commits, head, mergeBase, mergeResult } = snapshot
  const git = installation.repository(repo)
  const reader = createPolicyReader(installation)
  const [lines, proposed] = await Promise.all([
    // What these commits change is the same for ever, as long as git still has them.
    asksForLines(policy) ? git.changedLines(mergeBase, head.sha).catch(() => null) : null,
    reader.proposed(repo, changedPaths, mergeResult?.commit ?? head.sha).catch(() => null),
  ])
  const frozen = snapshot.people ?? []
  const others = installation.config.people.filter(({ name }) => !frozen.some((person) => person.name === name))
  const given = { people: [...frozen, ...others], lines, proposed, tools: reader.ruleTools }
  return {
    ...snapshot,
    ...policyFactsOf(policy, snapshot, given),
    ...{ bodyDigest: '', commitCount: commits.length, pathCount: changedPaths.length, merged: null },
    isolationWarning: null,
    policy: policyFacts(policy, digest, source, problem),
  }
}

/** The evidence that decisions about this PR rest on, where it is of the very check and subject; else a pass of it. */
async function knownResults(
  installation: Installation,
  facts: SnapshotFacts,
  { repo, number }: RecordedDecision,
): Promise<CheckResults> {
  const { ledger } = installation
  const ids = evidenceIds((await ledger.decisions(repo, number)).flatMap(({ rules }) => rules))
  const known = (await Promise.all(ids.map((id) => ledger.evidence(id)))).filter((evidence) => evidence !== null)
  const newestFirst = known.sort((a, b) => Date.parse(b.finishedAt) - Date.parse(a.finishedAt))
  const results = await Promise.all(
    runnableChecks(facts).map(async (check) => {
      const subject = checkSubject(check, facts)
      const isOfIt = (each: Evidence) =>
        each.check === check.name && each.digest === check.digest && subjectKey(each.subject) === subjectKey(subject)
      const inAnySurroundings = true
      const found =
        newestFirst.find(isOfIt) ??
        (await ledger.findPass(repo, check.name, subject, check.digest, { inAnySurroundings }))
      if (!found) return []
      const stands = found.conclusion !== 'passed' || isReusable(found, facts.takenAt, facts.policy.evidenceMaxAge)
      return stands ? [[check.name, asResult(found)] as const] : []
    }),
  )
  return Object.fromEntries(results.flat())
}

function asResult({ repo: _repo, workflowId: _workflowId, ...evidence }: Evidence): CheckResult {
  return { ...evidence, findingsTotal: evidence.findings.length, reused: true }
}

/** Whether a person holds it is no matter of the policy. */
function withRecordedHold(decision: Decision, recorded: Decision): Decision {
  const hold = recorded.rules.find(({ rule }) => rule === holdRule)
  if (hold === undefined) return decision
  const outcome = decision.outcome === 'approve' ? 'wait' : decision.outcome
  return { ...decision, outcome, rules: [...decision.rules, hold] }
}

function differencesOf(before: Rule[], after: Rule[]): RuleDifference[] {
  const names = [...new Set([...after, ...before].map(({ rule }) => rule))]
  return names.flatMap((name) => {
    const [was, is] = [before, after].map((rules) => rules.find(({ rule }) => rule === name))
    if (was?.outcome === is?.outcome) return []
    return [{ rule: name, before: was?.outcome ?? null, after: is?.outcome ?? null, reason: (is ?? was)!.reason }]
  })
}

const severity: Record<RuleOutcome | Decision['outcome'], number> = {
  ...{ pass: 0, pending: 1, skipped: 1, fail: 2 },
  ...{ approve: 0, wait: 1, reject: 2 },
}

/** The criteria that make the outcome another one: those that came to be as bad as it, or no longer are worse. */
export function causesOf({ recorded, decision, differences }: Simulation): string[] {
  const [was, is] = [severity[recorded.outcome], severity[decision.outcome]]
  const isCause = (before: number, after: number) => (is > was ? after === is : before > is && after <= is)
  const rank = (outcome: RuleOutcome | null) => severity[outcome ?? 'pass']
  return differences.filter(({ before, after }) => isCause(rank(before), rank(after))).map(({ rule }) => rule)
}
