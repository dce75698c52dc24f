import { describe, expect, it, test } from 'vitest'
import { isZone, openTimes, parseInstant, parseWindow } from '#config/time-windows'
import type { TimeCondition } from '#domain/rules/condition'

const berlin = 'Europe/Berlin'

function condition(change: Partial<TimeCondition>, ...windows: string[]): TimeCondition {
  return { windows: windows.map((text) => parseWindow(text)!), zone: berlin, after: null, before: null, ...change }
}

/** The first intervals from an instant on, as `from until`. */
function opens(time: TimeCondition, from: string, count = 2): string[] {
  return openTimes(time, from)
    .open.slice(0, count)
    .map(({ from, until }) => `${from.slice(0, 16)} ${until?.slice(0, 16)}`)
}

describe('a window', () => {
  test.each([
    ['Mon-Fri 09:00-17:00', { days: [1, 2, 3, 4, 5], from: 540, to: 1020 }],
    ['Sat-Mon 09:00-24:00', { days: [0, 1, 6], from: 540, to: 1440 }],
    ['mon,wed,fri-sat 22:00-06:00', { days: [1, 3, 5, 6], from: 1320, to: 360 }],
    ['00:00-12:30', { days: [0, 1, 2, 3, 4, 5, 6], from: 0, to: 750 }],
  ])('%s', (text, window) => {
    expect(parseWindow(text)).toEqual(window)
  })

  test.each(['', 'Mon', '9:00-17:00', '09:00-09:00', '24:00-06:00', '09:60-10:00', '09:00-25:00', 'Mo 09:00-10:00'])(
    'is not: %j',
    (text) => expect(parseWindow(text)).toBeNull(),
  )

  test.each(['Mon-Tue-Wed 09:00-10:00', 'Mon, 09:00-10:00', '-Mon 09:00-10:00'])('is not: %j', (text) =>
    expect(parseWindow(text)).toBeNull(),
  )
})

describe('an instant', () => {
  test.each([
    ['2026-12-24', '2026-12-23T23:00:00.000Z'],
    ['2026-07-01', '2026-06-30T22:00:00.000Z'],
    ['2026-12-24T18:00', '2026-12-24T17:00:00.000Z'],
    ['2026-12-24T18:00:30+05:30', '2026-12-24T12:30:30.000Z'],
    ['2026-12-24T18:00Z', '2026-12-24T18:00:00.000Z'],
  ])('%s in Berlin', (text, instant) => {
    expect(parseInstant(text, berlin)).toBe(instant)
  })

  test.each(['tomorrow', '2026-02-30', '2026-12-24T25:00', '2026-12-24 18:00', '2026-13-01', '2026-12-24T18:00+99:00'])(
    'is not: %j',
    (text) => expect(parseInstant(text, berlin)).toBeNull(),
  )

  it('is of a zone that exists', () => {
    expect(['Europe/Berlin', 'UTC', 'Europe/Atlantis', '', 'x'.repeat(99)].map(isZone)).toEqual([
      true,
      true,
      false,
      false,
      false,
    ])
  })
})

