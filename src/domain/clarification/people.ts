import { knownPerson, type Contact } from '../contact.ts'
import { isAnyOf, type KnownPerson } from '../people.ts'
import type { Question } from './question.ts'
import type { Delegation } from './state.ts'

/**
 * Those whose other names and groups tell who may answer; where several must agree and anybody may, everybody, so that
 * nobody counts twice. Without how to reach them: a workflow's history holds no address.
 */
export function peopleWhoMatter(
  { who, not, needed, ladder }: Question,
  delegations: Delegation[],
  people: Contact[],
): KnownPerson[] {
  const known = people.map(knownPerson)
  if (who.length === 0 && needed > 1) return known
  const named = [...who, ...not, ...ladder.escalateTo.flat(), ...delegations.map(({ to }) => to)]
  return known.filter((person) => isNamed(named, person, known))
}

export function isNamed(names: string[], { name, login, email }: KnownPerson, people: KnownPerson[]): boolean {
  return [name, login, email].some((each) => each !== null && isAnyOf(names, each, people))
}
