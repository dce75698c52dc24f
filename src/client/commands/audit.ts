import { oneLine } from '#domain/text'
import type { AuditEntry, AuditFilter } from '#ledger/port'
import type { Installation } from '#installation/installation'
import type { CommandContext, ExitCode } from '../context.ts'
import { toJson } from '../output.ts'
import { getPullRequest } from '../pull-request.ts'
import { selectPullRequest, selectRepositories } from '../select.ts'
import { withInstallation } from '../session.ts'
import { limitFlag, sinceFlag } from '../since.ts'
import { sleep } from '../sleep.ts'

export type Audit = { pr?: string; actor?: string; action?: string; since?: string; limit: string; follow?: boolean }

const MOST = 10_000
const EVERY_MS = 1_000
/** An entry is of the time of its act, and may be written later: so far back, in milliseconds, newcomers are looked for. */
const LATE_MS = 10 * 60_000

/** Who did what, when, on which snapshot: oldest first. */
export async function run(context: CommandContext, input: Audit): Promise<ExitCode> {
  const limit = limitFlag(input.limit, '--limit', MOST)
  const since = input.since === undefined ? {} : { since: sinceFlag(context, input.since) }
  return await withInstallation(context, async (installation) => {
    const filter = { ...(await filterOf(context, installation, input)), ...since, limit }
    const entries = await installation.ledger.audit(filter)
    const empty = entries.length > 0 ? null : await whyEmpty(installation, filter)
    if (input.follow) {
      if (input.action !== undefined && empty !== null) context.output.note(empty)
      return await follow(context, installation, filter)
    }
    if (empty !== null) context.output.line(empty)
    else context.output.table(['when', 'who', 'what', 'pull request', 'snapshot', 'details'], entries.map(cells))
    context.output.document(entries)
    return 0
  })
}

/** Where nothing is found, a slip of the pen is told from a quiet time. */
async function whyEmpty(installation: Installation, { repo, number, action }: AuditFilter): Promise<string> {
  if (repo !== undefined && number !== undefined) await getPullRequest(installation, repo, number)
  if (action === undefined) return 'No entries.'
  const all = await installation.ledger.audit({ limit: MOST })
  const known = [...new Set(all.map((entry) => entry.action))].sort()
  if (known.includes(action) || known.length === 0) return 'No entries.'
  return `No entries: ${JSON.stringify(oneLine(action, 60))} is no action on record, which has ${known.join(', ')}.`
}

async function filterOf(context: CommandContext, installation: Installation, input: Audit): Promise<AuditFilter> {
  const { actor, action, pr } = input
  const named = { ...(actor === undefined ? {} : { actor }), ...(action === undefined ? {} : { action }) }
  if (pr !== undefined) return { ...named, ...(await selectPullRequest(context, installation, pr)) }
  if (context.flags.repo === undefined) return named
  const [repo] = await selectRepositories(context, installation)
  return repo === undefined ? named : { ...named, repo }
}

/** One line, or with `--json` one document a line, for each entry, until Ctrl-C. */
async function follow(context: CommandContext, { ledger }: Installation, filter: AuditFilter): Promise<never> {
  const begun = context.now().getTime()
  const sinceOf = (entries: AuditEntry[]) => Math.max(begun, ...entries.map(({ at }) => Date.parse(at))) - LATE_MS
  const read = (from: number) => ledger.audit({ ...filter, since: new Date(from).toISOString(), limit: MOST })
  // What is there already, and `--limit` or `--since` leaves out, is not news.
  const known = await read(begun - LATE_MS)
  const first = await ledger.audit(filter)
  for (const entry of first) print(context, entry)
  let from = sinceOf(first)
  let shown = new Map([...known, ...first].map((entry) => [entry.key, entry]))
  for (;;) {
    await sleep(EVERY_MS, context.signal)
    const entries = await read(from)
    for (const entry of entries.filter(({ key }) => !shown.has(key))) print(context, entry)
    from = sinceOf(entries)
    const kept = [...shown.values(), ...entries].filter(({ at }) => Date.parse(at) >= from)
    shown = new Map(kept.map((entry) => [entry.key, entry]))
  }
}

function print({ output, stdout }: CommandContext, entry: AuditEntry): void {
  if (output.json) stdout.write(`${toJson(entry, 0)}\n`)
  else output.line(cells(entry).filter(Boolean).join('  '))
}

function cells({ at, actor, action, repo, number, snapshotId, details }: AuditEntry): string[] {
  const told = Object.entries(details)
    .filter(([, value]) => value !== null && value !== '')
    .map(([name, value]) => `${name}=${shorter(String(value))}`)
  const about = number === null ? repo : `${repo}#${number}`
  return [at, actor, action, about, snapshotId?.slice(0, 8) ?? '', told.join(' ')]
}

/** Commits as git abbreviates them. */
function shorter(value: string): string {
  return /^[0-9a-f]{40}$/.test(value) ? value.slice(0, 8) : value
}
