import type { SnapshotFacts } from '#domain/pull-request'
import { performCommand } from './commands.ts'
import { unlessFailed } from './failing.ts'
import { forgeActivities } from './proxies.ts'
import type { PullRequestRun } from './pull-request-run.ts'

/**
 * Looks at the PR: takes a snapshot, and carries out what new comments ask. Whoever looks goes by what `run` says then.
 * A PR without new comments costs the snapshot and nothing else.
 */
export async function takeLook(run: PullRequestRun): Promise<SnapshotFacts> {
  run.lookPending = false
  const { repo, number, timings } = run.input
  const recall = run.headSeen === null && run.snapshot === null
  const request = { repo, number, ...(recall ? { recall } : {}) }
  const { recalled, ...snapshot } = await forgeActivities(timings).takeSnapshot(request)
  if (recall) run.hold ??= snapshot.hold ?? null
  run.mergeRequest ??= recalled?.mergeRequest ?? null
  run.ejected ??= recalled?.ejected ?? null
  run.seeBase(snapshot)
  run.seeHead(snapshot, recalled?.headSince ?? null)
  passOverOld(run, snapshot)
  if (isNewer(snapshot.newestComment ?? null, run.heardComment)) await hearCommands(run, snapshot)
  if (run.acts.length > 0) await tellActs(run, snapshot)
  return snapshot
}

/** A pipeline of 0.1.0 knew no commands, and no newest comment: what was said up to here was said to nobody. */
function passOverOld(run: PullRequestRun, { newestComment }: SnapshotFacts): void {
  if (run.heardComment === undefined) run.heardComment = newestComment
  else if (newestComment === undefined) run.heardComment ??= undefined
}

/** Ids of comments are decimal numbers that rise. */
function isNewer(newest: string | null, heard: string | null | undefined): boolean {
  return newest !== null && Number(newest) > Number(heard ?? 0)
}

/** Heard and carried out in one step of the run: a worker that dies before or after it changes nothing. */
async function hearCommands(run: PullRequestRun, snapshot: SnapshotFacts): Promise<void> {
  const { repo, number, author, policy } = snapshot
  const { commands, heard } = await forgeActivities(run.input.timings).readCommands({
    ...{ repo, number, author, policyDigest: policy.digest },
    after: run.heardComment ?? null,
  })
  run.heardComment = heard
  for (const [index, command] of commands.entries()) performCommand(run, snapshot, command, index)
  if (isNewer(snapshot.newestComment ?? null, heard)) run.lookPending = true
}

/** What could not be told stays, and is told with the next look. */
async function tellActs(run: PullRequestRun, { policy }: SnapshotFacts): Promise<void> {
  const { repo, number, timings } = run.input
  const acts = [...run.acts]
  const told = await forgeActivities(timings)
    .acknowledgeCommands({ repo, number, acts, silent: policy.mode === 'dry-run' })
    .then(() => true, unlessFailed)
  if (told) run.acts = run.acts.filter((act) => !acts.includes(act))
}
