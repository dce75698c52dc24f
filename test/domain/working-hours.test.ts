import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { offsetAt } from '#activities/notify/zones'
import { whenAtWork, type WorkingHours } from '#domain/working-hours'

const MINUTE = 60_000
const DAY = 86_400_000

const office: WorkingHours = { days: [1, 2, 3, 4, 5], from: 540, to: 1020, zone: 'Europe/Berlin' }

function at(hours: Partial<WorkingHours>, now: string): string {
  return whenAtWork({ ...office, ...hours }, now, offsetAt)
}

describe('who works from 09:00 to 17:00, Monday to Friday, in Berlin', () => {
  test.each([
    ['is at work at the first moment', '2026-03-23T08:00:00.000Z', '2026-03-23T08:00:00.000Z'],
    ['is at work until the last', '2026-03-23T15:59:59.999Z', '2026-03-23T15:59:59.999Z'],
    ['is so this morning', '2026-03-23T07:59:59.999Z', '2026-03-23T08:00:00.000Z'],
    ['is so tomorrow', '2026-03-23T16:00:00.000Z', '2026-03-24T08:00:00.000Z'],
    ['is so after the week end', '2026-03-20T16:00:00.000Z', '2026-03-23T08:00:00.000Z'],
    ['is so an hour earlier when the clocks went forward', '2026-03-27T16:00:00.000Z', '2026-03-30T07:00:00.000Z'],
    ['is so an hour later when the clocks went back', '2026-10-23T15:00:00.000Z', '2026-10-26T08:00:00.000Z'],
  ])('%s', (_, now, expected) => {
    expect(at({}, now)).toBe(expected)
  })
})

describe('hours over midnight', () => {
  const night = { days: [6], from: 1320, to: 360 }

  test.each([
    ['go on the next day', '2026-03-22T04:30:00.000Z', '2026-03-22T04:30:00.000Z'],
    ['do not begin on the next day', '2026-03-22T21:30:00.000Z', '2026-03-28T21:00:00.000Z'],
    ['end as the clocks say when they go forward', '2026-03-29T04:00:00.000Z', '2026-04-04T20:00:00.000Z'],
    ['end as the clocks say when they go back', '2026-10-25T04:59:00.000Z', '2026-10-25T04:59:00.000Z'],
  ])('%s', (_, now, expected) => {
    expect(at(night, now)).toBe(expected)
  })
})

describe('an hour', () => {
  test.each([
    // On Sunday, 29 March 2026, 02:00 is 03:00; on Sunday, 25 October, 03:00 is 02:00.
    ['that is left out begins late', [0], 150, 300, '2026-03-28T12:00:00.000Z', '2026-03-29T01:00:00.000Z'],
    ['that comes twice is the first', [0], 150, 180, '2026-10-24T12:00:00.000Z', '2026-10-25T00:30:00.000Z'],
    ['that comes twice is the second as well', [0], 150, 180, '2026-10-25T01:00:00.000Z', '2026-10-25T01:30:00.000Z'],
    ['that never comes is waited for 8 days', [0], 130, 150, '2026-03-28T12:00:00.000Z', '2026-04-05T00:10:00.000Z'],
    [
      'of a week without it is given up after 8 days',
      [0],
      130,
      150,
      '2026-03-22T02:00:00.000Z',
      '2026-03-30T02:00:00.000Z',
    ],
  ])('%s', (_, days, from, to, now, expected) => {
    expect(at({ days, from, to }, now)).toBe(expected)
  })

  it('of a whole day begins at midnight', () => {
    expect(at({ days: [3], from: 0, to: 1440 }, '2026-03-23T12:00:00.000Z')).toBe('2026-03-24T23:00:00.000Z')
  })

  it('of a day that a country left out is the next week’s, or given up', () => {
    const friday = { days: [5], from: 540, to: 1020, zone: 'Pacific/Apia' }
    expect(at(friday, '2011-12-29T12:00:00.000Z')).toBe('2012-01-05T19:00:00.000Z')
  })
})

const zones = [
  ...['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe', 'Pacific/Chatham'],
  ...['America/St_Johns', 'Africa/Casablanca', 'Pacific/Apia', 'Asia/Kathmandu', 'America/Sao_Paulo'],
]

const minutes = fc.integer({ min: 0, max: 95 }).map((quarter) => quarter * 15)

const anyHours: fc.Arbitrary<WorkingHours> = fc
  .record({
    days: fc.uniqueArray(fc.integer({ min: 0, max: 6 }), { minLength: 1 }),
    from: minutes,
    to: fc.oneof(minutes, fc.constant(1440)),
    zone: fc.constantFrom(...zones),
  })
  .filter(({ from, to }) => from !== to)

/** Any moment of the years in which these zones changed their clocks; every other one close to such a change. */
const anyTime = fc.oneof(
  fc.integer({ min: Date.UTC(2010, 0, 1), max: Date.UTC(2030, 0, 1) }),
  fc
    .record({
      year: fc.integer({ min: 2010, max: 2029 }),
      month: fc.constantFrom(2, 3, 9, 10),
      into: fc.integer({ min: 0, max: 31 * DAY }),
    })
    .map(({ year, month, into }) => Date.UTC(year, month, 1) + into),
)

const clocks = new Map<string, Intl.DateTimeFormat>()
const names = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']

/** What the clock on the wall shows, by other means than the code's. */
function works({ days, from, to, zone }: WorkingHours, time: number): boolean {
  const options = { timeZone: zone, weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const
  const clock = clocks.get(zone) ?? new Intl.DateTimeFormat('en-GB', options)
  clocks.set(zone, clock)
  const [, name, hour, minute] = /^(\w+),? (\d\d):(\d\d)$/.exec(clock.format(time))!
  const shown = Number(hour) * 60 + Number(minute)
  const today = names.indexOf(name!)
  if (from < to) return days.includes(today) && shown >= from && shown < to
  return (days.includes(today) && shown >= from) || (days.includes((today + 6) % 7) && shown < to)
}

describe('in any zone, at any time', () => {
  it('is now exactly where the clock on the wall shows working hours', () => {
    fc.assert(
      fc.property(anyHours, anyTime, (hours, time) => {
        const now = new Date(time).toISOString()
        expect(whenAtWork(hours, now, offsetAt) === now).toBe(works(hours, time))
      }),
      { numRuns: 2_000 },
    )
  })

  it('is never earlier than now, nor more than 8 days ahead, and of an instant that it gave the same', () => {
    fc.assert(
      fc.property(anyHours, anyTime, (hours, time) => {
        const found = whenAtWork(hours, new Date(time).toISOString(), offsetAt)
        const ahead = Date.parse(found) - time
        expect(ahead >= 0 && ahead <= 8 * DAY).toBe(true)
        if (ahead < 8 * DAY) expect(whenAtWork(hours, found, offsetAt)).toBe(found)
      }),
      { numRuns: 2_000 },
    )
  })

  it('leaves no working hour out on the way', () => {
    fc.assert(
      fc.property(anyHours, anyTime, (hours, time) => {
        const found = Date.parse(whenAtWork(hours, new Date(time).toISOString(), offsetAt))
        const before = Array.from(
          { length: Math.ceil((found - time) / (5 * MINUTE)) },
          (_, step) => time + step * 5 * MINUTE,
        )
        expect(before.filter((each) => each < found && works(hours, each))).toEqual([])
        if (found - time < 8 * DAY)
          expect([works(hours, found), found > time && works(hours, found - 1)]).toEqual([true, false])
      }),
      { numRuns: 100 },
    )
  })
})
