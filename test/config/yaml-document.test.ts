import { describe, expect, it } from 'vitest'
import { formatProblem } from '#config/problems'
import { MAX_PROBLEMS, readYaml } from '#config/yaml-document'

const problemsOf = (text: string): string[] => {
  const read = readYaml(text, 'p.yaml')
  return read.ok ? [] : read.problems.map(formatProblem)
}

/** As many keys, in one map or in maps of ten. */
function keys(count: number, layout: 'one map' | 'small maps'): string {
  const names = Array.from({ length: count }, (_, index) => index.toString(36).padStart(3, '0'))
  if (layout === 'one map') return names.map((name) => `k${name}:`).join('\n')
  return names.map((name, index) => `${index % 10 === 0 ? `m${name}:\n` : ''} k${name}:`).join('\n')
}

/** Processor time of the fastest of three: what else the machine does has no part in it. */
function workOf(text: string): number {
  const times = [1, 2, 3].map(() => {
    const start = process.cpuUsage()
    expect(problemsOf(text)).toEqual([])
    return process.cpuUsage(start).user
  })
  return Math.min(...times)
}

describe('the keys of a map', () => {
  it('take no more work in one map than in many', { timeout: 120_000 }, () => {
    expect(workOf(keys(12_000, 'one map')) / workOf(keys(12_000, 'small maps'))).toBeLessThan(3)
  })

  it.each([
    ['in a block', 'a: 1\nb: 2\na: 3', "p.yaml:3:1: the key 'a' is there twice (keep one of the two)"],
    ['in braces', 'm: { a: 1, a: 2 }', "p.yaml:1:12: the key 'm.a' is there twice (keep one of the two)"],
    ['with an anchor', 'a: 1\n&x a: 3', "p.yaml:2:4: the key 'a' is there twice (keep one of the two)"],
    ['in quotes', `a: 1\n"a": 3`, "p.yaml:2:1: the key 'a' is there twice (keep one of the two)"],
  ])('are there once: %s', (_, text, problem) => {
    expect(problemsOf(text)).toEqual([problem])
  })

  it('are those of another map in another map', () => {
    expect(problemsOf('a: { a: { a: 1 } }\nb: [{ a: 1 }, { a: 2 }]')).toEqual([])
  })

  it('are told each time that one comes again, up to a limit', () => {
    expect(problemsOf('a: 1\na: 2\na: 3')).toHaveLength(2)
    expect(problemsOf('a: 1\n'.repeat(10_000))).toHaveLength(MAX_PROBLEMS)
  })
})
