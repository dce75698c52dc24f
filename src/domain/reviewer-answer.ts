/** What a reviewer reports. An `error` fails the review, a `warning` is only shown. */
export type ReviewerFinding = {
  rule: string
  message: string
  path: string | null
  line: number | null
  severity: 'error' | 'warning'
}

export type ReviewerAnswer = { outcome: 'valid'; findings: ReviewerFinding[] } | { outcome: 'failed'; reason: string }

/** More findings than this help nobody; the rest is left out. */
export const maxReviewerFindings = 1000

/**
 * A reviewer's answer: `{"findings": [{rule, message, path?, line?, severity?}]}`, or the array alone. `severity` is
 * `error` unless it says `warning`. A single field that is wrong fails the whole answer: half an answer could hide
 * the finding that counts.
 */
export function parseReviewerAnswer(name: string, text: string): ReviewerAnswer {
  let answer: unknown
  try {
    answer = JSON.parse(text)
  } catch {
    return { outcome: 'failed', reason: `reviewer ${name} answered no valid JSON (line ${errorLine(text)})` }
  }
  const list = isRecord(answer) ? answer['findings'] : answer
  if (!Array.isArray(list)) {
    return { outcome: 'failed', reason: `reviewer ${name} answered no list of findings` }
  }
  const findings: ReviewerFinding[] = []
  for (const [index, item] of list.slice(0, maxReviewerFindings).entries()) {
    const finding = parseFinding(item)
    if (typeof finding === 'string') {
      return {
        outcome: 'failed',
        reason: `reviewer ${name} answered a wrong finding (number ${index + 1}: ${finding})`,
      }
    }
    findings.push(finding)
  }
  return { outcome: 'valid', findings }
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
  if (severity !== 'error' && severity !== 'warning') return 'severity must be error or warning'
  return { rule, message, path, line, severity }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
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
