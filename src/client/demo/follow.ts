import { createLogUpdate } from 'log-update'
import type { PullRequestStatus } from '#contracts/pull-request'
import type { Connected } from '#installation/installation'
import type { CommandContext } from '../context.ts'
import type { Text } from '../output.ts'
import { readPullRequestStatus } from '../status.ts'
import { sleep } from '../sleep.ts'
import { checkMark } from '../render.ts'
import { CliError } from '../errors.ts'

const POLL_MS = 250
const PATIENCE_MS = 5 * 60_000

/** Shows all PRs as a live checklist until each rests: on a terminal in place, elsewhere a line per change. */
export async function followAll(
  context: CommandContext,
  connected: Connected,
  repo: string,
  numbers: number[],
  signal: AbortSignal,
): Promise<Map<number, PullRequestStatus>> {
  const { output } = context
  const update = output.isTerminal ? createLogUpdate(context.stdout as NodeJS.WriteStream) : null
  if (update) output.redirectNotes((text) => update.persist(text))
  const statuses = new Map<number, PullRequestStatus>()
  const shown = new Map<number, string>()
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline;) {
    for (const number of numbers) {
      const status = await readPullRequestStatus(connected, repo, number).catch(() => null)
      if (status) statuses.set(number, status)
    }
    const lines = numbers.flatMap((number) => (statuses.has(number) ? [line(statuses.get(number)!)] : []))
    if (update) update(lines.map((parts) => output.render(...parts)).join('\n'))
    else for (const parts of lines) printChange(output, shown, parts)
    if (numbers.every((number) => statuses.get(number)?.resting)) {
      output.redirectNotes(null)
      update?.done()
      return statuses
    }
    await sleep(POLL_MS, signal)
  }
  throw new CliError(1, 'demo-timeout', 'not every pull request came to rest in five minutes', {
    hint: 'Run it with --keep and look with `switchyard why`.',
  })
}

function printChange(output: CommandContext['output'], shown: Map<number, string>, parts: Text[]): void {
  const text = output.render(...parts)
  const number = Number(/#(\d+)/.exec(text)?.[1])
  if (shown.get(number) === text) return
  shown.set(number, text)
  output.line(...parts)
}

function line(status: PullRequestStatus): Text[] {
  const checks = status.checks.flatMap((check): Text[] => [' ', checkMark(check.state), ` ${check.name}`])
  return [
    { text: `#${status.number} `, style: 'bold' },
    status.title.padEnd(24),
    { text: status.phase.padEnd(9), style: phaseStyle(status) },
    ...checks,
  ]
}

function phaseStyle({ phase }: PullRequestStatus): 'green' | 'red' | 'yellow' | 'cyan' {
  if (phase === 'landed') return 'green'
  if (phase === 'rejected' || phase === 'closed') return 'red'
  return phase === 'waiting' ? 'yellow' : 'cyan'
}
