import type { Decision, Rule } from './decision.ts'
import type { Instant } from './pull-request.ts'

/** A PR that a person keeps from landing until somebody lifts it. */
export type Hold = { by: string; since: Instant; reason: string }

export const holdRule = 'not-held'

/** The same decision of a PR that is held: one criterion more, and no approval. */
export function withHold(decision: Decision, hold: Hold | null): Decision {
  if (hold === null) return decision
  const outcome = decision.outcome === 'approve' ? 'wait' : decision.outcome
  return { ...decision, outcome, rules: [...decision.rules, notHeld(hold)] }
}

function notHeld({ by, since, reason }: Hold): Rule {
  const why = reason === '' ? '' : ` (${reason})`
  return {
    rule: holdRule,
    outcome: 'pending',
    reason: `held by ${by} since ${since}${why}: lifted by /switchyard merge, /switchyard hold cancel or switchyard pr merge`,
    evidence: null,
  }
}

/** What the audit trail of a PR, oldest first, says of its hold. */
export function recordedHold(
  entries: { action: string; actor: string; at: Instant; details: Record<string, unknown> }[],
): Hold | null {
  const last = entries.findLast(({ action, details }) => action === 'pr.commanded' && details['hold'])
  if (last?.details['hold'] !== 'set') return null
  return { by: last.actor, since: last.at, reason: String(last.details['reason'] ?? '') }
}

/** Whether a decision was made of a PR that is held so. */
export function showsHold(decision: Decision, hold: Hold | null): boolean {
  const shown = decision.rules.find((rule) => rule.rule === holdRule)
  return shown?.reason === (hold === null ? undefined : notHeld(hold).reason)
}
