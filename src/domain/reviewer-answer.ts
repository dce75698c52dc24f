import { isRecord } from './record.ts'
import { isSarif, parseSarif } from './sarif.ts'

/** What a reviewer reports. An `error` fails the review, a `warning` or a `note` is only shown. */
export type ReviewerFinding = {
  rule: string
  message: string
  path: string | null
  line: number | null
  severity: 'error' | 'warning' | 'note'
}

export type ReviewerAnswer = { outcome: 'valid'; findings: ReviewerFinding[] } | { outcome: 'failed'; reason: string }

/** More findings than this help nobody; the rest is left out. */
export const maxReviewerFindings = 1000

/**
 * A reviewer's answer: a SARIF log, or `{"findings": [{rule, message, path?, line?, severity?}]}`, or the array alone.
 * `severity` is `error` unless it says `warning` or `note`. A single field that is wrong fails the whole answer: half
 * an answer could hide the finding that counts.
 */
export function parseReviewerAnswer(name: string, text: string): ReviewerAnswer {
  let answer: unknown
  try {
    answer = JSON.parse(text)
  } catch {
    return { outcome: 'failed', reason: `reviewer ${name} answered no valid JSON (line ${errorLine(text)})` }
  }
  if (isSarif(answer)) {
    const log = parseSarif(answer)
    if (log.outcome === 'valid') return { outcome: 'valid', findings: mostImportant(log.findings) }
    return { outcome: 'failed', reason: `reviewer ${name} answered wrong SARIF (${log.problem})` }
  }
  const list = isRecord(answer) ? answer['findings'] : answer
  if (!Array.isArray(list)) {
    return { outcome: 'failed', reason: `reviewer ${name} answered no list of findings` }
  }
  const findings: ReviewerFinding[] = []
  for (const [index, item] of list.entries()) {
    const finding = parseFinding(item)
    if (typeof finding === 'string') {
      return {
        outcome: 'failed',
        reason: `reviewer ${name} answered a wrong finding (number ${index + 1}: ${finding})`,
      }
    }
    findings.push(finding)
  }
  return { outcome: 'valid', findings: mostImportant(findings) }
}

/** As many as are kept, errors first: what is left out must not be what fails the review. */
export function mostImportant(findings: ReviewerFinding[]): ReviewerFinding[] {
  if (findings.length <= maxReviewerFindings) return findings
  const isError = ({ severity }: ReviewerFinding) => severity === 'error'
  return [...findings.filter(isError), ...findings.filter((each) => !isError(each))].slice(0, maxReviewerFindings)
}

/** The finding, or what is wrong with it. */
function parseFinding(item: unknown): ReviewerFinding | string {
  if (!isRecord(item)) return 'expected an object'
  const { rule, message, path = null, line = null, severity = 'error' } = item
  if (typeof rule !== 'string' || rule === '') return 'rule must be a text'
  if (typeof message !== 'string' || message === '') return 'message must be a text'
  if (path !== null && typeof path !== 'string') return 'path must be a text'
  if (line !== null && !(typeof line === 'number' && Number.isInteger(line) && line > 0)) {
    return 'line must be a whole number from 1'
  }
  if (severity !== 'error' && severity !== 'warning' && severity !== 'note') {
    return 'severity must be error, warning or note'
  }
  return { rule, message, path, line, severity }
}

/**
 * The 1-based line in which a text stops to be JSON. Engines name a position in some of their messages only, so this
 * looks for the shortest run of lines whose error is not just that the text ends there.
 */
function errorLine(text: string): number {
  const lines = text.split('\n')
  let low = 1
  let high = lines.length
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (isBroken(lines.slice(0, middle).join('\n'))) high = middle
    else low = middle + 1
  }
  return low
}

function isBroken(text: string): boolean {
  try {
    JSON.parse(text)
    return false
  } catch (error) {
    const message = error instanceof Error ? error.message : ''
    if (/^Unexpected end|^Unterminated/.test(message)) return false
    const position = /at position (\d+)/.exec(message)?.[1]
    return position === undefined || Number(position) < text.trimEnd().length
  }
}
