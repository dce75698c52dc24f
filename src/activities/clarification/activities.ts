import type { Contact } from '#domain/contact'
import type { KnownPerson } from '#domain/people'
import type { Ledger } from '#ledger/port'
import { withHeartbeats } from '../long.ts'
import type { Notifier } from '../notify/port.ts'
import type { Pipelines } from '../pipelines/port.ts'
import { ensureAsked, type EnsureRequest } from './ensure.ts'
import { createHangingTargets } from './hanging.ts'
import { recordOutcome, type RecordRequest } from './outcome.ts'
import { findPeople, tellPeople, type FindRequest, type TellRequest } from './tell.ts'

export type ClarificationTools = {
  pipelines: Pick<Pipelines, 'ask' | 'asked' | 'withdraw' | 'isOpen'>
  ledger: Pick<Ledger, 'appendAudit' | 'audit' | 'saveText' | 'rememberAnswer' | 'rememberedAnswer'>
  notifier: Notifier
  /** Of the installation, with how to reach them; never sent on. */
  people: Contact[]
  /** The address of a workflow's page in the Web UI; null where no UI is known. */
  webUrl: (workflowId: string) => string | null
}

export type ClarificationActivities = ReturnType<typeof createClarificationActivities>

/** What a question needs of the world: to be asked, heard of, and put on record. */
export function createClarificationActivities(tools: ClarificationTools) {
  const hanging = createHangingTargets()
  return {
    ...withHeartbeats({
      /** Asks, or answers what came of it; refuses with `Invalid` what can't be asked. */
      ensureClarification: (request: EnsureRequest) => ensureAsked(tools, request),
      async withdrawQuestion(request: Parameters<Pipelines['withdraw']>[0]): Promise<void> {
        await tools.pipelines.withdraw(request)
      },
      /** Those who matter now, which to know tells nobody anything. */
      async findPeople(request: FindRequest): Promise<KnownPerson[]> {
        return findPeople(tools, request)
      },
      recordOutcome: (request: RecordRequest) => recordOutcome(tools, request),
    }),
    /** Heartbeats by itself: with each beat it says whom it reached, which a later attempt leaves in peace. */
    tellPeople: (request: TellRequest) => tellPeople({ ...tools, hanging }, request),
  }
}
