import type { ReviewerFinding } from './reviewer-answer.ts'

/** What one SARIF log reports, or what is wrong with it. */
export type SarifAnswer = { outcome: 'valid'; findings: ReviewerFinding[] } | { outcome: 'invalid'; problem: string }

type Json = Record<string, unknown>
type Severity = ReviewerFinding['severity']

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
    for (const [number, result] of results.entries()) {
      const finding = parseResult(result, run)
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
function parseResult(result: unknown, run: Json): ReviewerFinding | string | null {
  if (!isRecord(result)) return 'expected an object'
  const rule = ruleOf(result, run)
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
function ruleOf(result: Json, run: Json): Json | null {
  const tool = record(run['tool'])
  const named = record(result['rule'])
  const component = record(named?.['toolComponent'])?.['index']
  const driver =
    typeof component === 'number' ? record(list(tool?.['extensions'])[component]) : record(tool?.['driver'])
  const rules = list(driver?.['rules'])
  const index = result['ruleIndex'] ?? named?.['index']
  if (typeof index === 'number' && index >= 0) return record(rules[index])
  const id = result['ruleId'] ?? named?.['id']
  return record(rules.find((rule) => record(rule)?.['id'] === id))
}

/** A text of its own, or one of the rule's messages with its arguments put in. */
function messageOf(value: unknown, rule: Json | null): string | null {
  const message = record(value)
  const own = text(message?.['text']) ?? text(message?.['markdown'])
  if (own !== null) return own
  const template = text(record(record(rule?.['messageStrings'])?.[String(message?.['id'])])?.['text'])
  const given = list(message?.['arguments'])
  return template === null ? null : template.replaceAll(/\{(\d+)\}/g, (whole, at) => text(given[Number(at)]) ?? whole)
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

function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
