import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  attemptsOf,
  carriedQueue,
  emptyQueue,
  enqueueEntry,
  entryBehind,
  hasAttempts,
  nextQueueStep,
  pinnedChecks,
  proofsOf,
  removeEntry,
  withAttempt,
  withCandidate,
  withPass,
  withProof,
  type Candidate,
  type MergeQueueState,
  type QueueEntry,
} from '#domain/merge-queue'
import { plannedCheck, queueEntry, sha } from './facts.ts'

function queueOf(...entries: QueueEntry[]): MergeQueueState {
  return entries.reduce((state, entry) => enqueueEntry(state, entry).state, emptyQueue())
}

function candidateOf(entry: QueueEntry, change: Partial<Candidate> = {}): Candidate {
  return {
    number: entry.number,
    head: entry.head,
    base: sha('b'),
    commit: sha('c'),
    tree: sha('d'),
    method: 'squash',
    proofs: {},
    ...change,
  }
}

const numbers = (state: MergeQueueState) => state.entries.map((entry) => entry.number)
const one = queueEntry(1)
const two = queueEntry(2)
const three = queueEntry(3)

describe('the next step of a queue', () => {
  test('with nobody in it is to wait for a pull request', () => {
    expect(nextQueueStep(emptyQueue())).toEqual({ kind: 'wait', for: 'a pull request' })
  })

  test('is to build the entry at the front', () => {
    expect(nextQueueStep(queueOf(one, two))).toEqual({ kind: 'build', entry: one })
  })

  test('is to test a candidate without evidence', () => {
    const candidate = candidateOf(one)
    expect(nextQueueStep({ ...queueOf(one, two), candidate })).toEqual({
      kind: 'test',
      entry: one,
      candidate,
      checks: [plannedCheck('tests')],
    })
  })

  test('is to land a candidate with evidence', () => {
    const candidate = candidateOf(one, { proofs: { tests: 'e' } })
    expect(nextQueueStep({ ...queueOf(one, two), candidate })).toEqual({ kind: 'land', entry: one, candidate })
  })

  test.each([
    ['another PR', candidateOf(two, { proofs: { tests: 'e' } })],
    ['another head', candidateOf(queueEntry(1, sha('9')), { proofs: { tests: 'e' } })],
  ])('is to build again when the candidate is of %s', (_name, candidate) => {
    expect(nextQueueStep({ ...queueOf(one), candidate }).kind).toBe('build')
  })

  test.each([null, candidateOf(one), candidateOf(one, { proofs: { tests: 'e' } })])(
    'is to wait while paused, with the reason, whatever is ready',
    (candidate) => {
      const paused = { reason: 'release day', until: null }
      expect(nextQueueStep({ ...queueOf(one), candidate, paused })).toEqual({
        kind: 'wait',
        for: 'paused: release day',
      })
    },
  )

  test('takes entries in the order in which they came', () => {
    let state = queueOf(one, two, three)
    const served: number[] = []
    while (state.entries[0]) {
      served.push(state.entries[0].number)
      state = removeEntry(state, state.entries[0].number, state.entries[0].head)
    }
    expect(served).toEqual([1, 2, 3])
  })
})

describe('an entry with several checks', () => {
  const checks = [plannedCheck('tests'), plannedCheck('lint')]
  const both = queueEntry(1, sha('a'), { checks })
  const step = (proofs: Record<string, string>) =>
    nextQueueStep({ ...queueOf(both), candidate: candidateOf(both, { proofs }) })

  test('is tested by those that have not proven its tree', () => {
    expect(step({})).toMatchObject({ kind: 'test', checks })
    expect(step({ tests: 'e' })).toMatchObject({ kind: 'test', checks: [checks[1]] })
    expect(step({ other: 'e' })).toMatchObject({ kind: 'test', checks })
  })

  test('lands once every one has', () => {
    const candidate = withProof(candidateOf(both, { proofs: { tests: 'e' } }), 'lint', 'f')
    expect(proofsOf(candidate)).toEqual({ tests: 'e', lint: 'f' })
    expect(nextQueueStep({ ...queueOf(both), candidate }).kind).toBe('land')
  })
})

