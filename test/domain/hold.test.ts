import { expect, test } from 'vitest'
import { decide } from '#domain/decide'
import { withHold } from '#domain/hold'
import { green, now, snapshotFacts } from './facts.ts'

const hold = { by: 'bob', since: now, reason: 'wait for the fair' }
const approved = decide(snapshotFacts(), green, now)
const rejected = decide(snapshotFacts({ changesRequestedBy: ['cay'] }), green, now)

test('a pull request that nobody holds is decided as it was', () => {
  expect(withHold(approved, null)).toBe(approved)
})

test('a held one waits, and says who holds it, since when, why and what lifts that', () => {
  const { outcome, rules } = withHold(approved, hold)
  expect([approved.outcome, outcome]).toEqual(['approve', 'wait'])
  expect(rules.at(-1)).toMatchObject({ rule: 'not-held', outcome: 'pending' })
  expect(rules.at(-1)!.reason).toBe(
    `held by bob since ${now} (wait for the fair): lifted by /switchyard merge, /switchyard hold cancel or switchyard pr merge`,
  )
})

test('a held one that is rejected stays rejected', () => {
  expect(withHold(rejected, hold).outcome).toBe('reject')
})
