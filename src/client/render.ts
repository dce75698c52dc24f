import type { PullRequestStatus } from '#contracts/pull-request'
import type { RuleOutcome } from '#domain/decision'
import type { Waiting } from '#domain/pull-request'
import { duration, relative, shortSha, type Output, type Style, type Text } from './output.ts'
import type { PullRequestView, ReviewsView } from './pull-request-view.ts'

type Mark = { text: string; style: Style }

export function ruleMark(outcome: RuleOutcome): Mark {
  switch (outcome) {
    case 'pass':
      return { text: '✓', style: 'green' }
    case 'fail':
      return { text: '✗', style: 'red' }
    case 'pending':
      return { text: '…', style: 'yellow' }
    case 'skipped':
      return { text: '-', style: 'dim' }
  }
}

export function checkMark(state: PullRequestStatus['checks'][number]['state']): Mark {
  switch (state) {
    case 'passed':
      return ruleMark('pass')
    case 'failed':
    case 'timed-out':
      return ruleMark('fail')
    case 'skipped':
      return ruleMark('skipped')
    default:
      return ruleMark('pending')
  }
}

export function phaseText(phase: string): Text {
  switch (phase) {
    case 'landed':
      return { text: phase, style: 'green' }
    case 'rejected':
    case 'closed':
      return { text: phase, style: 'red' }
    case 'waiting':
      return { text: phase, style: 'yellow' }
    default:
      return { text: phase, style: 'cyan' }
  }
}

/** What it waits for, since when, until when, who can act, and how. */
export function waitingLines(waiting: Waiting, now: Date): Text[][] {
  const until = waiting.until === null ? 'no deadline' : `until ${waiting.until} (${relative(waiting.until, now)})`
  return [
    [{ text: 'waits for ', style: 'bold' }, waiting.for],
    [{ text: '  since ', style: 'dim' }, `${waiting.since} (${relative(waiting.since, now)}), ${until}`],
    ...(waiting.who.length === 0 ? [] : [[{ text: '  who can act ', style: 'dim' } as const, waiting.who.join(', ')]]),
    ...(waiting.command === null ? [] : [[{ text: '  with ', style: 'dim' } as const, waiting.command]]),
  ]
}

export function printPullRequest(output: Output, view: PullRequestView, now: Date): void {
  output.line({ text: `${view.repo}#${view.number} `, style: 'bold' }, view.title, view.draft ? ' (draft)' : '')
  output.line(
    phaseText(view.phase),
    `  ${view.head.ref} → ${view.base.ref}  by ${view.author}  at ${shortSha(view.head.sha)}`,
  )
  if (view.policy !== null) {
    const source = view.policy.source === 'base' ? `from ${view.base.ref}` : `from ${view.policy.source}`
    output.line(
      { text: 'policy: ', style: 'dim' },
      source,
      view.policy.problem === null ? '' : ` (${view.policy.problem})`,
    )
  }
  if (view.decision !== null) {
    output.line({ text: 'decision: ', style: 'dim' }, view.decision.outcome)
    for (const rule of view.decision.rules) output.line('  ', ruleMark(rule.outcome), ` ${rule.rule}  `, rule.reason)
  }
  printReviews(output, view.reviews)
  if (view.waiting !== null) for (const line of waitingLines(view.waiting, now)) output.line(...line)
  if (view.merged !== null) {
    output.line(
      { text: 'landed ', style: 'green' },
      `${shortSha(view.merged.sha)} by ${view.merged.method} at ${view.merged.at}`,
    )
  }
  if (view.webUrl !== null) output.line({ text: view.webUrl, style: 'dim' })
}

function printReviews(output: Output, { approvedBy, staleApprovals, changesRequestedBy }: ReviewsView): void {
  if (approvedBy.length > 0) output.line({ text: 'approved by ', style: 'green' }, approvedBy.join(', '))
  for (const { by, head } of staleApprovals) {
    output.line({ text: 'stale approval ', style: 'dim' }, `by ${by}, of ${shortSha(head)}: it counts no more`)
  }
  for (const { by, commands } of changesRequestedBy) {
    output.line({ text: 'blocked by ', style: 'red' }, `${by}, who lifts it with ${commands.join(', or ')}`)
  }
}

export function printPullRequests(output: Output, views: PullRequestView[]): void {
  if (views.length === 0) return output.line('No pull requests.')
  output.table(
    ['PR', 'title', 'branch', 'phase', 'reason'],
    views.map((view) => [
      `${view.repo}#${view.number}`,
      view.title,
      view.head.ref,
      phaseText(view.phase),
      shortReason(view),
    ]),
  )
}

function shortReason(view: PullRequestView): string {
  if (view.merged !== null) return shortSha(view.merged.sha)
  if (view.waiting !== null) return view.waiting.for
  const open = view.decision?.rules.find((rule) => rule.outcome === 'fail')
  return open ? `${open.rule}: ${open.reason}` : ''
}

/** The live checklist of one PR. */
export function checklist(status: PullRequestStatus): Text[][] {
  const head: Text[] = [
    { text: `${status.repo}#${status.number} `, style: 'bold' },
    `${status.title}  `,
    phaseText(status.phase),
  ]
  const checks = status.checks.map((check): Text[] => {
    const running = check.state === 'queued' || check.state === 'running'
    const time = check.duration === null || running ? '' : ` (${duration(check.duration)})`
    return ['  ', checkMark(check.state), ` ${check.name}  `, check.reason || check.state, { text: time, style: 'dim' }]
  })
  if (status.waiting === null) return [head, ...checks]
  return [head, ...checks, ['  ', { text: 'waits for ', style: 'dim' }, status.waiting.for]]
}
