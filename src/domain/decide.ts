import { checkKind, treeChecks } from './check-subjects.ts'
import type { CheckResults, Decision, Outcome, Rule, RuleOutcome } from './decision.ts'
import type { CheckResult } from './evidence.ts'
import type { Instant, SnapshotFacts } from './pull-request.ts'
import { never } from './result.ts'

/** Evaluates the criteria of a PR on a frozen snapshot and the evidence of its checks. */
export function decide(snapshot: SnapshotFacts, checks: CheckResults, now: Instant): Decision {
  const rules = [
    notDraft(snapshot),
    noConflicts(snapshot),
    ...commands(snapshot, checks),
    review(snapshot, checks),
    noSecrets(checks),
  ]
  return {
    outcome: outcomeOf(rules),
    rules,
    snapshotId: snapshot.id,
    policyDigest: snapshot.policy.digest,
    decidedAt: now,
  }
}

/** A missing, pending or skipped criterion never approves: it was not met. */
function outcomeOf(rules: Rule[]): Outcome {
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
  const worst = (['fail', 'pending', 'skipped', 'pass'] as const).find((outcome) =>
    rules.some((rule) => rule.outcome === outcome),
  )!
  const reasons = rules.filter((rule) => rule.outcome === worst).map((rule) => rule.reason)
  return {
    rule: 'review',
    outcome: worst,
    reason: worst === 'pass' ? rules[0]!.reason : reasons.join('; '),
    evidence: checks['review']?.id || null,
    rules,
  }
}

function changesRequested({ changesRequestedBy }: SnapshotFacts): Rule {
  if (changesRequestedBy.length === 0) return leaf('no-changes-requested', 'pass', 'nobody asks for changes')
  return leaf('no-changes-requested', 'fail', `${changesRequestedBy.join(', ')} asked for changes`)
}

function approvals({ approvedBy, policy }: SnapshotFacts): Rule {
  const given = approvedBy.length > 0 ? ` (${approvedBy.join(', ')})` : ''
  const reason = `${approvedBy.length} of ${policy.approvals} approvals of this head${given}`
  return leaf('approvals', approvedBy.length >= policy.approvals ? 'pass' : 'pending', reason)
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
