import { isAbsolute, resolve } from 'node:path'
import { z } from 'zod'
import type { Contact, NotifyTarget } from '#domain/contact'
import type { KnownPerson } from '#domain/people'
import type { WorkingHours } from '#domain/working-hours'
import { isZone, parseWindow } from './time-windows.ts'

const MAX_TARGETS = 10
const MAX_ADDRESS = 2_000

const text = (error: string) => z.string({ error }).regex(/\S/, { error, abort: true })

/** No message says what was found where an address or a key may stand: whoever knows it can write to people. */
const address = (error: string) =>
  z
    .string({ error })
    .regex(/^https?:\/\/\S+$/i, { error, abort: true })
    .max(MAX_ADDRESS, { error: `has more than ${MAX_ADDRESS} characters`, abort: true })
    .refine(isAddress, { error })

const program = 'is no program without arguments, such as ./tell-ann.sh or /usr/local/bin/page'
const variable = 'is no name of an environment variable, such as SWITCHYARD_WEBHOOK_KEY'
const targetExpected =
  'is none of terminal, { slack: https://… }, { webhook: https://…, secret: NAME_OF_VARIABLE }, { command: ./tell.sh }'

const terminal = z
  .string({ error: targetExpected })
  .regex(/^terminal$/, { error: targetExpected })
  .describe('A line in the log of the worker for `decision`')

const target = z
  .strictObject(
    {
      slack: address('is no address such as https://hooks.slack.com/services/…')
        .optional()
        .describe('An incoming webhook of Slack, or of what takes the same; a secret'),
      webhook: address('is no address such as https://example.org/hook, without a password in it')
        .optional()
        .describe('Gets each notification as JSON by POST, as Standard Webhooks says'),
      secret: z
        .string({ error: variable })
        .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: variable })
        .optional()
        .describe("Name of the worker's environment variable with the key that signs; without it, nothing is signed"),
      command: z
        .string({ error: program })
        .regex(/^[^\s~-]\S*$/, { error: program })
        .optional()
        .describe(
          'A program that gets each notification as JSON on its standard input; a relative path starts at the home folder',
        ),
    },
    { error: targetExpected },
  )
  .superRefine(checkTarget)

const targets = z.union(
  [terminal, target, z.array(z.union([terminal, target], { error: targetExpected })).max(MAX_TARGETS)],
  {
    error: targetExpected,
  },
)

const dayExpected = 'must be a day such as mon, or days such as mon-fri'
const day = z
  .string({ error: dayExpected })
  .regex(/^(?:sun|mon|tue|wed|thu|fri|sat)(?:-(?:sun|mon|tue|wed|thu|fri|sat))?$/i, { error: dayExpected })
const time = (pattern: RegExp, example: string) => {
  const error = `must be a time such as '${example}'`
  return z.string({ error }).regex(pattern, { error })
}

const hours = z
  .strictObject({
    days: z
      .array(day)
      .min(1)
      .max(7)
      .default(['mon-fri'])
      .describe('mon, tue, wed, thu, fri, sat, sun, or such as mon-fri'),
    from: time(/^(?:[01]\d|2[0-3]):[0-5]\d$/, '09:00'),
    to: time(/^(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$/, '17:00').describe('Before `from`: of the next day'),
    zone: text('must be the name of a time zone such as Europe/Berlin').refine(isZone, {
      error: 'must be the name of a time zone such as Europe/Berlin',
    }),
  })
  .refine(({ from, to }) => from !== to, { path: ['to'], error: 'must be another time than `from`' })

const details = z.strictObject({
  name: text('must be a name that is not empty').describe('As the policy and `--as` name them'),
  login: text('must be a login that is not empty').optional().describe('On the forge; by default the name'),
  email: z.email({ error: 'must be an address such as ann@example.org' }).optional(),
  groups: z.array(text('must be the name of a group')).default([]).describe('As policies name them'),
  notify: targets.optional().describe('Where they hear of questions; without it, in `switchyard inbox` only'),
  hours: hours.optional().describe('Reminders wait for them, unless it is urgent'),
})

/** A name alone is a person, too. */
const person = z.union([text('must be a name'), details], {
  error: 'must be a name, or { name, login, email, groups, notify, hours }',
})

type Declared = z.output<typeof person>
type DeclaredTarget = z.output<typeof terminal> | z.output<typeof target>

/** `people` of `switchyard.yaml`. */
export const people = z
  .array(person)
  .superRefine(checkNames)
  .default([])
  .describe('Who may approve, command and answer, in which groups, and how they hear of questions')

/** Relative paths of commands start at `home`. */
export function resolvePeople(declared: Declared[], home: string): Contact[] {
  return declared.map((each) => {
    const { notify, hours } = typeof each === 'string' ? {} : each
    return {
      ...resolvePerson(each),
      notify: [notify ?? []].flat().map((declared) => resolveTarget(declared, home)),
      hours: hours === undefined ? null : resolveHours(hours),
    }
  })
}

function resolvePerson(declared: Declared): KnownPerson {
  if (typeof declared === 'string') return { name: declared.trim(), login: null, email: null, groups: [] }
  const { name, login, email, groups } = declared
  return {
    name: name.trim(),
    login: login?.trim() ?? null,
    email: email ?? null,
    groups: groups.map((group) => group.trim()),
  }
}

/** The schema has made sure that exactly one of these is there. */
function resolveTarget(declared: DeclaredTarget, home: string): NotifyTarget {
  if (typeof declared === 'string') return { via: 'terminal' }
  const { slack, webhook, secret, command } = declared
  if (slack !== undefined) return { via: 'slack', url: slack }
  if (webhook !== undefined) return { via: 'webhook', url: webhook, secret: secret ?? null }
  const isName = !command!.includes('/')
  return { via: 'command', run: isName || isAbsolute(command!) ? command! : resolve(home, command!) }
}

function resolveHours({ days, from, to, zone }: z.output<typeof hours>): WorkingHours {
  return { ...parseWindow(`${days.join(',')} ${from}-${to}`)!, zone }
}

function checkTarget(declared: z.output<typeof target>, context: z.RefinementCtx): void {
  if (context.issues.length > 0) return
  const ways = (['slack', 'webhook', 'command'] as const).filter((way) => declared[way] !== undefined)
  if (ways.length !== 1) context.addIssue('must have exactly one of `slack`, `webhook` and `command`')
  else if (declared.secret !== undefined && ways[0] !== 'webhook') {
    context.addIssue({ code: 'custom', path: ['secret'], message: 'is for a `webhook` only' })
  }
}

/** A password in it would be refused by whoever sends it. */
function isAddress(url: string): boolean {
  if (!URL.canParse(url)) return false
  const { username, password, hostname } = new URL(url)
  return username === '' && password === '' && hostname !== ''
}

/** An actor is one person at most, and no group: whoever is called like one would pass for its members. */
function checkNames(declared: Declared[], context: z.RefinementCtx): void {
  const seen = new Set<string>()
  const resolved = declared.map(resolvePerson)
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