describe('what 0.1.0 left in a queue', () => {
  const { checks: _, ...rest } = queueEntry(1)
  const { proofs: __, ...built } = candidateOf(one)
  const entry = { ...rest, tests: plannedCheck('tests') }

  test('is an entry with one check, its tests', () => {
    expect(pinnedChecks(entry)).toEqual([plannedCheck('tests')])
  })

  test('is a candidate whose evidence is that of its tests', () => {
    const state = (evidenceId: string | null) => ({ ...queueOf(entry), candidate: { ...built, evidenceId } })
    expect(nextQueueStep(state(null))).toMatchObject({ kind: 'test', checks: [plannedCheck('tests')] })
    expect(nextQueueStep(state('e')).kind).toBe('land')
    expect(proofsOf({ ...built, evidenceId: 'e' })).toEqual({ tests: 'e' })
  })

  test('is a count of tries, which are those of its tests', () => {
    expect(carriedQueue({ ...queueOf(entry), attempts: 2 })).toEqual({ ...queueOf(entry), attempts: { tests: 2 } })
    expect(carriedQueue({ ...queueOf(entry), attempts: 0 })).toEqual(queueOf(entry))
    expect(carriedQueue({ ...emptyQueue(), attempts: 1 })).toEqual(emptyQueue())
  })
})

describe('the tries of a check', () => {
  const both = { ...one, checks: [plannedCheck('tests'), plannedCheck('lint')] }

  test('are counted apart from those of others, and over once it passed', () => {
    const candidate = candidateOf(both)
    const state = withAttempt(withAttempt(withAttempt({ ...queueOf(both), candidate }, 'tests'), 'lint'), 'lint')
    expect([attemptsOf(state, 'tests'), attemptsOf(state, 'lint'), attemptsOf(state, 'other')]).toEqual([1, 2, 0])
    const linted = withPass(state, candidate, 'lint', 'e')
    expect([attemptsOf(linted, 'tests'), attemptsOf(linted, 'lint'), hasAttempts(linted)]).toEqual([1, 0, true])
    const proven = withPass(linted, linted.candidate!, 'tests', 'f')
    expect(hasAttempts(proven)).toBe(false)
    expect(nextQueueStep(proven).kind).toBe('land')
  })

  test('are carried as they are', () => {
    const state = withAttempt(queueOf(both), 'lint')
    expect(carriedQueue(state)).toEqual(state)
  })
})

describe('entering', () => {
  test('answers the position, counted from 1', () => {
    expect(enqueueEntry(queueOf(one), two).position).toBe(2)
  })

  test('twice with the same head changes nothing and answers the same position', () => {
    const state = {
      ...queueOf(one, two),
      candidate: candidateOf(one, { proofs: { tests: 'e' } }),
      attempts: { tests: 1 },
    }
    const again = enqueueEntry(state, { ...queueEntry(1), title: 'Later', enqueuedAt: '2027-01-01T00:00:00.000Z' })
    expect(again).toEqual({ state, position: 1 })
  })

  test('with a new head goes to the back and takes the old one out', () => {
    const { state, position } = enqueueEntry(queueOf(one, two), queueEntry(1, sha('9')))
    expect(state.entries).toEqual([two, queueEntry(1, sha('9'))])
    expect(position).toBe(2)
  })

  test('with a new head drops the candidate of the old one', () => {
    const state = {
      ...queueOf(one, two),
      candidate: candidateOf(one, { proofs: { tests: 'e' } }),
      attempts: { tests: 1 },
    }
    expect(enqueueEntry(state, queueEntry(1, sha('9'))).state).toMatchObject({ candidate: null, attempts: {} })
  })

  test('alone with a new head does not keep the candidate of the old one', () => {
    const state = { ...queueOf(one), candidate: candidateOf(one, { proofs: { tests: 'e' } }) }
    expect(nextQueueStep(enqueueEntry(state, queueEntry(1, sha('9'))).state).kind).toBe('build')
  })

  test('behind the front leaves its candidate alone', () => {
    const candidate = candidateOf(one)
    expect(enqueueEntry({ ...queueOf(one), candidate, attempts: { tests: 1 } }, two).state).toMatchObject({
      candidate,
      attempts: { tests: 1 },
    })
  })
})

describe('leaving', () => {
  test('takes the entry out', () => {
    expect(numbers(removeEntry(queueOf(one, two, three), 2, two.head))).toEqual([1, 3])
  })

  test.each([
    ['with another head', 2, sha('9')],
    ['of somebody who is not in it', 8, sha('a')],
  ])('%s changes nothing', (_name, number, head) => {
    const state = {
      ...queueOf(one, two),
      candidate: candidateOf(one, { proofs: { tests: 'e' } }),
      attempts: { tests: 1 },
    }
    expect(removeEntry(state, number, head)).toEqual(state)
  })

  test('behind the front keeps the candidate and its evidence', () => {
    const candidate = candidateOf(one, { proofs: { tests: 'e' } })
    expect(removeEntry({ ...queueOf(one, two), candidate }, 2, two.head).candidate).toEqual(candidate)
  })

  test('of the front drops its candidate', () => {
    const state = { ...queueOf(one, two), candidate: candidateOf(one, { proofs: { tests: 'e' } }) }
    expect(removeEntry(state, 1, one.head).candidate).toBeNull()
  })

  test.each([candidateOf(one), null])(
    'of the front takes its tries with it, with a candidate or without',
    (candidate) => {
      expect(removeEntry({ ...queueOf(one, two), candidate, attempts: { tests: 2 } }, 1, one.head).attempts).toEqual({})
    },
  )

  test('of one behind the front keeps the tries of the front', () => {
    expect(removeEntry({ ...queueOf(one, two), attempts: { tests: 2 } }, 2, two.head).attempts).toEqual({ tests: 2 })
  })
})

