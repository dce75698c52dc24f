import { isAlias, isMap, isNode, isPair, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml'
import type { Document, Node, Pair, YAMLError } from 'yaml'
import { fileProblem, type ConfigProblem } from './problems.ts'

type Told = Pick<ConfigProblem, 'message' | 'hint'>

export type Path = readonly PropertyKey[]
export type Place = { line: number; column: number }

/** A YAML text that was read: its value as plain data, and where each part of it stands. */
export type YamlDocument = {
  value: unknown
  /** Where the value at `path` stands; of a key that is not there, the map that lacks it. */
  placeOf(path: Path): Place
  placeOfKey(path: Path, key: string): Place
  /** Where `text` first stands in the value at `path`; where it does not, that value. */
  placeOfText(path: Path, text: string): Place
}

/** Characters. */
const MAX_TEXT = 100_000
/** The library counts what aliases expand to; a file of ours has no use for more. */
const MAX_ALIASES = 100
/** Of each kind; who has more mends these first. */
export const MAX_PROBLEMS = 50

/** Never throws: what can't be read comes back as problems. An empty text is an empty map. */
export function readYaml(
  text: string,
  file: string,
): { ok: true; document: YamlDocument } | { ok: false; problems: ConfigProblem[] } {
  const refuse = (message: string) => ({ ok: false as const, problems: [fileProblem(file, message)] })
  if (text.length > MAX_TEXT) return refuse('is larger than 100 KB')
  const lines = new LineCounter()
  try {
    const parsed = parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      // The library would compare each key of a map with all before it, for seconds on a hostile text: `documentProblems`.
      uniqueKeys: false,
      maxAliasCount: MAX_ALIASES,
    } as object)
    const problems = documentProblems(parsed, file, lines)
    if (problems.length > 0) return { ok: false, problems }
    return readValue(parsed, file, lines)
  } catch (error) {
    if (error instanceof RangeError) return refuse('is nested too deeply')
    throw error
  }
}

function readValue(parsed: Document.Parsed, file: string, lines: LineCounter): ReturnType<typeof readYaml> {
  try {
    const value: unknown = parsed.toJS({ maxAliasCount: MAX_ALIASES })
    return { ok: true, document: { value: value ?? {}, ...places(parsed, lines) } }
  } catch (error) {
    // How the library says, without a place, that there are too many.
    if (!(error instanceof ReferenceError)) throw error
    const message = `aliases expand to more than ${MAX_ALIASES} values`
    return { ok: false, problems: [{ file, ...firstAlias(parsed, lines), path: '', message }] }
  }
}

function documentProblems(parsed: Document.Parsed, file: string, lines: LineCounter): ConfigProblem[] {
  const problems = [...parsed.errors, ...parsed.warnings]
    .slice(0, MAX_PROBLEMS)
    .map((error) => yamlProblem(error, file, lines))
  const report = (node: Node, at: readonly unknown[], problem: (path: string) => Told): void => {
    if (problems.length >= MAX_PROBLEMS) return
    const path = pathOf(at)
    problems.push({ file, ...place(lines, node.range?.[0] ?? 0), path, ...problem(path) })
  }
  const anchors = new Map<string, Node>()
  const keysOf = new Map<unknown, Set<unknown>>()
  visit(parsed, {
    Node(_, node, ancestors) {
      if ('anchor' in node && typeof node.anchor === 'string') anchors.set(node.anchor, node)
      if (!isAlias(node)) return
      const target = anchors.get(node.source)
      const problem = aliasProblem(node.source, target, ancestors)
      if (problem) report(node, [...ancestors, node], () => ({ message: problem }))
    },
    Pair(_, pair, ancestors) {
      const { key } = pair
      if (!isNode(key)) return
      if (!isScalar(key)) return report(key, ancestors, () => ({ message: 'a key must be plain text' }))
      const map = ancestors.at(-1)
      const known = keysOf.get(map) ?? new Set()
      if (known.has(key.value)) report(key, [...ancestors, pair], twice)
      keysOf.set(map, known.add(key.value))
    },
  })
  return problems
}

