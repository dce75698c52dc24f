import { describe, expect, it } from 'vitest'
import type { Outcome } from '#domain/decision'
import { auditEntry, decision, evidence, landing, minute, policy, sha, snapshot } from './entries.ts'
import type { MakeLedger } from './fixtures.ts'

/** What every store promises of the record. */
export function recordContract(makeLedger: MakeLedger): void {
  describe('policies', () => {
    it('are found again by digest', async () => {
      const ledger = await makeLedger()
      await ledger.savePolicy('shop', 'p1', policy({ base: ['main', 'next'] }))
      expect(await ledger.policy('p1')).toEqual(policy({ base: ['main', 'next'] }))
    })

    it('that nobody saved are null', async () => {
      const ledger = await makeLedger()
      expect(await ledger.policy('p1')).toBeNull()
    })

    it('keep the newest good one per branch', async () => {
      const ledger = await makeLedger()
      await ledger.savePolicy('shop', 'p1', policy())
      await ledger.savePolicy('shop', 'p2', policy({ base: ['next'] }))
      await ledger.markGoodPolicy('shop', 'main', 'p1', minute(1))
      await ledger.markGoodPolicy('shop', 'main', 'p2', minute(2))
      expect(await ledger.lastGoodPolicy('shop', 'main')).toEqual({ digest: 'p2', policy: policy({ base: ['next'] }) })
      expect(await ledger.lastGoodPolicy('shop', 'next')).toBeNull()
    })

    it('do not go back when an older mark is repeated late', async () => {
      const ledger = await makeLedger()
      await ledger.savePolicy('shop', 'p1', policy())
      await ledger.savePolicy('shop', 'p2', policy())
      await ledger.markGoodPolicy('shop', 'main', 'p2', minute(2))
      await ledger.markGoodPolicy('shop', 'main', 'p1', minute(1))
      expect((await ledger.lastGoodPolicy('shop', 'main'))?.digest).toBe('p2')
    })
  })

  describe('snapshots', () => {
    it('come back as they were saved, and the first one stays', async () => {
      const ledger = await makeLedger()
      await ledger.saveSnapshot(snapshot())
      await ledger.saveSnapshot(snapshot({ takenAt: minute(9) }))
      expect(await ledger.snapshot('snapshot-1')).toEqual(snapshot())
      expect(await ledger.snapshot('other')).toBeNull()
    })
  })

  describe('evidence', () => {
    const tree = { kind: 'tree', tree: sha(4) } as const

    it('is saved once under its id', async () => {
      const ledger = await makeLedger()
      await ledger.saveEvidence(evidence())
      await ledger.saveEvidence(evidence())
      expect(await ledger.evidence('evidence-1')).toEqual(evidence())
    })

    it('of a failure is never found as a pass', async () => {
      const ledger = await makeLedger()
      await ledger.saveEvidence(evidence({ conclusion: 'failed' }))
      await ledger.saveEvidence(evidence({ id: 'e2', conclusion: 'infrastructure' }))
      expect(await ledger.findPass('shop', 'tests', tree, 'd1')).toBeNull()
    })

    it('is found by repository, check, subject and digest', async () => {
      const ledger = await makeLedger()
      await ledger.saveEvidence(evidence())
      expect(await ledger.findPass('shop', 'tests', tree, 'd1')).toEqual(evidence())
      expect(await ledger.findPass('other', 'tests', tree, 'd1')).toBeNull()
      expect(await ledger.findPass('shop', 'review', tree, 'd1')).toBeNull()
      expect(await ledger.findPass('shop', 'tests', { kind: 'tree', tree: sha(5) }, 'd1')).toBeNull()
      expect(await ledger.findPass('shop', 'tests', { kind: 'range', base: sha(4), head: sha(4) }, 'd1')).toBeNull()
      expect(await ledger.findPass('shop', 'tests', tree, 'd2')).toBeNull()
    })

    it('finds a pass of other surroundings for who asks for it', async () => {
      const ledger = await makeLedger()
      await ledger.saveEvidence(evidence({ id: 'inside', surroundings: 'node' }))
      await ledger.saveEvidence(evidence({ id: 'longer', digest: 'd12', finishedAt: minute(9) }))
      expect(await ledger.findPass('shop', 'tests', tree, 'd1')).toBeNull()
      expect((await ledger.findPass('shop', 'tests', tree, 'd1', { inAnySurroundings: true }))?.id).toBe('inside')
      await ledger.saveEvidence(evidence({ id: 'bare', finishedAt: minute(8) }))
      expect((await ledger.findPass('shop', 'tests', tree, 'd1', { inAnySurroundings: true }))?.id).toBe('bare')
    })

    it('answers the newest pass', async () => {
      const ledger = await makeLedger()
      await ledger.saveEvidence(evidence({ id: 'new', finishedAt: minute(9) }))
      await ledger.saveEvidence(evidence({ id: 'old', finishedAt: minute(1) }))
      expect((await ledger.findPass('shop', 'tests', tree, 'd1'))?.id).toBe('new')
    })
  })

  describe('decisions', () => {
    it('are one per workflow, snapshot and policy', async () => {
      const ledger = await makeLedger()
      await ledger.saveDecision(decision())
      await ledger.saveDecision(decision())
      expect(await ledger.decisions('shop', 1)).toEqual([decision()])
    })

    it('give way to a newer one on the same facts, and never to an older', async () => {
      const ledger = await makeLedger()
      const newer = decision({ outcome: 'approve', decidedAt: minute(5) })
      await ledger.saveDecision(newer)
      await ledger.saveDecision(decision({ outcome: 'reject', decidedAt: minute(2) }))
      expect(await ledger.decisions('shop', 1)).toEqual([newer])
    })

    it('come newest first', async () => {
      const ledger = await makeLedger()
      await ledger.saveDecision(decision({ snapshotId: 's1', decidedAt: minute(1) }))
      await ledger.saveDecision(decision({ snapshotId: 's3', decidedAt: minute(3) }))
      await ledger.saveDecision(decision({ snapshotId: 's2', decidedAt: minute(3) }))
      expect((await ledger.decisions('shop', 1)).map((each) => each.snapshotId)).toEqual(['s2', 's3', 's1'])
    })
  })

  describe('landings', () => {
    it('are one per commit and come oldest first', async () => {
      const ledger = await makeLedger()
      await ledger.saveLanding(landing({ number: 2, commit: sha(6), at: minute(4) }))
      await ledger.saveLanding(landing())
      await ledger.saveLanding(landing())
      expect(await ledger.landings('shop', 'main')).toEqual([
        landing(),
        landing({ number: 2, commit: sha(6), at: minute(4) }),
      ])
    })
  })

  describe('texts', () => {
    it('are kept whatever is in them; where a store has no NUL, all have another sign for it', async () => {
      const ledger = await makeLedger()
      const details = { text: 'a\0b\u202e\ud800c🧺' }
      await ledger.appendAudit(auditEntry({ key: 'k\0', actor: "ann'; --\0", details }))
      await ledger.appendAudit(auditEntry({ key: 'k\0', actor: 'again' }))
      const entries = await ledger.audit({ actor: "ann'; --\0" })
      expect(entries).toEqual([auditEntry({ key: 'k\ufffd', actor: "ann'; --\ufffd", details })])
    })
  })

  describe('the audit trail', () => {
    it('keeps one entry per key, as it was first said', async () => {
      const ledger = await makeLedger()
      await ledger.appendAudit(auditEntry())
      await ledger.appendAudit(auditEntry({ actor: 'mallory' }))
      expect(await ledger.audit({})).toEqual([auditEntry()])
    })

    it('filters by actor and action', async () => {
      const ledger = await makeLedger()
      await ledger.appendAudit(auditEntry({ key: 'a' }))
      await ledger.appendAudit(auditEntry({ key: 'b', actor: 'ben' }))
      await ledger.appendAudit(auditEntry({ key: 'c', actor: 'ben', action: 'pr.closed' }))
      const keys = async (filter: Parameters<typeof ledger.audit>[0]) =>
        (await ledger.audit(filter)).map((entry) => entry.key)
      expect(await keys({ actor: 'ben' })).toEqual(['b', 'c'])
      expect(await keys({ actor: 'ben', action: 'pr.created' })).toEqual(['b'])
    })

    it('filters by repository, number and time, and limits to the newest', async () => {
      const ledger = await makeLedger()
      for (const at of [1, 2, 3]) await ledger.appendAudit(auditEntry({ key: `k${at}`, at: minute(at), number: at }))
      await ledger.appendAudit(auditEntry({ key: 'other', repo: 'other', number: null, at: minute(4) }))
      const keys = async (filter: Parameters<typeof ledger.audit>[0]) =>
        (await ledger.audit(filter)).map((entry) => entry.key)
      expect(await keys({ repo: 'shop' })).toEqual(['k1', 'k2', 'k3'])
      expect(await keys({ number: 2 })).toEqual(['k2'])
      expect(await keys({ since: minute(2), repo: 'shop' })).toEqual(['k2', 'k3'])
      expect(await keys({ limit: 2 })).toEqual(['k3', 'other'])
    })
  })

  describe('counts of pull requests', () => {
    async function decided() {
      const ledger = await makeLedger()
      const decide = (number: number, snapshotId: string, outcome: Outcome, at: number) =>
        ledger.saveDecision(
          decision({ number, snapshotId, outcome, workflowId: `pr:${number}`, decidedAt: minute(at) }),
        )
      await decide(1, 'a', 'reject', 1)
      await decide(1, 'b', 'approve', 2)
      await decide(2, 'c', 'approve', 1)
      await decide(2, 'd', 'reject', 2)
      await decide(3, 'e', 'reject', 1)
      await decide(3, 'f', 'reject', 1)
      await decide(4, 'g', 'approve', 1)
      await decide(5, 'h', 'approve', 1)
      await decide(5, 'i', 'wait', 2)
      await ledger.saveLanding(landing())
      return ledger
    }

    it('count each PR once, the approved and rejected ones by their newest decision', async () => {
      const ledger = await decided()
      expect(await ledger.pullRequestCounts('shop')).toEqual({ reviewed: 5, merged: 1, approved: 2, rejected: 2 })
    })

    it('are of one repository, or of all', async () => {
      const ledger = await decided()
      await ledger.saveDecision(decision({ repo: 'other', outcome: 'wait', workflowId: 'pr:other' }))
      expect(await ledger.pullRequestCounts('other')).toEqual({ reviewed: 1, merged: 0, approved: 0, rejected: 0 })
      expect(await ledger.pullRequestCounts(null)).toEqual({ reviewed: 6, merged: 1, approved: 2, rejected: 2 })
    })
  })
}
