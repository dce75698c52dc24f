import { isRecord } from './record.ts'
import type { ReviewerFinding } from './reviewer-answer.ts'

/** What one SARIF log reports, or what is wrong with it. */
export type SarifAnswer = { outcome: 'valid'; findings: ReviewerFinding[] } | { outcome: 'invalid'; problem: string }

type Json = Record<string, unknown>
type Severity = ReviewerFinding['severity']
type RuleOf = (result: Json) => Json | null

/** Characters of a rule's template, and of what is made of it: a log may name one often, with long arguments. */
const MAX_TEMPLATE = 1000

/** By its shape: no other answer has runs. */
export function isSarif(answer: unknown): answer is Json {
  return isRecord(answer) && Array.isArray(answer['runs'])
}

/**
 * The results of a SARIF 2.1.0 log. Level `error` fails, `warning` and `note` are shown; without a level the rule's own
 * counts, else `warning` (§3.27.10). What is no failure (`kind`), has the level `none` or is suppressed is left out. A
 * single result that is wrong fails the whole log: half a log could hide the result that counts.
 */
export function parseSarif(log: Json): SarifAnswer {
  if (log['version'] !== '2.1.0') {
    return { outcome: 'invalid', problem: `SARIF version ${shown(log['version'])}, not 2.1.0` }
  }
  const findings: ReviewerFinding[] = []
  for (const [index, run] of list(log['runs']).entries()) {
    const results = isRecord(run) ? (run['results'] ?? []) : null
    if (!isRecord(run) || !Array.isArray(results)) {
      return { outcome: 'invalid', problem: `SARIF run ${index + 1} has no list of results` }
    }
    const before = findings.length
    const ruleOf = rulesOf(run)
    for (const [number, result] of results.entries()) {
      const finding = parseResult(result, ruleOf)
      if (typeof finding === 'string') {
        return { outcome: 'invalid', problem: `SARIF run ${index + 1}, result ${number + 1}: ${finding}` }
      }
      if (finding !== null) findings.push(finding)
    }
    if (hasFailed(run) && findings.slice(before).every(({ severity }) => severity !== 'error')) {
      return { outcome: 'invalid', problem: `SARIF run ${index + 1}: its tool did not succeed` }
    }
  }
  return { outcome: 'valid', findings }
}

/** A tool that gave up has not found nothing. */
function hasFailed(run: Json): boolean {
  return list(run['invocations']).some((each) => record(each)?.['executionSuccessful'] === false)
}

/** The finding, null for what is none, or what is wrong with it. */
function parseResult(result: unknown, ruleOf: RuleOf): ReviewerFinding | string | null {
  if (!isRecord(result)) return 'expected an object'
  const rule = ruleOf(result)
  const message = messageOf(result['message'], rule)
  if (message === null) return 'message has no text'
  const level = levelOf(result, rule)
  if (typeof level !== 'string') return 'level must be error, warning, note or none'
  if (level === 'none' || isSuppressed(result)) return null
  const name = text(result['ruleId']) ?? text(rule?.['id']) ?? text(record(result['rule'])?.['id']) ?? 'result'
  return { rule: name, message, ...placeOf(result), severity: level }
}

function levelOf(result: Json, rule: Json | null): Severity | 'none' | null {
  const kind = result['kind'] ?? 'fail'
  if (kind !== 'fail') return 'none'
  const level = result['level'] ?? record(rule?.['defaultConfiguration'])?.['level'] ?? 'warning'
  return level === 'error' || level === 'warning' || level === 'note' || level === 'none' ? level : null
}

/** The rule that a result names by index or id, in the driver or, as far as the index says so, in an extension. */
function rulesOf(run: Json): RuleOf {
  const tool = record(run['tool'])
  const extensions = list(tool?.['extensions'])
  const known = new Map<Json, Map<unknown, Json>>()
  return (result) => {
    const named = record(result['rule'])
    const at = record(named?.['toolComponent'])?.['index']
    const component = typeof at === 'number' ? record(extensions[at]) : record(tool?.['driver'])
    if (component === null) return null
    const index = result['ruleIndex'] ?? named?.['index']
    if (typeof index === 'number' && index >= 0) return record(list(component['rules'])[index])
    const byId = known.get(component) ?? rulesById(component)
    known.set(component, byId)
    return byId.get(result['ruleId'] ?? named?.['id']) ?? null
  }
}

/** Made once of each component: as many results as rules, looked up one by one, stop a worker for minutes. */
function rulesById(component: Json): Map<unknown, Json> {
  const rules = list(component['rules']).filter(isRecord)
  return new Map(rules.toReversed().map((rule) => [rule['id'], rule]))
}

/** A text of its own, or one of the rule's messages with its arguments put in. */
function messageOf(value: unknown, rule: Json | null): string | null {
  const message = record(value)
  const own = text(message?.['text']) ?? text(message?.['markdown'])
  if (own !== null) return own
  const template = text(record(record(rule?.['messageStrings'])?.[String(message?.['id'])])?.['text'])
  const given = list(message?.['arguments'])
  if (template === null) return null
  let room = MAX_TEMPLATE
  return template.slice(0, MAX_TEMPLATE).replaceAll(/\{(\d+)\}/g, (whole: string, at: string) => {
    const part = (text(given[Number(at)]) ?? whole).slice(0, room)
    room -= part.length
    return part
  })
}

function placeOf(result: Json): Pick<ReviewerFinding, 'path' | 'line'> {
  const physical = record(record(list(result['locations'])[0])?.['physicalLocation'])
  const uri = text(record(physical?.['artifactLocation'])?.['uri'])
  const line = record(physical?.['region'])?.['startLine']
  return {
    path: uri === null ? null : pathOf(uri),
    line: typeof line === 'number' && Number.isInteger(line) && line > 0 ? line : null,
  }
}

/** Where checks run, with isolation and without. */
const checkoutFolder = /^(?:\/checkout|.*\/slots\/[0-9a-f]{24}\/\d+\/tree)\//

/** A URI's path in the repository. */
function pathOf(uri: string): string {
  const path = uri.replace(/^file:(?:\/\/[^/]*)?/i, '').replace(checkoutFolder, '')
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

/** Suppressed unless a suppression still waits for a review, or was refused (§3.27.23). */
function isSuppressed(result: Json): boolean {
  const suppressions = list(result['suppressions'])
  return (
    suppressions.length > 0 && suppressions.every((each) => (record(each)?.['status'] ?? 'accepted') === 'accepted')
  )
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

function record(value: unknown): Json | null {
  return isRecord(value) ? value : null
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

function shown(value: unknown): string {
  return typeof value === 'string' ? `"${value.slice(0, 20)}"` : 'missing'
}
