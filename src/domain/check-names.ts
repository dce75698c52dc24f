import { holdRule } from './hold.ts'

/** What a decision calls its own criteria: a check or a rule of one of these names could not be told from them. */
export const reservedNames: readonly string[] = [
  'approvals',
  'conditions',
  'criteria',
  'mergeable',
  'no-changes-requested',
  'no-conflicts',
  'no-secrets',
  'not-draft',
  holdRule,
  'policy',
  'policy-change',
  'review',
  'rules',
  'secrets',
]

const MAX_LENGTH = 50

/** Why a policy can't give a check of its own this name, or null. */
export function problemOfCheckName(name: string): string | null {
  if (name.length > MAX_LENGTH) return `has a name that is too long: at most ${MAX_LENGTH} characters`
  if (!/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(name)) {
    return 'has a name that no check can have: use lower-case letters, digits and single dashes, such as type-check'
  }
  // `constructor` and its like are found in any map.
  if (reservedNames.includes(name) || name in {}) return 'has a name that is reserved; give the check another one'
  return null
}
