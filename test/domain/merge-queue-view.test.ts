import { describe, expect, test } from 'vitest'
import { attemptLimits } from '#domain/check-subjects'
import { emptyQueue, enqueueEntry, pinnedChecks, type Candidate, type MergeQueueState } from '#domain/merge-queue'
import { describeQueue, renderQueue } from '#domain/merge-queue-view'
import { now, queueEntry, sha } from './facts.ts'

const queue = { repo: 'shop', branch: 'main' }
const candidate: Candidate = {
  number: 1,
  head: sha('a'),
  base: sha('b'),
  commit: sha('c'),
  tree: sha('d'),
  method: 'squash',
  proofs: {},
}

function queueOf(count: number, change: Partial<MergeQueueState> = {}): MergeQueueState {
  let state = emptyQueue()
  for (let number = 1; number <= count; number += 1) state = enqueueEntry(state, queueEntry(number)).state
  return { ...state, ...change }
}

describe('a queue is shown', () => {
  test.each([
    ['building', 'waiting', {}, 'its candidate on the current base'],
    ['testing', 'waiting', { candidate }, `tests of candidate ${'c'.repeat(12)}`],
    [
      'landing',
      'waiting',
      { candidate: { ...candidate, proofs: { tests: 'e' } } },
      `landing candidate ${'c'.repeat(12)}`,
    ],
    ['waiting', 'waiting', { paused: { reason: 'release day', until: null } }, 'paused: release day'],
  ])('with the front %s, the next %s', (front, next, change, reason) => {
    const [first, second] = describeQueue(queue, queueOf(2, change), now).entries
    expect(first).toMatchObject({ number: 1, position: 1, state: front, waiting: { for: reason, since: now } })
    expect(second).toMatchObject({ number: 2, position: 2, state: next, waiting: { for: '#1 ahead of it' } })
  })

  test('with a deadline for each: an attempt of the tests of all ahead and of its own, from now', () => {
    const later = '2026-05-01T00:00:00.000Z'
    const deadlines = describeQueue(queue, queueOf(3), later).entries.map(({ waiting }) => waiting.until)
    const limit = attemptLimits(pinnedChecks(queueEntry(1)))
    expect(deadlines).toEqual([1, 2, 3].map((count) => new Date(Date.parse(later) + count * limit).toISOString()))
  })

  test('with its name, base and pause', () => {
    const base = { sha: sha('b'), tree: sha('d') }
    const paused = { reason: 'release day', until: now }
    expect(describeQueue(queue, queueOf(0, { base, paused }), now)).toEqual({ ...queue, base, paused, entries: [] })
  })
})

describe("the queue's page in Temporal's Web UI", () => {
  test('lists the entries in order', () => {
    const lines = renderQueue(describeQueue(queue, queueOf(2), now)).split('\n')
    expect(lines[0]).toBe('**shop@main**: 2 waiting')
    expect(lines.slice(1)).toEqual([
      '1. #1 building: its candidate on the current base',
      '2. #2 waiting: \\#1 ahead of it',
    ])
  })

  test('says how many it does not list', () => {
    const lines = renderQueue(describeQueue(queue, queueOf(53), now)).split('\n')
    expect(lines).toHaveLength(52)
    expect(lines.at(-1)).toBe('… and 3 more')
  })

  test('the reason of a pause can add no line and no markup', () => {
    const paused = { reason: 'x\n1. #9 <b>landing</b>', until: null }
    const page = renderQueue(describeQueue(queue, queueOf(1, { paused }), now))
    expect(page).not.toMatch(/^1\. #9|<b>/m)
  })
})
