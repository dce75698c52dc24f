/** Somebody who may approve, command and answer; from `people` of `switchyard.yaml`. */
export type KnownPerson = {
  name: string
  /** On the forge; null: the same as `name`. */
  login: string | null
  email: string | null
  groups: string[]
}

/** Whether an actor, as a forge or `--as` names them, is this person: by name, login or address, in any case. */
export function isPerson(person: KnownPerson, actor: string): boolean {
  const wanted = actor.trim().toLowerCase()
  return [person.name, person.login, person.email].some((known) => known !== null && known.toLowerCase() === wanted)
}

/**
 * Whether an actor is one of `who`, each the name of a person or of a group. An unlisted actor is only themselves, and a
 * name that means a group means nobody who merely calls themselves so.
 */
export function isAnyOf(who: string[], actor: string, people: KnownPerson[]): boolean {
  const known = people.filter((person) => isPerson(person, actor))
  return who.some((each) => {
    const isGroup = people.some((person) => isInGroup(person, each))
    if (!isGroup && each.trim().toLowerCase() === actor.trim().toLowerCase()) return true
    return known.some((person) => isPerson(person, each) || isInGroup(person, each))
  })
}

export function isInGroup({ groups }: KnownPerson, name: string): boolean {
  return groups.some((group) => group.toLowerCase() === name.trim().toLowerCase())
}

/** Whether a name means anybody: a person, or a group that has a member. */
export function isKnownName(name: string, people: KnownPerson[]): boolean {
  return people.some((person) => isPerson(person, name) || isInGroup(person, name))
}

/** One key for all names of a person, so that nobody counts twice; an unlisted actor is only themselves. */
export function identityOf(actor: string, people: KnownPerson[]): string {
  return (people.find((person) => isPerson(person, actor))?.name ?? actor).trim().toLowerCase()
}
