import { isInGroup, isKnownName, type KnownPerson } from '../people.ts'
import { commandsOf, type Policy } from '../policy.ts'
import { conditionsOf, type Condition } from './condition.ts'

/** `path`: of the part of the policy's file; `name`: that in it which is meant. */
export type PolicyWarning = { path: (string | number)[]; name: string; message: string }

type Unmet = Omit<PolicyWarning, 'path'>

/** What is right by the letter and will never be met: names of nobody, checks that are not there. */
export function policyWarnings(policy: Policy, people: KnownPerson[]): PolicyWarning[] {
  const checks = [...commandsOf(policy).keys(), 'secrets', 'review']
  const { approvers = [] } = policy.checks.review
  const at = (path: PolicyWarning['path'], unmet: Unmet[]) => unmet.map((each) => ({ path, ...each }))
  const rules = (policy.rules ?? []).flatMap(({ if: condition, require }, index) => [
    ...at(['rules', index, 'if'], condition ? unmetIn(condition, people, checks) : []),
    ...at(['rules', index, 'require'], unmetIn(require, people, checks)),
  ])
  return [
    ...at(['checks', 'review', 'approvals'], unknownNames(approvers, people)),
    ...at(['policyChange', 'approvals'], unknownNames(policy.policyChange?.from ?? [], people)),
    ...rules,
  ]
}

function unmetIn(condition: Condition, people: KnownPerson[], checks: string[]): Unmet[] {
  const all = [...conditionsOf(condition)].flatMap((each) => unmetOf(each, people, checks))
  return [...new Map(all.map((each) => [each.message, each])).values()]
}

function unmetOf(condition: Condition, people: KnownPerson[], checks: string[]): Unmet[] {
  switch (condition.kind) {
    case 'group':
      return condition.names
        .filter((name) => !people.some((person) => isInGroup(person, name)))
        .map((name) => ({ name, message: `nobody in \`people\` of switchyard.yaml is in the group "${name}"` }))
    case 'approvals':
      return unknownNames(condition.from ?? [], people)
    case 'check': {
      const { name } = condition
      return checks.includes(name) ? [] : [{ name, message: `the policy has no check "${name}"` }]
    }
    default:
      return []
  }
}

function unknownNames(names: string[], people: KnownPerson[]): Unmet[] {
  return names
    .filter((name) => !isKnownName(name, people))
    .map((name) => ({
      name,
      message: `nobody in \`people\` of switchyard.yaml is "${name}" or in a group of that name`,
    }))
}
