import { decide } from '#domain/decide'
import { runnableChecks } from '#domain/check-subjects'
import type { CheckResults } from '#domain/decision'
import { unprovenChecks } from '#domain/merge-queue'
import { runCheck } from '../../src/workflows/checks.ts'
import { forgeActivities, mergeActivities } from '../../src/workflows/proxies.ts'
import { queueEntryOf, type PlainInput } from './entry.ts'

/** What a script would do: the activities of a landing in their order, by one workflow, without a queue or a person. */
export async function plainPullRequest({ repo, number, timings, workflowId }: PlainInput): Promise<string> {
  const forge = forgeActivities(timings)
  const snapshot = await forge.takeSnapshot({ repo, number })
  const planned = runnableChecks(snapshot)
  const checks: CheckResults = Object.fromEntries(
    await Promise.all(planned.map(async (check) => [check.name, await runCheck(snapshot, check, timings)] as const)),
  )
  const decision = decide(snapshot, checks, new Date().toISOString())
  const said = { repo, number, workflowId, head: snapshot.head.sha, comment: decision.outcome }
  const check = { status: 'completed', conclusion: 'success', summary: decision.outcome } as const
  await forge.publishDecision({ ...said, check, decision })
  const entry = queueEntryOf(snapshot, decision)
  const branch = snapshot.base.ref
  const built = await mergeActivities(timings).buildCandidate({ repo, branch, entry, knownBase: null })
  if (built.outcome !== 'built' || unprovenChecks(entry, built.candidate).length > 0)
    throw new Error(`#${number}: ${JSON.stringify(built)}`)
  const landed = await mergeActivities(timings).landCandidate({ repo, branch, entry, candidate: built.candidate })
  if (landed.outcome !== 'landed') throw new Error(`#${number}: ${landed.detail}`)
  await forge.publishDecision({ ...said, comment: 'landed', check: { ...check, summary: 'landed' }, decision: null })
  await forge.deleteHeadBranch({ repo, branch: snapshot.head.ref, expected: snapshot.head.sha })
  return landed.merged.sha
}
