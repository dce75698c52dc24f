import { expect, test } from 'vitest'
import { median, rotate } from '../../bench/statistics.ts'

test('the median of an odd number of values is the middle one', () => {
  expect(median([30, 1, 2])).toBe(2)
})

test('the median of an even number of values is between the two in the middle', () => {
  expect(median([4, 1, 2, 30])).toBe(3)
})

test('each lane comes first once in as many rounds as there are lanes', () => {
  const lanes = ['a', 'b', 'c']
  expect(lanes.map((_, round) => rotate(lanes, round)[0])).toEqual(lanes)
  expect(rotate(lanes, 4)).toEqual(['b', 'c', 'a'])
})
