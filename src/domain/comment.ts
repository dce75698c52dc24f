import type { Decision, Rule, RuleOutcome } from './decision.ts'
import type { Instant, Merged, Phase, Sha, Waiting } from './pull-request.ts'
import { escapeMarkdown, oneLine, plainText } from './text.ts'

/** The hidden key of the one comment that a PR gets from its pipeline. */
export const commentKey = 'switchyard'

const saidAt = /<!-- said at (\S+) -->\n?$/

/** The comment with the time of its words, hidden from readers: later words are never covered by earlier ones. */
export function withTime(comment: string, at: Instant | undefined): string {
  return at === undefined ? comment : `${comment}<!-- said at ${at} -->\n`
}

export function timeOf(comment: string): Instant | null {
  return saidAt.exec(comment)?.[1] ?? null
}

const marks: Record<RuleOutcome, string> = { pass: '✅', fail: '❌', pending: '⏳', skipped: '⏭️' }

export type CommentInput = {
  phase: Phase
  head: Sha
  base: string
  decision: Decision | null
  waiting: Waiting | null
  merged: Merged | null
  policyProblem: string | null
  isolationWarning: string | null
  /** The command that prints what the checks said. */
  logs: string
}

const titles: Record<Phase, string> = {
  checking: 'Checking',
  waiting: 'Waiting',
  rejected: 'Not approved',
  queued: 'Approved, in the merge queue',
  testing: 'Approved, the merge queue is testing it',
  landing: 'Approved, landing',
  landed: 'Landed',
  closed: 'Closed',
}

/** One comment per PR, edited and never repeated: each criterion, what it waits for, who can act. */
export function renderComment(input: CommentInput): string {
  const lines = [
    `### Switchyard: ${titles[input.phase]}`,
    '',
    `Head \`${input.head.slice(0, 12)}\` into ${code(input.base)}.`,
  ]
  if (input.merged) {
    lines.push(`Landed as \`${input.merged.sha.slice(0, 12)}\` (${input.merged.method}) at ${input.merged.at}.`)
  }
  if (input.decision) lines.push('', ...decisionLines(input.decision))
  if (input.waiting) lines.push('', waitingLine(input.waiting), ...commandBlock(input.waiting.command))
  if (input.decision?.outcome === 'reject') lines.push('', `What the checks said: ${code(input.logs)}`)
  if (input.policyProblem) {
    lines.push(
      '',
      `⚠️ The policy on ${code(input.base)} does not apply: ${inline(input.policyProblem)}. The last good one does.`,
    )
  }
  if (input.isolationWarning) lines.push('', `⚠️ ${inline(input.isolationWarning)}`)
  return `${lines.join('\n')}\n`
}

/** A policy may have 200 conditions, and a forge takes 64 KB: the rest is told by the command line. */
const MAX_RULE_LINES = 60

function decisionLines({ rules }: Decision): string[] {
  const lines = rules.flatMap((rule) => ruleLines(rule, 0))
  if (lines.length <= MAX_RULE_LINES) return lines
  const rest = lines.length - MAX_RULE_LINES
  return [...lines.slice(0, MAX_RULE_LINES), `- … and ${rest} more: \`switchyard policy explain\``]
}

function ruleLines(rule: Rule, depth: number): string[] {
  const name = /^[\w-]+$/.test(rule.rule) ? rule.rule : inline(rule.rule)
  const line = `${'  '.repeat(depth)}- ${marks[rule.outcome]} **${name}**: ${inline(rule.reason)}`
  const children = rule.outcome === 'pass' ? [] : (rule.rules ?? []).flatMap((child) => ruleLines(child, depth + 1))
  return [line, ...children]
}

function waitingLine(waiting: Waiting): string {
  const who = waiting.who.length > 0 ? ` Who can act: ${waiting.who.map(inline).join(', ')}.` : ''
  const until = waiting.until ? ` Until ${waiting.until}.` : ''
  return `Waits for ${inline(waiting.for)}, since ${waiting.since}.${until}${who}`
}

function commandBlock(command: string | null): string[] {
  return command === null ? [] : ['', '```', plainText(command), '```']
}

/** Text from outside inside one Markdown line: no markup, no mention, no line break. Cut before it is escaped. */
function inline(text: string): string {
  return escapeMarkdown(oneLine(text, 1_000))
}

/** A branch name may contain backticks: a code span then opens with more of them. */
function code(text: string): string {
  return text.includes('`') ? `${fence(text)} ${text} ${fence(text)}` : `\`${text}\``
}

function fence(text: string): string {
  return '`'.repeat(1 + Math.max(...[...text.matchAll(/`+/g)].map(([run]) => run.length)))
}

/** The run's page in the Temporal Web UI: a live checklist in Markdown. */
export function renderDetails(input: {
  title: string
  phase: Phase
  checks: { name: string; state: string; reason: string }[]
  decision: Decision | null
  waiting: Waiting | null
  merged: Merged | null
}): string {
  const lines = [`**${inline(input.title)}**`, '', `Phase: **${input.phase}**`, '']
  for (const check of input.checks) {
    const mark = check.state === 'passed' ? '✅' : check.state === 'running' || check.state === 'queued' ? '🔄' : '❌'
    lines.push(`- ${mark} ${check.name}: ${check.state}${check.reason ? `, ${inline(check.reason)}` : ''}`)
  }
  if (input.decision) {
    lines.push('', `Decision: **${input.decision.outcome}**`, '', ...decisionLines(input.decision))
  }
  if (input.merged) lines.push('', `Landed as \`${input.merged.sha}\` at ${input.merged.at}`)
  if (input.waiting) lines.push('', waitingLine(input.waiting))
  // The Web UI leaves out fenced blocks.
  if (input.waiting?.command) lines.push('', `With ${code(plainText(input.waiting.command))}`)
  return lines.join('\n')
}
