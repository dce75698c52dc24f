import { z } from 'zod'
import type { KnownPerson } from '#domain/people'

const text = (error: string) => z.string({ error }).regex(/\S/, { error, abort: true })

const details = z.strictObject({
  name: text('must be a name that is not empty').describe('As the policy and `--as` name them'),
  login: text('must be a login that is not empty').optional().describe('On the forge; by default the name'),
  email: z.email({ error: 'must be an address such as ann@example.org' }).optional(),
  groups: z.array(text('must be the name of a group')).default([]).describe('As policies name them'),
  notify: z.unknown().optional().describe('Accepted, without effect in this version'),
  hours: z.unknown().optional().describe('Accepted, without effect in this version'),
})

/** A name alone is a person, too. */
const person = z.union([text('must be a name'), details], {
  error: 'must be a name, or { name, login, email, groups }',
})

type Declared = z.output<typeof person>

/** `people` of `switchyard.yaml`. */
export const people = z
  .array(person)
  .superRefine(checkNames)
  .default([])
  .describe('Who may approve, command and answer, and in which groups')

export function resolvePeople(declared: Declared[]): KnownPerson[] {
  return declared.map((each) => {
    if (typeof each === 'string') return { name: each.trim(), login: null, email: null, groups: [] }
    const { name, login, email, groups } = each
    return {
      name: name.trim(),
      login: login?.trim() ?? null,
      email: email ?? null,
      groups: groups.map((group) => group.trim()),
    }
  })
}

/** An actor is one person at most, and no group: whoever is called like one would pass for its members. */
function checkNames(declared: Declared[], context: z.RefinementCtx): void {
  const seen = new Set<string>()
  const resolved = resolvePeople(declared)
  const groups = new Set(resolved.flatMap((each) => each.groups).map((group) => group.toLowerCase()))
  for (const [index, { name, login, email }] of resolved.entries()) {
    const names = new Set([name, login ?? name, email ?? name].map((each) => each.toLowerCase()))
    if ([...names].some((each) => seen.has(each))) {
      context.addIssue({ code: 'custom', path: [index], message: 'is there twice, by name, login or address' })
    }
    if ([...names].some((each) => groups.has(each))) {
      context.addIssue({
        code: 'custom',
        path: [index],
        message: 'has the name of a group, as its name, login or address',
      })
    }
    for (const each of names) seen.add(each)
  }
}
