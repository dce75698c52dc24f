import { expect, test } from 'vitest'
import { createForgeActivities, type ForgeTools, type Publication } from '#activities/forge/activities'
import { createFakeForge } from '#activities/forge/fake'
import { decision, minute, sha } from '../../ledger/entries.ts'
import { temporaryLedger } from '../../ledger/fixtures.ts'

test('an outcome that is decided again is told again, and each decision once', async () => {
  const ledger = await temporaryLedger()
  const tools: Pick<ForgeTools, 'forge' | 'ledger'> = { forge: createFakeForge(), ledger }
  const { publishDecision } = createForgeActivities(tools as ForgeTools)
  const { repo, number, workflowId, ...decided } = decision({ decidedAt: minute(1) })
  const publication: Publication = {
    ...{ repo, number, workflowId, head: sha(1), comment: '', silent: true },
    check: { status: 'completed', conclusion: 'failure', summary: '' },
    decision: decided,
  }
  const again = { ...publication, decision: { ...decided, decidedAt: minute(2) } }
  for (const each of [publication, publication, again]) await publishDecision(each)
  const entries = await ledger.audit({ action: 'pr.decided' })
  expect(entries.map(({ at, details }) => [at, details])).toEqual([
    [minute(1), { outcome: decided.outcome, head: sha(1) }],
    [minute(2), { outcome: decided.outcome, head: sha(1) }],
  ])
})
