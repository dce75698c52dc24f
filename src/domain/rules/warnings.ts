import { isInGroup, isKnownName, type KnownPerson } from '../people.ts'
import { commandsOf, type Policy } from '../policy.ts'
import { conditionsOf, type Condition } from './condition.ts'

/** What is right by the letter and will never be met: names of nobody, checks that are not there. */
export function policyWarnings(policy: Policy, people: KnownPerson[]): string[] {
  const checks = [...commandsOf(policy).keys(), 'secrets', 'review']
  const { approvers = [] } = policy.checks.review
  const rules = (policy.rules ?? []).flatMap(({ name, if: condition, require }) =>
    [condition, require]
      .flatMap((each) => (each ? [...conditionsOf(each)] : []))
      .flatMap((each) => warningsOf(each, people, checks))
      .map((warning) => `rules: ${name}: ${warning}`),
  )
  return [
    ...unknownNames(approvers, people).map((warning) => `checks.review.approvals: ${warning}`),
    ...unknownNames(policy.policyChange?.from ?? [], people).map((warning) => `policyChange.approvals: ${warning}`),
    ...new Set(rules),
  ]
}

function warningsOf(condition: Condition, people: KnownPerson[], checks: string[]): string[] {
  switch (condition.kind) {
    case 'group':
      return condition.names
        .filter((name) => !people.some((person) => isInGroup(person, name)))
        .map((name) => `nobody in \`people\` of switchyard.yaml is in the group "${name}"`)
    case 'approvals':
      return unknownNames(condition.from ?? [], people)
    case 'check':
      return checks.includes(condition.name) ? [] : [`the policy has no check "${condition.name}"`]
    default:
      return []
  }
}

function unknownNames(names: string[], people: KnownPerson[]): string[] {
  return names
    .filter((name) => !isKnownName(name, people))
    .map((name) => `nobody in \`people\` of switchyard.yaml is "${name}" or in a group of that name`)
}
