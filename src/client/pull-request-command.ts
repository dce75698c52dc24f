import { createPolicyReader } from '#installation/policies'
import { commandRefusal, type CommandName } from '#domain/comment-command'
import type { PullRequest } from '#domain/pull-request'
import type { Installation } from '#installation/installation'
import { CliError } from './errors.ts'

/** A command that a person gives a pipeline here, as another would in a comment. */
export type Asked = { name: CommandName; by: string; at: string }

/** The same for the pipeline's update and for the audit trail: one act is one entry. */
export const askedId = ({ name, by, at }: Asked): string => `${name}:${by}:${at}`

/**
 * Refuses what the policy does not let this actor do, and records that. On the local forge an actor is a claim: this
 * keeps mistakes away, and nobody who means harm.
 */
export async function requirePermission(
  installation: Installation,
  pullRequest: PullRequest,
  asked: Asked,
): Promise<void> {
  const { repo, number, author, base } = pullRequest
  const { policy } = await createPolicyReader(installation).read(repo, base.ref, base.sha)
  const context = { author, permissions: policy.commands, people: installation.config.people }
  const refusal = commandRefusal(asked.name, asked.by, context)
  if (refusal === null) return
  await recordCommand(installation, pullRequest, asked, refusal)
  throw new CliError(1, 'forbidden', `${refusal}.`, {
    details: { repo, number, command: asked.name, actor: asked.by },
    hint: 'Ask somebody who may; --as says who acts, which is asserted here and not authenticated.',
  })
}

/** The pipeline itself records what sets or lifts a hold; a merge and a review are recorded here. */
export async function recordCommand(
  installation: Installation,
  pullRequest: PullRequest,
  asked: Asked,
  refusal: string | null = null,
): Promise<void> {
  const { name: command, by, at } = asked
  const { repo, number, head } = pullRequest
  const snapshotId = await newestSnapshot(installation, pullRequest)
  await installation.ledger.appendAudit({
    key: `commanded:${repo}#${number}:update:${askedId(asked)}`,
    ...{ at, actor: by, action: 'pr.commanded', repo, number, snapshotId },
    details: {
      ...{ command, comment: null, head: head.sha, hold: null, reason: '' },
      ...{ allowed: refusal === null, refusal },
    },
  })
}

/** What was known of a PR when it was decided last; null where it never was. */
export async function newestSnapshot(
  { ledger }: Installation,
  { repo, number }: Pick<PullRequest, 'repo' | 'number'>,
): Promise<string | null> {
  const [newest] = await ledger.decisions(repo, number)
  return newest?.snapshotId ?? null
}
