import { describe, expect, it } from 'vitest'
import type { Outcome } from '#domain/decision'
import type { DatabaseLedger } from '#ledger/port'
import { auditEntry, decision, evidence, landing, minute } from './entries.ts'
import type { MakeLedger } from './fixtures.ts'

/** What every store tells of the past. */
export function statisticsContract(makeLedger: MakeLedger): void {
  describe('statistics', () => {
    const MINUTE = 60_000
    const rule = (name: string, outcome: 'pass' | 'fail', id: string | null = null) => ({
      ...{ rule: name, outcome, reason: '', evidence: id },
    })

    async function decide(ledger: DatabaseLedger, number: number, at: number, outcome: Outcome, failed?: string) {
      const rules = failed === undefined ? [rule('tests', 'pass')] : [rule('tests', 'pass'), rule(failed, 'fail')]
      const key = { number, workflowId: `pr:${number}`, snapshotId: `s${at}` }
      await ledger.saveDecision(decision({ ...key, outcome, rules, decidedAt: minute(at) }))
    }

    it('count pull requests that were reviewed, landed and refused, these by the reason of their newest decision', async () => {
      const ledger = await makeLedger()
      await decide(ledger, 1, 1, 'reject', 'review')
      await decide(ledger, 1, 5, 'reject', 'no-secrets')
      await decide(ledger, 2, 5, 'reject', 'no-secrets')
      await decide(ledger, 3, 5, 'reject', 'review')
      await decide(ledger, 4, 4, 'reject', 'review')
      await decide(ledger, 4, 6, 'approve')
      await ledger.saveLanding(landing({ number: 4, at: minute(7) }))
      const all = await ledger.statistics({ since: minute(0) })
      expect(all).toMatchObject({ reviewed: 4, landed: 1 })
      expect(all.refused).toEqual([
        { reason: 'no-secrets', count: 2 },
        { reason: 'review', count: 1 },
      ])
      expect(await ledger.statistics({ since: minute(6) })).toMatchObject({ reviewed: 1, landed: 1, refused: [] })
      expect(await ledger.statistics({ since: minute(0), repo: 'other' })).toMatchObject({ reviewed: 0, landed: 0 })
    })

    it('measure from opening and from the last approval to landing', async () => {
      const ledger = await makeLedger()
      await ledger.appendAudit(auditEntry({ at: minute(1), number: 4 }))
      await decide(ledger, 4, 2, 'approve')
      await decide(ledger, 4, 6, 'approve')
      await decide(ledger, 4, 9, 'approve')
      await ledger.saveLanding(landing({ number: 4, at: minute(8) }))
      await ledger.saveLanding(landing({ number: 5, at: minute(8), commit: '5'.repeat(40) }))
      const { toLand, approvedToLand } = await ledger.statistics({ since: minute(0) })
      expect({ toLand, approvedToLand }).toEqual({ toLand: [7 * MINUTE], approvedToLand: [2 * MINUTE] })
    })

    it('count ejections by their kind', async () => {
      const ledger = await makeLedger()
      const ejected = (key: string, kind: string | null, at = 1) =>
        ledger.appendAudit(auditEntry({ key, at: minute(at), action: 'pr.ejected', details: { kind } }))
      await ejected('a', 'tests')
      await ejected('b', 'conflict')
      await ejected('c', 'tests')
      await ejected('d', null)
      await ejected('e', 'tests', 0)
      const { ejected: counts } = await ledger.statistics({ since: minute(1), repo: 'shop' })
      expect(counts).toEqual([
        { kind: 'tests', count: 2 },
        { kind: expect.stringMatching(/conflict|unknown/) as string, count: 1 },
        { kind: expect.stringMatching(/conflict|unknown/) as string, count: 1 },
      ])
    })

    it('measure the runs of each check that ended in a verdict', async () => {
      const ledger = await makeLedger()
      const run = (id: string, changes: Parameters<typeof evidence>[0]) =>
        ledger.saveEvidence(evidence({ id, startedAt: minute(0), ...changes }))
      await run('a', { finishedAt: minute(1) })
      await run('b', { finishedAt: minute(3), conclusion: 'failed' })
      await run('c', { finishedAt: minute(9), conclusion: 'infrastructure' })
      await run('d', { finishedAt: minute(2), check: 'review' })
      const { checks } = await ledger.statistics({ since: minute(0) })
      expect(checks).toEqual([
        { check: 'review', durations: [2 * MINUTE] },
        { check: 'tests', durations: [3 * MINUTE, MINUTE] },
      ])
    })

    it('tell how often evidence was there already', async () => {
      const ledger = await makeLedger()
      const decided = (snapshotId: string, at: number, ...ids: string[]) =>
        ledger.saveDecision(
          decision({ snapshotId, decidedAt: minute(at), rules: ids.map((id) => rule(id, 'pass', id)) }),
        )
      await decided('s1', 1, 'tests-1', 'review-1')
      await decided('s1', 1, 'tests-1', 'review-1')
      await decided('s2', 2, 'tests-2', 'review-1')
      await ledger.saveLanding(landing({ evidenceId: 'tests-2' }))
      await ledger.saveLanding(landing({ evidenceId: 'tests-2' }))
      expect((await ledger.statistics({ since: minute(0) })).evidence).toEqual({ uses: 5, reuses: 2 })
      expect((await ledger.statistics({ since: minute(2) })).evidence).toEqual({ uses: 3, reuses: 2 })
      expect((await ledger.statistics({ since: minute(0), repo: 'other' })).evidence).toEqual({ uses: 0, reuses: 0 })
    })
  })
}
