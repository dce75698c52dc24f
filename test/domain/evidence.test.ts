import { describe, expect, test } from 'vitest'
import { isReusable, subjectKey, type CheckConclusion } from '#domain/evidence'
import { now, sha } from './facts.ts'

const hour = 3_600_000
const hourAgo = '2026-03-01T11:00:00.000Z'

describe('evidence is used again', () => {
  const cases: [CheckConclusion, boolean][] = [
    ['passed', true],
    ['failed', false],
    ['timed-out', false],
    ['infrastructure', false],
    ['interrupted', false],
  ]
  test.each(cases)('when it %s: %s', (conclusion, expected) => {
    expect(isReusable({ conclusion, finishedAt: hourAgo }, now, 2 * hour)).toBe(expected)
  })

  test.each([
    ['on the last millisecond of its age', hour, true],
    ['after it', hour - 1, false],
  ])('%s', (_name, maxAge, expected) => {
    expect(isReusable({ conclusion: 'passed', finishedAt: hourAgo }, now, maxAge)).toBe(expected)
  })

  test('never when nobody knows its age', () => {
    expect(isReusable({ conclusion: 'passed', finishedAt: 'some day' }, now, hour)).toBe(false)
  })
})

describe('the key of a subject', () => {
  test('tells a tree, a range and the reverse range apart', () => {
    const keys = [
      subjectKey({ kind: 'tree', tree: sha('a') }),
      subjectKey({ kind: 'range', base: sha('a'), head: sha('b') }),
      subjectKey({ kind: 'range', base: sha('b'), head: sha('a') }),
    ]
    expect(new Set(keys).size).toBe(3)
  })
})