function twice(path: string): Told {
  return { message: `the key '${path}' is there twice`, hint: 'keep one of the two' }
}

function aliasProblem(name: string, target: Node | undefined, ancestors: readonly unknown[]): string | null {
  if (!target) return `the alias '*${name}' has no anchor '&${name}' before it`
  if (ancestors.includes(target)) return `the alias '*${name}' stands inside its own anchor`
  return null
}

function yamlProblem(error: YAMLError, file: string, lines: LineCounter): ConfigProblem {
  const where = { file, ...place(lines, error.pos[0]), path: '' }
  // The library's own name for a stack that was too small for the text.
  if (error.code === 'RESOURCE_EXHAUSTION') return { ...where, message: 'is nested too deeply' }
  const [reason = 'unknown error'] = error.message.split(/;|\n/)
  return { ...where, message: `is not valid YAML: ${lowerFirst(reason.trim())}` }
}

function places(parsed: Document.Parsed, lines: LineCounter): Omit<YamlDocument, 'value'> {
  return {
    placeOf: (path) => place(lines, offsetOf(parsed, path)),
    placeOfKey(path, key) {
      const pair = pairOf(parsed, walk(parsed, path).node, key)
      return place(lines, isNode(pair?.key) ? (pair.key.range?.[0] ?? 0) : offsetOf(parsed, path))
    },
    placeOfText(path, text) {
      const offset = offsetOfText(walk(parsed, path).node, text)
      return place(lines, offset ?? offsetOf(parsed, path))
    },
  }
}

function offsetOf(parsed: Document.Parsed, path: Path): number {
  const { node, key } = walk(parsed, path)
  // A value that is not written (`timeout:`) stands nowhere; its key does.
  const unwritten = isScalar(node) && node.range !== null && node.range !== undefined && node.range[0] === node.range[1]
  const shown = unwritten && key ? key : node
  return shown?.range?.[0] ?? 0
}

function offsetOfText(node: Node | null, text: string): number | null {
  let found: number | null = null
  visit(node, {
    Scalar(_, { value, range }) {
      if (value !== text || !range) return undefined
      found = range[0]
      return visit.BREAK
    },
  })
  return found
}

/** The deepest node on the way to `path`, and its key. */
function walk(parsed: Document.Parsed, path: Path): { node: Node | null; key: Node | null } {
  let node: Node | null = parsed.contents
  let key: Node | null = null
  for (const step of path) {
    const container = resolved(parsed, node)
    const pair = pairOf(parsed, container, String(step))
    const next = isSeq(container) ? container.items[Number(step)] : pair?.value
    if (!isNode(next)) return { node: container, key }
    key = isNode(pair?.key) ? pair.key : null
    node = next
  }
  return { node, key }
}

function pairOf(parsed: Document.Parsed, node: Node | null, key: string): Pair | undefined {
  const map = resolved(parsed, node)
  return isMap(map) ? map.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === key) : undefined
}

function resolved(parsed: Document.Parsed, node: Node | null): Node | null {
  return isAlias(node) ? (node.resolve(parsed) ?? null) : node
}

function firstAlias(parsed: Document.Parsed, lines: LineCounter): Place {
  let offset = 0
  visit(parsed, {
    Alias(_, alias) {
      offset = alias.range?.[0] ?? 0
      return visit.BREAK
    },
  })
  return place(lines, offset)
}

function pathOf(ancestors: readonly unknown[]): string {
  const steps = ancestors.map((ancestor, index) => {
    if (isPair(ancestor)) return isScalar(ancestor.key) ? String(ancestor.key.value) : '?'
    if (isSeq(ancestor)) return String(ancestor.items.indexOf(ancestors[index + 1]))
    return ''
  })
  return steps.filter(Boolean).join('.')
}

function place(lines: LineCounter, offset: number): Place {
  const { line, col } = lines.linePos(offset)
  return { line: Math.max(1, line), column: Math.max(1, col) }
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}
