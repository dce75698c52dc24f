import { join } from 'node:path'
import { execa } from 'execa'
import { describe, expect, it } from 'vitest'
import { createLocalRecords } from '#activities/forge/local-records'
import { auditEntry, minute, openedRecord } from './entries.ts'
import type { MakeLedger } from './fixtures.ts'

const program = join(import.meta.dirname, 'race.ts')

type Told = { created: number[]; existing: number[]; taken: string[]; wins: number }

/** What every store promises to several processes that write at once. */
export function raceContract(makeLedger: MakeLedger): void {
  describe('several processes at once', () => {
    const names = ['a', 'b', 'c', 'd']
    const perProcess = 8
    /** As the last process in the alphabet decides. */
    const latest = '2026-01-01T00:00:00.499Z'

    it('keep numbers without a gap, one pull request for a head, each hint, each entry, and the latest decision', async () => {
      const ledger = await makeLedger()
      const records = createLocalRecords(ledger.tables)
      for (let index = 0; index < perProcess; index += 1) {
        const audit = ({ number }: { number: number }) => auditEntry({ key: `created:race#${number}` })
        await records.insert(openedRecord('race', `branch-${index}`), audit)
      }
      const runs = names.map((name) => execa(process.execPath, [program, ledger.address, name, String(perProcess)]))
      const told = (await Promise.all(runs)).map(({ stdout }) => JSON.parse(stdout) as Told)

      const created = told.flatMap((each) => each.created).sort((a, b) => a - b)
      // Each opens its own heads, and all race for as many others.
      expect(created).toEqual(Array.from({ length: (names.length + 1) * perProcess }, (_, index) => index + 1))
      const open = await records.list('shop', 'open')
      expect(new Set(open.map(({ head }) => head.ref)).size).toBe(created.length)
      expect(told.flatMap((each) => each.existing)).toHaveLength((names.length - 1) * perProcess)

      // One hint for each pull request, and one for each that a process added.
      const taken = [
        ...told.flatMap((each) => each.taken),
        ...(await records.takeHints('shop', 1_000)).map(({ id }) => id),
      ]
      expect(new Set(taken).size).toBe(created.length + names.length * perProcess)
      expect(taken).toHaveLength(created.length + names.length * perProcess)

      const keys = (await ledger.audit({ action: 'race' })).map(({ key }) => key)
      const own = [...names, 'shared'].flatMap((name) =>
        Array.from({ length: perProcess }, (_, index) => `${name}:${index}`),
      )
      expect(keys.sort()).toEqual(own.sort())

      const decisions = await ledger.decisions('shop', 1)
      expect(decisions.map(({ decidedAt }) => decidedAt)).toEqual([latest])
      expect(told.map((each) => each.wins).reduce((sum, wins) => sum + wins, 0)).toBe(perProcess)
    })

    it('open no pull request again whose head has another one by then', async () => {
      const { tables } = await makeLedger()
      const records = createLocalRecords(tables)
      const audit = ({ number }: { number: number }) => auditEntry({ key: `created:${number}` })
      await records.insert(openedRecord('shop', 'a'), audit)
      await records.update('shop', 1, ['open'], { state: 'closed', updatedAt: minute(1) }, [], [])
      await records.insert(openedRecord('shop', 'a'), audit)
      const again = { state: 'open', updatedAt: minute(2) } as const
      expect(await records.update('shop', 1, ['closed'], again, [], [])).toBe(false)
      await records.update('shop', 2, ['open'], { state: 'closed', updatedAt: minute(3) }, [], [])
      expect(await records.update('shop', 1, ['closed'], again, [], [])).toBe(true)
    })
  })
}
