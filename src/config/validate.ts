import { closest, distance } from 'fastest-levenshtein'
import { z } from 'zod'
import { maskSecrets } from '#domain/mask'
import type { ConfigProblem } from './problems.ts'
import { MAX_PROBLEMS, readYaml, type Path, type YamlDocument } from './yaml-document.ts'

export type Validated<T> = { ok: true; value: T } | { ok: false; problems: ConfigProblem[] }

type JsonSchema = {
  properties?: Record<string, JsonSchema>
  /** What every key besides `properties` holds; false where there is none. */
  additionalProperties?: JsonSchema | false
  items?: JsonSchema
  anyOf?: JsonSchema[]
  $ref?: string
  $defs?: Record<string, JsonSchema>
}

const MAX_SHOWN = 40

/**
 * Reads YAML against a schema. The schemas' own messages are predicates ("must be a duration such as 15m"), to which
 * the place and, after "must", what was found are added here.
 */
export function validateYaml<S extends z.ZodType>(schema: S, text: string, file: string): Validated<z.output<S>> {
  const read = readYaml(text, file)
  if (!read.ok) return read
  const result = schema.safeParse(read.document.value, { error: expectation })
  if (result.success) return { ok: true, value: result.data }
  const issues = result.error.issues.slice(0, MAX_PROBLEMS)
  const problems = issues.flatMap((issue) => toProblems(issue, schema, read.document, file))
  return { ok: false, problems: problems.sort((a, b) => a.line - b.line || a.column - b.column) }
}

function toProblems(issue: z.core.$ZodIssue, schema: z.ZodType, document: YamlDocument, file: string): ConfigProblem[] {
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(schema, issue.path)
    return issue.keys.slice(0, MAX_PROBLEMS).map((key) => unknownKey(key, issue.path, known, document, file))
  }
  const meant = issue.code === 'invalid_union' ? meantOption(issue) : null
  if (meant) return meant.flatMap((inner) => toProblems(inner, schema, document, file))
  const path = issue.path.map(String).join('.')
  const found = valueAt(document.value, issue.path)
  const where = { file, ...document.placeOf(issue.path), path }
  if (issue.path.length === 0) return [{ ...where, message: `the file ${issue.message}, found ${describe(found)}` }]
  if (found === undefined) return [{ ...where, message: `'${path}' is missing: it ${issue.message}` }]
  if (!issue.message.startsWith('must ')) return [{ ...where, message: `'${path}' ${issue.message}` }]
  return [{ ...where, message: `'${path}' ${issue.message}, found ${describe(found)}` }]
}

/** The issues of the one option that what was found has the shape of: they say more than that none fits. */
function meantOption({ errors, path }: z.core.$ZodIssueInvalidUnion): z.core.$ZodIssue[] | null {
  const isOfShape = (issue: z.core.$ZodIssue) => issue.code !== 'invalid_type' || issue.path.length > 0
  const shaped = errors.filter((issues) => issues.every(isOfShape))
  if (shaped.length !== 1) return null
  return shaped[0]!.map((issue) => ({ ...issue, path: [...path, ...issue.path] }))
}

function unknownKey(key: string, path: Path, known: string[], document: YamlDocument, file: string): ConfigProblem {
  const full = [...path.map(String), key].join('.')
  return {
    file,
    ...document.placeOfKey(path, key),
    path: full,
    message: `unknown key ${show(full, "'")}`,
    hint: nearestHint(key, known),
  }
}

function nearestHint(key: string, known: string[]): string {
  const plain = (text: string) => text.toLowerCase().replaceAll(/[-_ ]/g, '')
  const nearest = known.find((name) => plain(name) === plain(key)) ?? (known.length > 0 ? closest(key, known) : '')
  const near =
    plain(nearest) === plain(key) ||
    distance(key, nearest) <= Math.min(key.length - 1, Math.max(2, Math.floor(key.length / 3)))
  return near && nearest !== '' ? `did you mean '${nearest}'?` : `known keys: ${known.join(', ')}`
}

function knownKeys(schema: z.ZodType, path: Path): string[] {
  const root = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema
  const options = (part: JsonSchema | false | undefined): JsonSchema[] => {
    if (!part) return []
    if (part.$ref !== undefined) return options(root.$defs?.[part.$ref.replace('#/$defs/', '')])
    return part.anyOf ? part.anyOf.flatMap(options) : [part]
  }
  const inside = (part: JsonSchema, step: PropertyKey) =>
    typeof step === 'number' ? part.items : (part.properties?.[String(step)] ?? part.additionalProperties)
  let found = options(root)
  for (const step of path) found = found.flatMap((part) => options(inside(part, step)))
  return found.flatMap((part) => Object.keys(part.properties ?? {}))
}

const kinds: Record<string, string> = {
  string: 'must be text',
  number: 'must be a number',
  int: 'must be a whole number',
  boolean: 'must be true or false',
  array: 'must be a list',
  object: 'must be a map of keys and values',
  record: 'must be a map of keys and values',
}

/** The predicate of an issue for which the schema has no words of its own. */
function expectation(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return kinds[issue.expected] ?? `must be of type ${issue.expected}`
    case 'invalid_value':
      return `must be ${(issue.values as unknown[]).map(String).join(' or ')}`
    case 'too_small':
      if (issue.origin === 'string') return 'must not be empty'
      if (issue.origin === 'array') return 'must have at least one entry'
      return `must be at least ${issue.minimum}`
    case 'too_big':
      return `must be at most ${issue.maximum}`
    default:
      return undefined
  }
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (at, step) => (typeof at === 'object' && at !== null ? (at as Record<PropertyKey, unknown>)[step] : undefined),
    value,
  )
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (typeof value === 'object') return 'a map'
  if (typeof value === 'string') return value === '' ? 'empty text' : `the text ${show(value, '"')}`
  return `${String(value)} (${typeof value === 'boolean' ? 'true or false' : 'a number'})`
}

/** Text from a file that a stranger may have written: short, masked, and without anything a terminal would act on. */
function show(text: string, quote: string): string {
  const masked = maskSecrets(text.replaceAll(/\/\/[^/@\s]*@/g, '//***@'))
  const short = masked.length > MAX_SHOWN ? `${masked.slice(0, MAX_SHOWN)}…` : masked
  const escaped = short.replaceAll(
    // eslint-disable-next-line no-control-regex -- control characters are what it looks for
    /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  return `${quote}${escaped}${quote}`
}
