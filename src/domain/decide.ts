import { checkKind, treeChecks } from './check-subjects.ts'
import type { CheckResults, Decision, Outcome, Rule, RuleOutcome } from './decision.ts'
import type { CheckResult } from './evidence.ts'
import type { Instant, SnapshotFacts } from './pull-request.ts'
import { never } from './result.ts'
import { evaluateRules, nextChange } from './rules/evaluate.ts'
import { approvalsReason } from './rules/resolve.ts'
import type { ResolvedApprovals } from './rules/resolved.ts'

/** Evaluates the criteria of a PR on a frozen snapshot and the evidence of its checks. */
export function decide(snapshot: SnapshotFacts, checks: CheckResults, now: Instant): Decision {
  const rules = [
    notDraft(snapshot),
    noConflicts(snapshot),
    ...commands(snapshot, checks),
    review(snapshot, checks),
    noSecrets(checks),
    ...policyChange(snapshot),
    ...evaluateRules(snapshot.rules ?? [], checks, now),
  ]
  const { digest, source, problem, mode } = snapshot.policy
  const changesAt = nextChange(snapshot.rules ?? [], checks, now)
  return {
    outcome: outcomeOf(rules),
    rules,
    snapshotId: snapshot.id,
    policyDigest: digest,
    policy: { source, problem },
    decidedAt: now,
    ...(changesAt === null ? {} : { changesAt }),
    ...(mode === 'dry-run' ? { dryRun: true } : {}),
  }
}

/** A missing, pending or skipped criterion never approves: it was not met. */
export function outcomeOf(rules: Rule[]): Outcome {
  if (rules.some((rule) => rule.outcome === 'fail')) return 'reject'
  return rules.every((rule) => rule.outcome === 'pass') ? 'approve' : 'wait'
}

function notDraft({ draft }: SnapshotFacts): Rule {
  return draft ? leaf('not-draft', 'pending', 'it is a draft') : leaf('not-draft', 'pass', 'ready for review')
}

function noConflicts({ mergeable, base, conflicts }: SnapshotFacts): Rule {
  switch (mergeable) {
    case 'clean':
      return leaf('no-conflicts', 'pass', `merges cleanly into ${base.ref}`)
    case 'conflict':
      return leaf('no-conflicts', 'fail', `conflicts with ${base.ref} in ${conflicts.join(', ') || 'unknown paths'}`)
    case 'unknown':
      return leaf('no-conflicts', 'pending', 'the forge has not computed it yet')
    default:
      return never(mergeable)
  }
}

/** Each command of the policy is a criterion of its name. One of them at least must be of the tree. */
function commands(snapshot: SnapshotFacts, checks: CheckResults): Rule[] {
  const planned = snapshot.policy.checks
  const rules = planned
    .filter((check) => checkKind(check) === 'command')
    .map(({ name }) =>
      snapshot.mergeResult === null
        ? leaf(name, 'skipped', 'there is no merge result to test')
        : fromCheck(name, checks[name]),
    )
  if (treeChecks(planned).length > 0) return rules
  const reason = 'the policy declares no tests (checks.tests.run), and nothing untested lands'
  return [leaf('tests', 'pending', reason), ...rules]
}

function noSecrets(checks: CheckResults): Rule {
  return fromCheck('no-secrets', checks['secrets'])
}

function review(snapshot: SnapshotFacts, checks: CheckResults): Rule {
  const rules = [fromCheck('criteria', checks['review']), changesRequested(snapshot), approvals(snapshot)]
  return withParts({ ...leaf('review', 'pending', ''), evidence: checks['review']?.id || null }, rules)
}

/** A criterion that is as good as the worst of its parts. */
export function withParts(whole: Rule, rules: Rule[]): Rule {
  const worst = (['fail', 'pending', 'skipped', 'pass'] as const).find((outcome) =>
    rules.some((rule) => rule.outcome === outcome),
  )!
  const reasons = rules.filter((rule) => rule.outcome === worst).map((rule) => rule.reason)
  return { ...whole, outcome: worst, reason: worst === 'pass' ? rules[0]!.reason : reasons.join('; '), rules }
}

function changesRequested({ changesRequestedBy }: SnapshotFacts): Rule {
  if (changesRequestedBy.length === 0) return leaf('no-changes-requested', 'pass', 'nobody asks for changes')
  return leaf('no-changes-requested', 'fail', `${changesRequestedBy.join(', ')} asked for changes`)
}

function approvals(snapshot: SnapshotFacts): Rule {
  return fromApprovals(approvalsOfReview(snapshot))
}

export function approvalsOfReview({ approvedBy, policy, approvals }: SnapshotFacts): ResolvedApprovals {
  return approvals ?? { count: policy.approvals, from: null, by: approvedBy, unknown: [] }
}

function fromApprovals(approvals: ResolvedApprovals): Rule {
  const { count, by } = approvals
  return leaf('approvals', by.length >= count ? 'pass' : 'pending', approvalsReason(approvals))
}

/** Decided under the policy of the base, which says what else a change of it needs. */
function policyChange({ policyChange, policy, base }: SnapshotFacts): Rule[] {
  if (policyChange === undefined) return []
  const { digest, problem, approvals } = policyChange
  if (problem !== null) return [leaf('policy-change', 'fail', problem)]
  const change =
    digest === null
      ? 'takes the policy away'
      : digest === policy.digest
        ? 'rewrites the policy, with the same meaning'
        : 'changes the policy'
  const said = `${change}: it lands alone, decided under the policy on ${base.ref}`
  if (approvals.count === 0) return [leaf('policy-change', 'pass', said)]
  const required = fromApprovals(approvals)
  return [{ ...leaf('policy-change', required.outcome, `${said}; ${required.reason}`), rules: [required] }]
}

function fromCheck(rule: string, result: CheckResult | undefined): Rule {
  if (result === undefined) return leaf(rule, 'pending', 'has not run')
  return { rule, outcome: outcomeOfCheck(result), reason: result.reason, evidence: result.id || null }
}

function outcomeOfCheck({ conclusion }: CheckResult): RuleOutcome {
  switch (conclusion) {
    case 'passed':
      return 'pass'
    case 'failed':
    case 'timed-out':
      return 'fail'
    case 'infrastructure':
    case 'interrupted':
      return 'pending'
    default:
      return never(conclusion)
  }
}

function leaf(rule: string, outcome: RuleOutcome, reason: string): Rule {
  return { rule, outcome, reason, evidence: null }
}
