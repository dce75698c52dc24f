import { MockActivityEnvironment } from '@temporalio/testing'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createReviewActivities, type ReviewRequest } from '#activities/review/activities'
import type { CheckResult } from '#domain/evidence'
import type { Policy } from '#domain/policy'
import { openLedger } from '#ledger/sqlite'
import { createHistory } from './history.ts'

test("a pass is reused while the base moves, but not when a reviewer's program changed on it", async () => {
  const history = await createHistory()
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-review-'))
  const ledger = await openLedger(join(folder, 'ledger.db'))
  onTestFinished(async () => {
    await ledger.close()
    await history.remove()
    await rm(folder, { recursive: true, force: true })
  })
  const mergeBase = await history.commit({ 'review.sh': 'one\n', 'app.js': 'one\n' })
  const moved = await history.commit({ 'app.js': 'two\n' })
  const changed = await history.commit({ 'review.sh': 'two\n' })
  const head = await history.commit({ 'app.js': 'three\n' })
  const reviewers = [{ name: 'sh', run: 'sh review.sh', timeout: 1_000 }]
  const policy = { checks: { review: { reviewers } } } as unknown as Policy
  await ledger.savePolicy('shop', 'a policy', policy)
  const { reviewChange } = createReviewActivities({
    reviewer: {
      review: async () => ({ conclusion: 'passed', reason: 'no findings', findings: [], log: null }),
    },
    runner: { surroundings: async () => 'a machine' },
    ledger,
    repository: () => history.git,
  })

  async function reviewOn(base: string, activityId: string): Promise<CheckResult> {
    const request: ReviewRequest = {
      ...{ repo: 'shop', number: 1, policyDigest: 'a policy', evidenceMaxAge: 1e9, base },
      check: { name: 'review', digest: 'd', timeout: 60_000, retries: 0 },
      subject: { kind: 'range', base: mergeBase, head },
    }
    return new MockActivityEnvironment({ activityId }).run(reviewChange, request) as Promise<CheckResult>
  }

  expect((await reviewOn(mergeBase, 'first')).reused).toBe(false)
  expect((await reviewOn(moved, 'second')).reused).toBe(true)
  expect((await reviewOn(changed, 'third')).reused).toBe(false)
  expect((await reviewOn(changed, 'fourth')).reused).toBe(true)
})
