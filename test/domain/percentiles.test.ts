import { expect, it } from 'vitest'
import { percentiles } from '#domain/percentiles'

it.each([
  [[], null, null],
  [[7], 7, 7],
  [[3, 1, 2], 2, 3],
  [[4, 1, 3, 2], 2, 4],
  [Array.from({ length: 100 }, (_, index) => 100 - index), 50, 95],
])('of %j are %j and %j', (values, p50, p95) => {
  expect(percentiles(values)).toEqual({ p50, p95 })
})
