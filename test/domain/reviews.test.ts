import { describe, expect, test } from 'vitest'
import type { KnownPerson } from '#domain/people'
import { verdicts } from '#domain/reviews'
import type { Review } from '#domain/pull-request'
import { review, sha } from './facts.ts'

const earlier = '2026-03-01T10:00:00.000Z'
const later = '2026-03-01T11:00:00+00:00'
const oldHead = { head: sha('9') }

const cases: [string, Review[], { approvedBy: string[]; changesRequestedBy: string[] }][] = [
  ['no review', [], { approvedBy: [], changesRequestedBy: [] }],
  ['an approval of the head', [review('bob', 'approved')], { approvedBy: ['bob'], changesRequestedBy: [] }],
  ['an approval of an earlier head', [review('bob', 'approved', oldHead)], { approvedBy: [], changesRequestedBy: [] }],
  ['an approval from the author', [review('ann', 'approved')], { approvedBy: [], changesRequestedBy: [] }],
  [
    'an approval from the author, in other case',
    [review('Ann', 'approved')],
    { approvedBy: [], changesRequestedBy: [] },
  ],
  [
    'a request for changes of an earlier head still blocks',
    [review('bob', 'changes-requested', oldHead)],
    { approvedBy: [], changesRequestedBy: ['bob'] },
  ],
  [
    'a newer approval lifts a request for changes',
    [review('bob', 'changes-requested', { at: earlier }), review('bob', 'approved', { at: later })],
    { approvedBy: ['bob'], changesRequestedBy: [] },
  ],
  [
    'a newer request for changes takes an approval back',
    [review('bob', 'approved', { at: earlier }), review('bob', 'changes-requested', { at: later })],
    { approvedBy: [], changesRequestedBy: ['bob'] },
  ],
  [
    'the newest counts in whatever order the forge lists them',
    [review('bob', 'approved', { at: later }), review('bob', 'changes-requested', { at: earlier })],
    { approvedBy: ['bob'], changesRequestedBy: [] },
  ],
  [
    'a comment is no verdict and takes nothing back',
    [review('bob', 'approved', { at: earlier }), review('bob', 'commented', { at: later })],
    { approvedBy: ['bob'], changesRequestedBy: [] },
  ],
  [
    'two approvals from one person are one',
    [review('bob', 'approved', { at: earlier }), review('bob', 'approved', { at: later })],
    { approvedBy: ['bob'], changesRequestedBy: [] },
  ],
  [
    'people are listed in one order',
    [review('eve', 'approved'), review('bob', 'approved')],
    { approvedBy: ['bob', 'eve'], changesRequestedBy: [] },
  ],
]

describe('verdicts of reviewers', () => {
  test.each(cases)('%s', (_name, reviews, expected) => {
    expect(verdicts(reviews, sha('a'), 'ann')).toEqual(expected)
  })

  describe('of people with more than one name', () => {
    const people: KnownPerson[] = [
      { name: 'ann', login: null, email: 'ann@example.org', groups: [] },
      { name: 'bob', login: 'bobby', email: null, groups: [] },
    ]
    const of = (...reviews: Review[]) => verdicts(reviews, sha('a'), 'ann', people)

    test('the author approves under none of them', () => {
      expect(of(review('ann@example.org', 'approved')).approvedBy).toEqual([])
    })

    test('two approvals from one person are one', () => {
      expect(of(review('bob', 'approved', { at: earlier }), review('Bobby', 'approved', { at: later }))).toEqual({
        approvedBy: ['Bobby'],
        changesRequestedBy: [],
      })
    })

    test('a request for changes is lifted under either', () => {
      const lifted = of(review('bob', 'changes-requested', { at: earlier }), review('bobby', 'approved', { at: later }))
      expect(lifted).toEqual({ approvedBy: ['bobby'], changesRequestedBy: [] })
    })
  })
})
