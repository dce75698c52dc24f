import { clarificationStatus, type ClarificationStatus } from '#contracts/clarification'
import type { Connected } from '#installation/installation'
import type { Ledger } from '#ledger/port'
import type { InboxRow } from './clarifications.ts'

const QUERY_DEADLINE_MS = 5_000

/** What was said of a question besides its answers. */
export type Conversation = Pick<ClarificationStatus, 'remarks' | 'delegations'>

/** A question with all of its context, of which lists hold the first 4 KB, and the conversation. */
export type WholeClarification = InboxRow & { conversation: Conversation | null }

/** `conversation` is null where no worker tells it: the rest is known without. */
export async function wholeClarification(
  connected: Connected,
  ledger: Pick<Ledger, 'text'>,
  row: InboxRow,
): Promise<WholeClarification> {
  const { contextDigest } = row
  const whole = typeof contextDigest === 'string' ? await ledger.text(contextDigest) : null
  return { ...row, context: whole ?? row.context, conversation: await conversationOf(connected, row.id) }
}

async function conversationOf({ client }: Connected, id: string): Promise<Conversation | null> {
  const handle = client.workflow.getHandle(id)
  const asked = client.withDeadline(Date.now() + QUERY_DEADLINE_MS, () => handle.query(clarificationStatus))
  const status = await asked.catch(() => null)
  return status && { remarks: status.remarks, delegations: status.delegations }
}
