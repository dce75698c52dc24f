import { WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client'
import { answer, clarificationStatus, type ClarificationStatus } from '#contracts/clarification'
import type { Shop } from './shop.ts'
import { until } from './until.ts'
import { world } from './world.ts'

/** Answers a question; answers the type of the refusal, or null. */
export async function say(id: string, by: string, value: string, comment = ''): Promise<string | null> {
  try {
    await world()
      .client.workflow.getHandle(id)
      .executeUpdate(answer, { args: [{ by, value, comment, through: 'cli' }] })
    return null
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'ended'
    if (!(error instanceof WorkflowUpdateFailedError)) throw error
    return (error.cause as { type?: string }).type ?? 'untyped'
  }
}

export function question(id: string): Promise<ClarificationStatus> {
  return world().client.workflow.getHandle(id).query(clarificationStatus)
}

/** Why a question was taken back, once it was. */
export function cancelled(id: string): Promise<string> {
  return until(`${id} is cancelled`, async () => {
    const { outcome } = await question(id)
    return outcome?.state === 'cancelled' ? outcome.comment : null
  })
}

/** The questions that were asked about a pull request, from the audit trail. */
export async function questionsOf(shop: Shop, number: number): Promise<string[]> {
  const entries = await shop.ledger.audit({ repo: shop.repo, number })
  return entries.filter(({ action }) => action === 'clarification.asked').map(({ key }) => key)
}
