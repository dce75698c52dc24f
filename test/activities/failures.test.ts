import { ApplicationFailure, CancelledFailure } from '@temporalio/activity'
import { describe, expect, test } from 'vitest'
import { toFailure, withFailures } from '#activities/failures'
import { ForgeError } from '#activities/forge/port'
import { GitError } from '#activities/git/run'
import { LedgerError } from '#ledger/port'

describe('what a tool throws becomes a failure that', () => {
  test.each([
    [
      'is retried when the forge does not know it yet',
      new ForgeError('not-found', 'no #7'),
      { type: 'Unknown', nonRetryable: false },
    ],
    [
      'is final when the forge forbids it',
      new ForgeError('forbidden', 'no'),
      { type: 'Forbidden', nonRetryable: true },
    ],
    [
      'is final when what was asked can never be done',
      new ForgeError('invalid', 'The text is too long.'),
      { type: 'Invalid', nonRetryable: true },
    ],
    [
      'is retried when the forge is away',
      new ForgeError('unavailable', '502'),
      { type: 'Unavailable', nonRetryable: false },
    ],
    [
      'is retried when the forge says so',
      new ForgeError('unavailable', '429', { retryAfter: 7_000 }),
      { type: 'Unavailable', nonRetryable: false, nextRetryDelay: 7_000 },
    ],
    [
      'is retried when the disk is full',
      new LedgerError('full', 'no space'),
      { type: 'Ledger.full', nonRetryable: false },
    ],
    ['is retried when git failed', new GitError(['status'], 128, 'fatal'), { type: 'Git', nonRetryable: false }],
  ])('%s', (_name, error, expected) => {
    expect(toFailure(error)).toBeInstanceOf(ApplicationFailure)
    expect(toFailure(error)).toMatchObject(expected)
  })

  test.each([
    ['a cancellation', new CancelledFailure('stop')],
    ['a failure that an activity chose', ApplicationFailure.nonRetryable('no', 'Unproven')],
    ['an error that nobody recognises', new TypeError('x is not a function')],
  ])('leaves %s as it is', (_name, error) => {
    expect(toFailure(error)).toBe(error)
  })
})

test('activities keep their names and answers', async () => {
  const activities = withFailures({ double: async (n: number) => n * 2 })
  expect(await activities.double(4)).toBe(8)
})
