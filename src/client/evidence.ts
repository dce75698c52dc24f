import type { Rule } from '#domain/decision'
import type { Evidence } from '#domain/evidence'
import type { Installation } from '#installation/installation'

/** The evidence that the newest decision about a PR rests on. */
export async function decisionEvidence(installation: Installation, repo: string, number: number): Promise<Evidence[]> {
  const [newest] = await installation.ledger.decisions(repo, number)
  const ids = [...new Set(newest === undefined ? [] : evidenceIds(newest.rules))]
  const found = await Promise.all(ids.map((id) => installation.ledger.evidence(id)))
  return found.filter((evidence) => evidence !== null)
}

function evidenceIds(rules: Rule[]): string[] {
  return rules.flatMap((rule) => [...(rule.evidence === null ? [] : [rule.evidence]), ...evidenceIds(rule.rules ?? [])])
}