describe('whatever happens in whatever order', () => {
  const who = fc.record({ number: fc.integer({ min: 1, max: 4 }), head: fc.constantFrom(sha('1'), sha('2'), sha('3')) })
  const event = fc.oneof(
    fc.record({ kind: fc.constant('enqueue' as const), who }),
    fc.record({ kind: fc.constant('leave' as const), who }),
    fc.record({ kind: fc.constantFrom('step' as const, 'fail' as const, 'move base' as const) }),
  )

  /** Performs a step as the workflow does. The commit and its evidence carry whom they are of, to be checked against. */
  function perform(state: MergeQueueState): { state: MergeQueueState; landed: string | null } {
    const step = nextQueueStep(state)
    switch (step.kind) {
      case 'wait':
        return { state, landed: null }
      case 'build':
        return { state: { ...state, candidate: candidateOf(step.entry, { commit: key(step.entry) }) }, landed: null }
      case 'test':
        return {
          state: {
            ...state,
            candidate: { ...step.candidate, proofs: { tests: `evidence of ${step.candidate.commit}` } },
          },
          landed: null,
        }
      case 'land':
        expect(step.candidate.commit).toBe(key(step.entry))
        expect(step.candidate.proofs).toEqual({ tests: `evidence of ${key(step.entry)}` })
        return { state: removeEntry(state, step.entry.number, step.entry.head), landed: key(step.entry) }
    }
  }

  const key = ({ number, head }: { number: number; head: string }) => `${number} at ${head}`

  test('nothing lands without evidence of that very candidate, nobody is in it twice, and the front is served', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        let state = emptyQueue()
        for (const happening of events) {
          const front = state.entries[0]
          if (happening.kind === 'enqueue') {
            const entered = enqueueEntry(state, queueEntry(happening.who.number, happening.who.head))
            expect(entered.state.entries[entered.position - 1]).toMatchObject(happening.who)
            state = entered.state
          } else if (happening.kind === 'leave') {
            state = removeEntry(state, happening.who.number, happening.who.head)
            expect(state.entries.map(key)).not.toContain(key(happening.who))
          } else if (happening.kind === 'step') {
            const { state: after, landed } = perform(state)
            if (landed) expect(landed).toBe(key(front!))
            state = after
          } else if (happening.kind === 'fail') {
            if (front) state = removeEntry(state, front.number, front.head)
          } else {
            state = { ...state, candidate: null }
          }
          expect(new Set(numbers(state)).size).toBe(state.entries.length)
          if (state.candidate) expect(key(state.candidate)).toBe(key(state.entries[0]!))
        }
      }),
      { numRuns: 500 },
    )
  })

  test('a queue that nobody disturbs lands everybody in order', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 50 }), { maxLength: 10 }), (order) => {
        let state = queueOf(...order.map((number) => queueEntry(number)))
        const served: string[] = []
        while (nextQueueStep(state).kind !== 'wait') {
          const { state: after, landed } = perform(state)
          if (landed) served.push(landed)
          state = after
        }
        expect(served).toEqual(order.map((number) => key(queueEntry(number))))
      }),
    )
  })
})

describe('a candidate that was built ahead', () => {
  const base = { sha: sha('b'), tree: sha('d') }

  test('is of the entry behind the front', () => {
    expect(entryBehind(queueOf(one, two))).toEqual(two)
    expect(entryBehind(queueOf(one))).toBeNull()
  })

  test('is taken when it is of the front and on the base', () => {
    const candidate = candidateOf(one)
    expect(withCandidate({ ...queueOf(one), base }, candidate).candidate).toEqual(candidate)
  })

  test.each([
    ['another PR is at the front', candidateOf(two)],
    ['the front has another head', candidateOf(queueEntry(1, sha('9')))],
    ['it is on another base', candidateOf(one, { base: sha('7') })],
    ['there is none', null],
  ])('is left when %s', (_name, candidate) => {
    expect(withCandidate({ ...queueOf(one), base }, candidate).candidate).toBeNull()
  })
})
