import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { allOf, anyOf, either, not, type Truth } from '#domain/rules/truth'

const truth = fc.constantFrom<Truth>(true, false, null)
const truths = fc.array(truth, { maxLength: 6 })

/** Every way in which what is not known may turn out. */
function worlds(values: Truth[]): boolean[][] {
  return values.reduce<boolean[][]>(
    (all, value) => all.flatMap((world) => (value === null ? [true, false] : [value]).map((each) => [...world, each])),
    [[]],
  )
}

/** What holds in every world is known; the rest is not. */
function certain(values: Truth[], formula: (world: boolean[]) => boolean): Truth {
  const outcomes = new Set(worlds(values).map(formula))
  return outcomes.size === 1 ? [...outcomes][0]! : null
}

describe('three-valued logic', () => {
  test('knows of all and any exactly what holds however the unknown turns out', () => {
    fc.assert(
      fc.property(truths, (values) => {
        expect(allOf(values)).toBe(certain(values, (world) => world.every(Boolean)))
        expect(anyOf(values)).toBe(certain(values, (world) => world.some(Boolean)))
      }),
    )
  })

  test('knows of a condition exactly what holds however the unknown turns out', () => {
    fc.assert(
      fc.property(truth, truth, truth, (condition, then, otherwise) => {
        const values = [condition, then, otherwise]
        expect(either(condition, then, otherwise)).toBe(certain(values, ([c, a, b]) => (c ? a! : b!)))
      }),
    )
  })

  test('never makes true of the unknown by turning it around', () => {
    expect([not(true), not(false), not(null)]).toEqual([false, true, null])
  })
})