describe('the hours of a zone', () => {
  const office = condition({}, 'Mon-Fri 09:00-17:00')

  test.each([
    [
      'on a Monday before',
      '2026-03-23T07:00:00Z',
      ['2026-03-23T08:00 2026-03-23T16:00', '2026-03-24T08:00 2026-03-24T16:00'],
    ],
    [
      'on a Monday inside',
      '2026-03-23T10:00:00Z',
      ['2026-03-23T08:00 2026-03-23T16:00', '2026-03-24T08:00 2026-03-24T16:00'],
    ],
    [
      'at the last moment',
      '2026-03-23T16:00:00Z',
      ['2026-03-24T08:00 2026-03-24T16:00', '2026-03-25T08:00 2026-03-25T16:00'],
    ],
    [
      'over a week end',
      '2026-03-20T20:00:00Z',
      ['2026-03-23T08:00 2026-03-23T16:00', '2026-03-24T08:00 2026-03-24T16:00'],
    ],
    // The clocks go forward on Sunday, 29 March 2026, at 02:00.
    [
      'when the clocks go forward',
      '2026-03-27T12:00:00Z',
      ['2026-03-27T08:00 2026-03-27T16:00', '2026-03-30T07:00 2026-03-30T15:00'],
    ],
    // And back on Sunday, 25 October 2026, at 03:00.
    [
      'when the clocks go back',
      '2026-10-23T12:00:00Z',
      ['2026-10-23T07:00 2026-10-23T15:00', '2026-10-26T08:00 2026-10-26T16:00'],
    ],
  ])('%s', (_, from, expected) => {
    expect(opens(office, from)).toEqual(expected)
  })

  test.each([
    [
      'forward: an hour that is left out opens late',
      '2026-03-28T12:00:00Z',
      'Sun 02:30-05:00',
      '2026-03-29T01:30 2026-03-29T03:00',
    ],
    [
      'forward: a night is an hour shorter',
      '2026-03-28T12:00:00Z',
      'Sat 22:00-06:00',
      '2026-03-28T21:00 2026-03-29T04:00',
    ],
    ['back: a night is an hour longer', '2026-10-24T12:00:00Z', 'Sat 22:00-06:00', '2026-10-24T20:00 2026-10-25T05:00'],
    [
      'back: an hour that comes twice is the first',
      '2026-10-24T12:00:00Z',
      'Sun 02:30-05:00',
      '2026-10-25T00:30 2026-10-25T04:00',
    ],
  ])('%s', (_, from, window, expected) => {
    expect(opens(condition({}, window), from, 1)).toEqual([expected])
  })

  it('joins windows that touch each other', () => {
    expect(
      opens(condition({}, 'Mon 22:00-24:00', 'Tue 00:00-06:00', 'Tue 05:00-07:00'), '2026-03-23T12:00:00Z', 1),
    ).toEqual(['2026-03-23T21:00 2026-03-24T06:00'])
  })

  it('keeps within its bounds, and knows that nothing comes after them', () => {
    const bounded = condition({ after: '2026-03-24T12:00:00Z', before: '2026-03-25T12:00:00Z' }, 'Mon-Fri 09:00-17:00')
    expect(opens(bounded, '2026-03-20T00:00:00Z', 9)).toEqual([
      '2026-03-24T12:00 2026-03-24T16:00',
      '2026-03-25T08:00 2026-03-25T12:00',
    ])
    expect(openTimes(bounded, '2026-03-20T00:00:00Z').knownUntil).toBeNull()
    expect(openTimes(bounded, '2026-03-26T00:00:00Z')).toEqual({ open: [], knownUntil: null })
  })

  it('are found from a far beginning on', () => {
    expect(opens(condition({ after: '2027-01-01T00:00:00Z' }, 'Mon 09:00-17:00'), '2026-03-20T00:00:00Z', 1)).toEqual([
      '2027-01-04T08:00 2027-01-04T16:00',
    ])
  })

  it('without windows are all from the one bound to the other', () => {
    const at = '2026-03-24T12:00:00.000Z'
    expect(openTimes(condition({ after: at }), '2026-03-20T00:00:00Z')).toEqual({
      open: [{ from: at, until: null }],
      knownUntil: null,
    })
    expect(openTimes(condition({ before: at }), '2026-03-20T00:00:00Z').open).toMatchObject([{ until: at }])
    expect(openTimes(condition({ before: at }), '2026-03-30T00:00:00Z').open).toEqual([])
  })

  it('are few, and it is said how far they were looked for', () => {
    const busy = openTimes(
      condition(
        {},
        ...Array.from(
          { length: 12 },
          (_, hour) => `${String(hour * 2).padStart(2, '0')}:00-${String(hour * 2 + 1).padStart(2, '0')}:00`,
        ),
      ),
      '2026-03-20T00:00:00Z',
    )
    expect(busy.open).toHaveLength(16)
    expect(Date.parse(busy.knownUntil!)).toBeGreaterThanOrEqual(Date.parse(busy.open.at(-1)!.until!))
    const office = openTimes(condition({}, 'Mon-Fri 09:00-17:00'), '2026-03-20T00:00:00Z')
    expect(Date.parse(office.knownUntil!) - Date.parse('2026-03-20T00:00:00Z')).toBeGreaterThan(7 * 86_400_000)
  })
})
