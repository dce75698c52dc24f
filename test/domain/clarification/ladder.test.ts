import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { climbed, nextRung, postponed, skipped } from '#domain/clarification/ladder'
import { completeQuestion, type Asked } from '#domain/clarification/question'
import { answered, isSettled, opened, type ClarificationState } from '#domain/clarification/state'

const MINUTE = 60_000
const start = Date.parse('2026-03-02T10:00:00.000Z')
const at = (minutes: number) => new Date(start + minutes * MINUTE).toISOString()

const open = (asked: Partial<Asked>): ClarificationState =>
  opened(completeQuestion({ kind: 'question', title: 'Which?', ...asked }), [], at(0))

/** The first rungs, each climbed when it is due, as minutes and what happens. */
function climb(asked: Partial<Asked>, most: number): string[] {
  let state = open(asked)
  const rungs: string[] = []
  for (let rung = nextRung(state); rung !== null && rungs.length < most; rung = nextRung(state)) {
    rungs.push(`${(Date.parse(rung.at) - start) / MINUTE} ${rung.action}`)
    state = climbed(state, rung, rung.at)
  }
  return state.outcome === null ? rungs : [...rungs, state.outcome.state]
}

describe('a question that nobody answers', () => {
  test('is reminded of, parked after half an hour, and then reminded of each day', () => {
    expect(climb({}, 4)).toEqual(['10 remind', '30 expire', '1470 remind', '2910 remind', 'parked'])
  })

  test('asks the next group, and the one behind that', () => {
    const ladder = { escalateTo: [['leads'], ['owners']], expiresAfter: 100 * MINUTE }
    expect(climb({ ladder }, 3)).toEqual(['10 remind', '30 escalate', '60 escalate'])
  })

  test('asks the next group before it expires at the same moment, and goes on while it is parked', () => {
    const ladder = { remindAfter: null, remindEvery: null, escalateTo: [['leads'], ['owners']] }
    expect(climb({ ladder }, 9)).toEqual(['30 escalate', '30 expire', '60 escalate', 'parked'])
  })

  test('takes its default where that is what it is to do', () => {
    expect(climb({ default: 'blue', ladder: { atExpiry: 'default' } }, 9)).toEqual([
      '10 remind',
      '30 expire',
      'defaulted',
    ])
  })
})

test('an approval that nobody gives fails after a week, with a reminder each day', () => {
  const rungs = climb({ kind: 'approval' }, 20)
  expect(rungs.slice(0, 3)).toEqual(['10 remind', '1450 remind', '2890 remind'])
  expect(rungs.slice(-2)).toEqual([`${7 * 24 * 60} expire`, 'expired'])
})

test('a hold waits for ever, and says so each day', () => {
  expect(climb({ kind: 'hold' }, 3)).toEqual(['1440 remind', '2880 remind', '4320 remind'])
})

test('a reminder that nobody is at work for comes when somebody is', () => {
  expect(nextRung(postponed(open({ kind: 'hold' }), at(90)))).toEqual({ at: at(90), action: 'remind' })
})

test('a reminder that is left out comes in its turn', () => {
  expect(nextRung(skipped(open({ kind: 'hold' }), at(1440)))).toEqual({ at: at(2880), action: 'remind' })
})

test('nothing comes after an answer', () => {
  const said = { by: 'ann', value: 'blue', comment: '', through: 'cli' as const, at: at(1) }
  expect(nextRung(answered(open({}), said))).toBeNull()
})

test('no rung comes before the one that was climbed, and what expires does so once', () => {
  const time = fc.integer({ min: 1, max: 500 }).map((minutes) => minutes * MINUTE)
  const ladder = fc.record({
    ...{ remindAfter: fc.option(time), remindEvery: fc.option(time), escalateAfter: time },
    ...{ expiresAfter: fc.option(time), atExpiry: fc.constantFrom('fail' as const, 'park' as const) },
    escalateTo: fc.array(fc.constant<string[]>(['leads']), { maxLength: 4 }),
  })
  fc.assert(
    fc.property(ladder, (given) => {
      let state = open({ ladder: given })
      let last = start
      let expiries = 0
      for (let steps = 0; steps < 30; steps += 1) {
        const rung = nextRung(state)
        if (rung === null) break
        expect(Date.parse(rung.at)).toBeGreaterThanOrEqual(last)
        last = Date.parse(rung.at)
        expiries += rung.action === 'expire' ? 1 : 0
        state = climbed(state, rung, rung.at)
      }
      expect(expiries).toBeLessThanOrEqual(1)
      expect(isSettled(state)).toBe(expiries === 1 && given.atExpiry === 'fail')
    }),
  )
})
