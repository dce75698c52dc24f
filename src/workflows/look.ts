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
  const snapshot = await forgeActivities(timings).takeSnapshot({ repo, number, ...(recall ? { recall } : {}) })
  if (recall) run.hold ??= snapshot.hold ?? null
  run.seeBase(snapshot)
  run.seeHead(snapshot)
  if (isNewer(snapshot.newestComment ?? null, run.heardComment)) await hearCommands(run, snapshot)
  if (run.acts.length > 0) await tellActs(run)
  return snapshot
}

/** Ids of comments are decimal numbers that rise. */
function isNewer(newest: string | null, heard: string | null): boolean {
  return newest !== null && Number(newest) > Number(heard ?? 0)
}

/** Heard and carried out in one step of the run: a worker that dies before or after it changes nothing. */
async function hearCommands(run: PullRequestRun, snapshot: SnapshotFacts): Promise<void> {
  const { repo, number, author, policy } = snapshot
  const { commands, heard } = await forgeActivities(run.input.timings).readCommands({
    ...{ repo, number, author, policyDigest: policy.digest },
    after: run.heardComment,
  })
  run.heardComment = heard
  for (const [index, command] of commands.entries()) performCommand(run, snapshot, command, index)
  if (isNewer(snapshot.newestComment ?? null, heard)) run.lookPending = true
}

/** What could not be told stays, and is told with the next look. */
async function tellActs(run: PullRequestRun): Promise<void> {
  const { repo, number, timings } = run.input
  const acts = [...run.acts]
  const told = await forgeActivities(timings)
    .acknowledgeCommands({ repo, number, acts })
    .then(() => true, unlessFailed)
  if (told) run.acts = run.acts.filter((act) => !acts.includes(act))
}
