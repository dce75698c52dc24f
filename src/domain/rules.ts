import type { Rule } from './decision.ts'

/** The ids of all evidence that a decision's rules rest on, each once. */
export function evidenceIds(rules: readonly Rule[]): string[] {
  const ids = rules.flatMap(({ evidence, rules: inner = [] }) => [
    ...(evidence === null || evidence === '' ? [] : [evidence]),
    ...evidenceIds(inner),
  ])
  return [...new Set(ids)]
}

/** The path to the first criterion that was not met, such as `review/no-changes-requested`; null when all were. */
export function firstFailing(rules: readonly Rule[]): string | null {
  const failed = rules.find(({ outcome }) => outcome === 'fail')
  if (failed === undefined) return null
  const inner = firstFailing(failed.rules ?? [])
  return inner === null ? failed.rule : `${failed.rule}/${inner}`
}
