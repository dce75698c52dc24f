import {
  commandRefusal,
  parseCommands,
  renderAnswer,
  type CommandAct,
  type GivenCommand,
} from '#domain/comment-command'
import { recordedHold, type Hold } from '#domain/hold'
import type { KnownPerson } from '#domain/people'
import type { AuditEntry, Ledger } from '#ledger/port'
import { ForgeError, type Comment, type Forge, type Reaction } from './port.ts'

export type CommandTools = { forge: Forge; ledger: Ledger; people: KnownPerson[] }

type PullRequestName = { repo: string; number: number }

export type CommandsRequest = PullRequestName & {
  author: string
  /** The policy that says who may. */
  policyDigest: string
  /** The newest comment that was heard; null: none by this run. */
  after: string | null
}

export type HeardCommands = {
  commands: GivenCommand[]
  /** The newest comment that was looked at. */
  heard: string | null
}

/** `silent`: a dry run: the audit trail is told, the forge is not. */
export type Acknowledgement = PullRequestName & { acts: CommandAct[]; silent?: boolean }

/** Commands at once, for they go through a history. The next look hears the rest. */
const MAX_COMMANDS = 50

const COMMANDED = 'pr.commanded'

export function createCommandActivities(tools: CommandTools) {
  return {
    /** The commands in comments that are newer than the last one heard, and whether their writers may give them. */
    readCommands: (request: CommandsRequest) => readCommands(tools, request),
    /** Tells the audit trail and answers the comments, each once however often it is repeated. */
    acknowledgeCommands: (request: Acknowledgement) => acknowledge(tools, request),
  }
}

async function readCommands(
  { forge, ledger, people }: CommandTools,
  { repo, number, author, policyDigest, after }: CommandsRequest,
): Promise<HeardCommands> {
  const comments = await forge.listComments(repo, number)
  const isNews =
    after === null ? await unheard(ledger, { repo, number }) : ({ id }: Comment) => Number(id) > Number(after)
  const permissions = (await ledger.policy(policyDigest))?.commands
  const commands: GivenCommand[] = []
  let heard = after
  for (const comment of comments.filter((each) => each.key === null)) {
    if (Number(comment.id) <= Number(after ?? 0)) continue
    if (commands.length >= MAX_COMMANDS) break
    heard = comment.id
    if (!isNews(comment)) continue
    const { id, author: by, createdAt: at } = comment
    for (const command of parseCommands(comment.body)) {
      const refusal =
        command.name === 'unknown' ? command.problem : commandRefusal(command.name, by, { author, permissions, people })
      commands.push({ comment: id, by, at, command, refusal })
    }
  }
  return { commands, heard }
}

/**
 * For a run that has heard nothing: what an earlier run of the same PR carried out is in the audit trail, and what was
 * said before it was opened again concerned what was closed.
 */
async function unheard(ledger: Ledger, { repo, number }: PullRequestName): Promise<(comment: Comment) => boolean> {
  const entries = await ledger.audit({ repo, number })
  const reopenedAt = Math.max(0, ...entries.filter(isReopening).map(({ at }) => Date.parse(at)))
  const heard = new Set(entries.filter(isCommand).map(({ details }) => details['comment']))
  return ({ id, createdAt }) => !heard.has(id) && Date.parse(createdAt) > reopenedAt
}

const isReopening = ({ action }: AuditEntry): boolean => action === 'pr.reopened'
const isCommand = ({ action }: AuditEntry): boolean => action === COMMANDED

async function acknowledge(
  { forge, ledger }: CommandTools,
  { repo, number, acts, silent = false }: Acknowledgement,
): Promise<void> {
  for (const act of acts) await ledger.appendAudit(entryOf({ repo, number }, act))
  if (silent) return
  const comments = new Set(acts.flatMap(({ comment }) => comment ?? []))
  for (const id of comments) {
    const answer = renderAnswer(acts.filter(({ comment }) => comment === id))
    await reactIfThere(forge, { repo, number }, id, answer === null ? '+1' : '-1')
    if (answer !== null) await forge.upsertComment(repo, number, `answer:${id}`, answer)
  }
}

function entryOf({ repo, number }: PullRequestName, act: CommandAct): AuditEntry {
  const { key, comment, by, at, command, head, snapshotId = null, hold, reason, refusal } = act
  return {
    key: `commanded:${repo}#${number}:${key}`,
    at,
    actor: by,
    action: COMMANDED,
    repo,
    number,
    snapshotId,
    details: { command, comment, head, hold, reason, allowed: refusal === null, refusal },
  }
}

/** A comment may be gone by now; what it asked for was done. */
async function reactIfThere(forge: Forge, { repo, number }: PullRequestName, id: string, reaction: Reaction) {
  await forge.react(repo, number, id, reaction).catch((error: unknown) => {
    if (!(error instanceof ForgeError) || error.kind !== 'invalid') throw error
  })
}

/** The hold that a PR was left in, for a pipeline that begins anew: it outlives the run that was told of it. */
export async function recallHold(ledger: Ledger, { repo, number }: PullRequestName): Promise<Hold | null> {
  return recordedHold(await ledger.audit({ repo, number }))
}
