import { describe, expect, it } from 'vitest'
import type { Evidence } from '#domain/evidence'
import { evidence, minute, sha } from './entries.ts'
import type { MakeLedger } from './fixtures.ts'

const failure = (name: string) => ({ name, message: `${name} is red`, since: null })

/** A run of the check `tests` at a minute; `failed` null: it wrote no report. */
function run(at: number, failed: string[] | null, changes: Partial<Evidence> = {}): Evidence {
  const failures = (failed ?? []).map(failure)
  const report = { total: 10, failed: failures.length, skipped: 0, failures }
  return evidence({
    ...{ id: `run-${at}`, conclusion: failures.length > 0 || failed === null ? 'failed' : 'passed' },
    ...{ number: 1, tests: failed === null ? null : report, startedAt: minute(at - 1), finishedAt: minute(at) },
    ...changes,
  })
}

/** What every store tells of tests that failed. */
export function failuresContract(makeLedger: MakeLedger): void {
  describe('since when a test fails', () => {
    const since = async (runs: Evidence[], tests = ['a', 'b']) => {
      const ledger = await makeLedger()
      for (const each of runs) await ledger.saveEvidence(each)
      return Object.fromEntries(await ledger.failingSince({ repo: 'shop', number: 1, check: 'tests' }, tests))
    }

    it('is its first failure after the newest run without it', async () => {
      const runs = [run(1, ['a']), run(2, ['b']), run(3, ['a', 'b']), run(4, ['a'])]
      expect(await since(runs)).toEqual({ a: minute(3) })
    })

    it('is its first failure where it never passed', async () => {
      expect(await since([run(1, ['a']), run(2, ['a'])])).toEqual({ a: minute(1) })
    })

    it('is told from the runs for the same pull request, whatever others ran meanwhile', async () => {
      const queue = { workflowId: 'queue:shop@main' }
      const others = [
        run(1, ['a'], { number: 2 }),
        run(3, [], { number: 2 }),
        run(4, [], { number: 2, ...queue }),
        run(5, ['b'], { number: 2 }),
      ]
      expect(await since([...others, run(2, ['a']), run(6, ['a', 'b'], queue)])).toEqual({ a: minute(2), b: minute(6) })
      expect(await since([...others, run(2, ['a']), run(6, [], queue), run(7, ['a'])])).toEqual({ a: minute(7) })
    })

    it('ends with a pass of the check, whether that wrote a report or not', async () => {
      expect(await since([run(1, ['a']), run(2, [])])).toEqual({})
      expect(await since([run(1, ['a']), run(2, null, { conclusion: 'passed' })])).toEqual({})
    })

    it('does not end with a run that says nothing of it', async () => {
      const cut = { total: 900, failed: 300, skipped: 0, failures: [failure('b')] }
      const silent = [
        run(2, null),
        run(3, null, { conclusion: 'interrupted' }),
        run(4, null, { conclusion: 'infrastructure' }),
        run(5, ['b'], { conclusion: 'timed-out' }),
        run(6, ['b'], { tests: cut }),
        run(7, [], { check: 'review' }),
        run(8, [], { repo: 'other' }),
      ]
      expect(await since([run(1, ['a']), ...silent], ['a'])).toEqual({ a: minute(1) })
    })

    it('is told of each that was asked for, however long its name is, and of no other', async () => {
      const long = ['x', 'y'].map((end) => `${'ü'.repeat(5_000)}${end}`)
      expect(await since([run(1, [long[0]!]), run(2, long), run(3, ['c'])], long)).toEqual({})
      expect(await since([run(1, [long[0]!]), run(2, long)], [...long, 'd'])).toEqual({
        [long[0]!]: minute(1),
        [long[1]!]: minute(2),
      })
      expect(await since([run(1, ['a'])], [])).toEqual({})
    })

    it('counts a run once, however often it is saved and its report names a test', async () => {
      expect(await since([run(1, ['a', 'a']), run(1, ['b'])])).toEqual({ a: minute(1) })
    })
  })

  describe('a flaky test', () => {
    const otherTree = { kind: 'tree', tree: sha(9) } as const
    const tests = async (runs: Evidence[], filter: { repo?: string; since?: string } = {}) => {
      const ledger = await makeLedger()
      for (const each of runs) await ledger.saveEvidence(each)
      return await ledger.flakyTests(filter)
    }

    it('failed, and then its check passed on the same subject and digest', async () => {
      const runs = [run(1, ['a']), run(2, ['a', 'b']), run(3, [])]
      expect(await tests(runs)).toEqual([
        { repo: 'shop', check: 'tests', test: 'a', failures: 2, lastFailedAt: minute(2) },
        { repo: 'shop', check: 'tests', test: 'b', failures: 1, lastFailedAt: minute(2) },
      ])
    })

    it('is not one that a change mended or broke', async () => {
      const runs = [
        run(1, ['a']),
        run(2, [], { subject: otherTree }),
        run(3, [], { digest: 'd2' }),
        run(4, ['b'], { subject: otherTree }),
      ]
      expect(await tests(runs)).toEqual([])
    })

    it('is of one repository and of a time, where asked so', async () => {
      const runs = [run(1, ['a']), run(2, ['b']), run(3, []), run(4, ['c'], { repo: 'other' })]
      runs.push(run(5, [], { repo: 'other' }))
      const names = async (filter: { repo?: string; since?: string }) =>
        (await tests(runs, filter)).map(({ test }) => test)
      expect(await names({ repo: 'shop', since: minute(2) })).toEqual(['b'])
      expect(await names({ repo: 'other' })).toEqual(['c'])
      expect(await names({ since: minute(2) })).toEqual(['c', 'b'])
    })
  })
}
