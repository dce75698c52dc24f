import type { Rule } from '../decision.ts'

/** The first condition in a rule that somebody can do something about. */
export function firstNeed(rule: Rule): Rule | null {
  if (rule.needs !== undefined) return rule
  for (const inner of rule.rules ?? []) {
    const found = firstNeed(inner)
    if (found) return found
  }
  return null
}
