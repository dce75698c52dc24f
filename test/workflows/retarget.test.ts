import { expect, it } from 'vitest'
import { report } from '#contracts/pull-request'
import { inTheQueue, queueIsEmpty } from './queue.ts'
import { record } from './record.ts'
import { passed } from './scripted-check.ts'
import type { Shop } from './shop.ts'
import { inWorld, newShop } from './world.ts'

/** A repository with a second protected branch. */
function newShopOfTwo(): Shop {
  const shop = newShop()
  shop.protectedBranches.push('release')
  shop.git.setBranch('release', shop.git.branch('main'))
  return shop
}

const toRelease = (shop: Shop, number: number, hint: 'sent' | 'lost') =>
  shop.update(number, { base: 'release' }, { hint })

inWorld('a pull request that gets another base while it is in the merge queue', () => {
  it.each(['the same commit', 'another commit'])('lands nowhere, where both are at %s', async (where) => {
    const shop = newShopOfTwo()
    const { number, run } = await inTheQueue(shop)
    shop.tests.answers(passed)
    const main = shop.git.branch('main')
    if (where === 'the same commit') shop.git.setBranch('release', main)
    const release = shop.git.branch('release')
    await toRelease(shop, number, 'lost')
    run.finish(passed)
    const { waiting } = await shop.when(
      number,
      'waits to be merged into its new base',
      ({ base, waiting, resting }) => {
        return resting && base?.ref === 'release' && (waiting?.for.startsWith('pr merge') ?? false)
      },
    )
    expect(waiting).toMatchObject({ command: `switchyard pr merge ${number} --repo ${shop.repo}` })
    await queueIsEmpty(shop)
    expect(shop.landed()).toEqual([])
    expect([shop.git.branch('main'), shop.git.branch('release')]).toEqual([main, release])
    if (where === 'another commit') await record('mergeQueue', 'retargeted', shop.queue())
    expect(await shop.merge(number)).toBeNull()
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    expect(shop.git.branch('main')).toBe(main)
    expect(shop.effects('landed', number)).toMatchObject([{ subject: 'release', from: release }])
  })

  it('does not take a late word of the old queue for one of the new', async () => {
    const shop = newShopOfTwo()
    const { number } = await inTheQueue(shop)
    shop.tests.answers(passed)
    await toRelease(shop, number, 'sent')
    const { head } = await shop.when(number, 'is approved for its new base', ({ base, resting, decision }) => {
      return resting && base?.ref === 'release' && decision?.outcome === 'approve'
    })
    shop.git.setBranch('release', shop.git.add(shop.git.branch('release'), { 'release.txt': 'moved\n' }, 'Move'))
    shop.tests.hold()
    const before = shop.tests.runs.length
    await shop.merge(number)
    const run = await shop.tests.started(before + 1)
    await shop.phase(number, 'testing')
    const late = { branch: 'main', head: head!.sha, outcome: 'ejected', kind: 'tests', reason: 'late' } as const
    await shop.pipeline(number).signal(report, late)
    run.finish(passed)
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    expect((await shop.ledger.audit({ repo: shop.repo, number })).map(({ action }) => action)).not.toContain(
      'pr.ejected',
    )
  })
})

inWorld('a merge queue whose forge says that the base moved though it did not', () => {
  it('waits before it tries again', async () => {
    const shop = newShop({ infrastructureRetry: 800 })
    const asked: number[] = []
    const { merge } = shop.forge
    shop.forge.merge = async (...args) => {
      asked.push(Date.now())
      if (asked.length > 2) return merge(...args)
      return { outcome: 'refused', reason: 'base-moved', detail: 'main is elsewhere.', actual: null }
    }
    const number = await shop.open()
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    expect(asked[1]! - asked[0]!).toBeGreaterThanOrEqual(750)
    expect(asked[2]! - asked[1]!).toBeGreaterThanOrEqual(750)
    await record('mergeQueue', 'refused-on-an-unchanged-base', shop.queue())
  })
})
