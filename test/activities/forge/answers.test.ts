import { describe, expect, it } from 'vitest'
import { createForgeActivities, type ForgeTools } from '#activities/forge/activities'
import type { AnswersToSubmit } from '#activities/forge/answers'
import type { Forge } from '#activities/forge/port'
import type { PullRequest, Review } from '#domain/pull-request'
import { minute, sha } from '../../ledger/entries.ts'
import { temporaryLedger } from '../../ledger/fixtures.ts'

const asked: AnswersToSubmit = {
  ...{ repo: 'shop', number: 7, key: 'approval:1', head: sha(1), base: 'main', snapshotId: null },
  answers: [{ by: 'bob', value: 'approve', comment: 'fine', at: minute(5) }],
}

/** A pull request that takes reviews, and the reviews that it got. */
function pullRequest(change: Partial<PullRequest> = {}) {
  const reviews: Omit<Review, 'at'>[] = []
  const found = {
    author: 'ann',
    state: 'open',
    reviews: [],
    head: { ref: 'f', sha: sha(1) },
    base: { ref: 'main', sha: sha(2) },
  }
  const forge = {
    getPullRequest: async () => ({ ...found, ...change }) as PullRequest,
    async submitReview(_repo, _number, review) {
      reviews.push(review)
      return { ...review, at: minute(1) }
    },
  } satisfies Partial<Forge>
  const people = [{ name: 'ann', login: null, email: 'ann@example.org', groups: [] }]
  const tools = { forge: forge as unknown as Forge, people } as unknown as ForgeTools
  return { reviews, submit: createForgeActivities(tools).submitAnswers }
}

describe('answers to a question about approving', () => {
  it('become reviews of the head that was asked about', async () => {
    const { reviews, submit } = pullRequest()
    const answers = [...asked.answers, { by: 'cay', value: 'reject', comment: '', at: minute(5) }]
    expect(await submit({ ...asked, answers })).toBe(2)
    expect(reviews).toEqual([
      { author: 'bob', state: 'approved', head: sha(1), body: 'fine' },
      { author: 'cay', state: 'changes-requested', head: sha(1), body: 'Answered: reject' },
    ])
  })

  it.each<[string, Partial<PullRequest>]>([
    ['has another head by now', { head: { ref: 'f', sha: sha(3) } }],
    ['has another base by now', { base: { ref: 'next', sha: sha(2) } }],
    ['is closed', { state: 'closed' }],
  ])('become nothing where the pull request %s', async (_, change) => {
    const { reviews, submit } = pullRequest(change)
    expect(await submit(asked)).toBe(0)
    expect(reviews).toEqual([])
  })

  it('count for nothing from its author, under any name, and where they say something else', async () => {
    const { reviews, submit } = pullRequest()
    const answers = [
      { by: 'Ann@example.org', value: 'approve', comment: '', at: minute(5) },
      { by: 'bob', value: 'constructor', comment: '', at: minute(5) },
    ]
    expect(await submit({ ...asked, answers })).toBe(0)
    expect(reviews).toEqual([])
  })

  it.each<[string, Partial<Review>, number]>([
    ['do not outdo what the same person said later, under any name', {}, 0],
    ['do not outdo what the same person took back later', { state: 'dismissed' }, 0],
    ['stand after what the same person said before', { at: minute(4) }, 1],
    ['stand whatever another person said', { author: 'cay' }, 1],
    ['stand where the same person only commented', { state: 'commented' }, 1],
    ['are submitted again where they are what was said', { state: 'approved', body: 'fine' }, 1],
  ])('%s', async (_, change, count) => {
    const said: Review = {
      author: 'Bob',
      state: 'changes-requested',
      head: sha(1),
      body: 'no',
      at: minute(6),
      ...change,
    }
    const { reviews, submit } = pullRequest({ reviews: [said] })
    expect(await submit(asked)).toBe(count)
    expect(reviews).toHaveLength(count)
  })

  it('show no secret', async () => {
    const { reviews, submit } = pullRequest()
    const key = ['AKIA', 'Q7ZTR4XW', 'P3MB6NDK'].join('')
    await submit({ ...asked, answers: [{ by: 'bob', value: 'approve', comment: `with ${key}`, at: minute(5) }] })
    expect(reviews[0]!.body).toBe('with AKIA****')
  })
})

it('tells the audit trail of an override once', async () => {
  const ledger = await temporaryLedger()
  const { recordOverride } = createForgeActivities({ ledger } as unknown as ForgeTools)
  const terms = { rules: ['small'], reasons: {}, allowed: '' }
  const override = { ...terms, head: sha(1), base: 'main', by: ['otto'], reason: 'the fair', at: minute(1) }
  const request = { repo: 'shop', number: 7, key: 'override:1', snapshotId: null, ...override }
  for (const each of [request, request]) await recordOverride(each)
  expect(await ledger.audit({ action: 'pr.overridden' })).toMatchObject([{ actor: 'otto', at: minute(1), number: 7 }])
})
