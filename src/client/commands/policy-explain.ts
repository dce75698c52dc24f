import { outcomeOf } from '#domain/decide'
import type { Rule } from '#domain/decision'
import type { PullRequest } from '#domain/pull-request'
import { waitingAfter } from '#domain/waiting'
import type { Installation } from '#installation/installation'
import type { RecordedDecision } from '#ledger/port'
import type { CommandContext, ExitCode } from '../context.ts'
import { printRules } from '../decision-tree.ts'
import { CliError } from '../errors.ts'
import { shortSha } from '../output.ts'
import { viewPolicy, type PolicyView } from '../policy-view.ts'
import { withPullRequest } from '../pull-request.ts'
import { factsUnder } from '../simulation.ts'

/** Who can act on a criterion that is not met, and with what. */
export type Remedy = { rule: string; who: string[]; command: string | null }

/** `policy explain --json`. */
export type Explanation = {
  repo: string
  number: number
  head: string | null
  outcome: RecordedDecision['outcome']
  dryRun: boolean
  decidedAt: string
  changesAt: string | null
  snapshotId: string
  policy: PolicyView | null
  rules: Rule[]
  remedies: Remedy[]
}

/** The newest decision as it was stored: nothing is evaluated anew. */
export async function run(context: CommandContext, { pullRequest: text }: { pullRequest: string }): Promise<ExitCode> {
  return await withPullRequest(context, text, async (installation, pullRequest) => {
    const decision = await newestDecision(installation, pullRequest)
    const explanation = await explain(installation, pullRequest, decision)
    print(context, explanation, pullRequest)
    context.output.document(explanation)
    return 0
  })
}

export async function newestDecision(
  installation: Installation,
  { repo, number }: Pick<PullRequest, 'repo' | 'number'>,
): Promise<RecordedDecision> {
  const [newest] = await installation.ledger.decisions(repo, number)
  if (newest) return newest
  throw new CliError(1, 'undecided', `Nothing is decided about ${repo}#${number} yet.`, {
    details: { repo, number },
    hint: `See what it waits for: switchyard why ${number} --repo ${repo}`,
  })
}

async function explain(
  installation: Installation,
  pullRequest: PullRequest,
  decision: RecordedDecision,
): Promise<Explanation> {
  const { repo, number } = pullRequest
  const { outcome, dryRun = false, decidedAt, changesAt = null, snapshotId, rules } = decision
  const snapshot = await installation.ledger.snapshot(snapshotId)
  return {
    ...{ repo, number, head: snapshot?.head.sha ?? null, outcome, dryRun, decidedAt, changesAt, snapshotId },
    policy: await viewPolicy(installation, pullRequest, decision),
    rules,
    remedies: await remediesOf(installation, decision),
  }
}

/** Each criterion that is not met, as if it were the only one. */
async function remediesOf(installation: Installation, decision: RecordedDecision): Promise<Remedy[]> {
  const { ledger } = installation
  const [snapshot, policy] = await Promise.all([
    ledger.snapshot(decision.snapshotId),
    ledger.policy(decision.policyDigest),
  ])
  if (snapshot === null || policy === null) return []
  const origin = decision.policy ?? { source: 'base' as const, problem: null }
  const facts = await factsUnder(installation, snapshot, { policy, digest: decision.policyDigest, ...origin })
  const { dryRun: _dryRun, ...live } = decision
  return decision.rules
    .filter(({ outcome }) => outcome !== 'pass')
    .map((rule) => {
      const { who, command } = waitingAfter(
        facts,
        { ...live, outcome: outcomeOf([rule]), rules: [rule] },
        live.decidedAt,
      )
      return { rule: rule.rule, who, command }
    })
}

function print({ output }: CommandContext, explanation: Explanation, { title }: PullRequest): void {
  const { repo, number, outcome, dryRun, decidedAt, changesAt, policy, rules, remedies, head, snapshotId } = explanation
  output.line({ text: `${repo}#${number} `, style: 'bold' }, title)
  output.line({ text: 'decision: ', style: 'dim' }, outcome, dryRun ? ' (dry run)' : '', ` at ${decidedAt}`)
  if (policy !== null) {
    const problem = policy.problem === null ? '' : ` (the base's file does not apply: ${policy.problem})`
    output.line({ text: 'policy: ', style: 'dim' }, `${policy.digest.slice(0, 12)} from ${policy.source}`, problem)
  }
  const of = head === null ? '' : ` of ${shortSha(head)}`
  output.line({ text: 'snapshot: ', style: 'dim' }, `${snapshotId.slice(0, 12)}${of}`)
  printRules(output, rules)
  for (const { rule, who, command } of remedies) {
    output.line({ text: `${rule}: `, style: 'bold' }, who.join(', '), command === null ? '' : `  ${command}`)
  }
  if (changesAt !== null) output.line(`It is decided again at ${changesAt}, for time can change it.`)
}
