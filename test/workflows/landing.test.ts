import { expect, it } from 'vitest'
import { approved, expectOnlyTested, queueIsEmpty } from './queue.ts'
import { passed } from './scripted-check.ts'
import { until } from './until.ts'
import { inWorld, newShop, world } from './world.ts'

inWorld('landing', () => {
  it('asks a forge that is busy again when it said so, and not before', async () => {
    const shop = newShop()
    const asked: number[] = []
    const { merge } = shop.forge
    shop.forge.merge = (...args) => {
      asked.push(Date.now())
      return merge(...args)
    }
    shop.forge.failNext('merge', { status: 429, retryAfter: 1_500 })
    const number = await shop.open()
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    expect(asked).toHaveLength(2)
    expect(asked[1]! - asked[0]!).toBeGreaterThanOrEqual(1_450)
  })

  it.each(['done-but-5xx', '5xx', { status: 429, retryAfter: 300 }] as const)(
    'lands once and reports it where the forge answers the merge with %j',
    async (failure) => {
      const shop = newShop()
      shop.forge.failNext('merge', failure)
      const number = await shop.open()
      expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
      expect(shop.landed()).toEqual([number])
      await shop.comment(number, 'Landed as')
      await expectOnlyTested(shop)
    },
  )

  it('looks again at a head that the forge says has moved, and lands it still if it did not', async () => {
    const shop = newShop()
    const number = await approved(shop)
    shop.forge.failNext('merge', '409')
    await shop.merge(number)
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    expect(shop.landed()).toEqual([number])
  })

  it('says in the audit trail that it landed although it was held, where the hold came too late', async () => {
    const shop = newShop()
    const { merge } = shop.forge
    shop.forge.merge = async (repo, number, request) => {
      expect(await shop.hold(number, { by: 'bob' })).toBeNull()
      await until('the hold is recorded', async () => (await shop.commanded(number)).length > 0)
      return merge(repo, number, request)
    }
    const number = await shop.open()
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    const entries = await shop.ledger.audit({ repo: shop.repo, number })
    expect(entries.find(({ action }) => action === 'pr.landed')!.details).toMatchObject({ heldBy: 'bob' })
  })

  it('never lands a head that it was not given', async () => {
    const shop = newShop()
    const number = await approved(shop)
    shop.tests.answers('hold', passed)
    await shop.merge(number)
    const run = await shop.tests.started(2)
    const head = await shop.push(number, { 'late.txt': 'late\n' }, { hint: 'lost' })
    run.finish(passed)
    await shop.when(number, 'sees its new head', (status) => status.head?.sha === head && status.resting)
    expect(shop.landed()).toEqual([])
  })

  it('takes a burst of two hundred enqueues: each pull request once, in order', async () => {
    const shop = newShop()
    const numbers: number[] = []
    for (let count = 0; count < 40; count += 1) numbers.push(await shop.open({}, { hint: 'lost' }))
    const entries = await Promise.all(
      numbers.map(async (number) => {
        const { id } = await world().forgeActivities.takeSnapshot({ repo: shop.repo, number })
        return shop.approvedEntry(number, id)
      }),
    )
    shop.tests.answers('hold', passed)
    await shop.pipelines.enqueue(entries[0]!)
    const first = await shop.tests.started(1)
    for (const entry of entries) await shop.pipelines.enqueue(entry)
    await Promise.all(Array.from({ length: 4 }, () => entries.map((entry) => shop.pipelines.enqueue(entry))).flat())
    first.finish(passed)
    await until('all landed', () => shop.landed().length >= numbers.length, 60_000)
    await queueIsEmpty(shop)
    expect(shop.landed()).toEqual(numbers)
    await expectOnlyTested(shop)
  }, 90_000)
})
