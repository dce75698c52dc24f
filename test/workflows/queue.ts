import { expect } from 'vitest'
import type { Shop } from './shop.ts'
import type { ScriptedRun } from './scripted-check.ts'
import { until } from './until.ts'

/** A pull request that is approved and waits for `pr merge`, on a base that has moved since its tests. */
export async function approved(shop: Shop, files?: Record<string, string>): Promise<number> {
  shop.setPolicy('merge: { auto: false }')
  const number = await shop.open(files ? { files } : {})
  await shop.when(number, 'is approved', ({ resting, decision }) => resting && decision?.outcome === 'approve')
  shop.pushBase({ [`base-${number}.txt`]: 'moved\n' })
  return number
}

/** A pull request whose candidate is being tested in the queue, by a run that the test ends. */
export async function inTheQueue(shop: Shop): Promise<{ number: number; run: ScriptedRun }> {
  const number = await approved(shop)
  const before = shop.tests.runs.length
  shop.tests.hold()
  await shop.merge(number)
  const run = await shop.tests.started(before + 1)
  await shop.phase(number, 'testing')
  return { number, run }
}

export async function queueIsEmpty(shop: Shop): Promise<void> {
  await until('the queue is empty', async () => (await shop.queueStatus())?.entries.length === 0)
}

/** Every tip of the base that the queue made has the tree of a passing test (I4), and descends from the one before (I3). */
export async function expectOnlyTested(shop: Shop): Promise<void> {
  for (const { commit, tree, evidenceId } of await shop.ledger.landings(shop.repo, 'main')) {
    expect(await shop.ledger.evidence(evidenceId)).toMatchObject({ conclusion: 'passed', subject: { tree } })
    expect(await shop.git.treeOf(commit)).toBe(tree)
    expect(await shop.git.isAncestor(commit, shop.git.branch('main')!)).toBe(true)
  }
  expect((await shop.ledger.landings(shop.repo, 'main')).map(({ number }) => number)).toEqual(shop.landed())
}
