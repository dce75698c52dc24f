import { expect, it } from 'vitest'
import { ForgeError } from '#activities/forge/port'
import { passed, red } from './scripted-check.ts'
import type { Shop } from './shop.ts'
import { inWorld, newShop } from './world.ts'

/** The forge shows no pull request until the test takes that back. */
function hide(shop: Shop, how: 'forbidden' | 'gone'): () => void {
  const honest = shop.forge.getPullRequest
  shop.forge.getPullRequest = async () => {
    if (how === 'gone') return null
    throw new ForgeError('forbidden', 'this may not be seen')
  }
  return () => void (shop.forge.getPullRequest = honest)
}

inWorld('a pull request out of reach', () => {
  it.each([
    ['forbidden', 'this may not be seen'],
    ['gone', 'has no pull request #1'],
  ] as const)('that was known waits with the reason: %s', async (how, reason) => {
    const shop = newShop()
    shop.tests.answers(red, passed)
    const number = await shop.open()
    await shop.phase(number, 'rejected')
    const show = hide(shop, how)
    await shop.look(number)
    const { waiting, resting } = await shop.phase(number, 'waiting')
    expect([waiting!.for, waiting!.command, resting]).toEqual([
      expect.stringMatching(new RegExp(`^another try: .*${reason}$`)),
      `switchyard pr review ${number} --repo ${shop.repo}`,
      true,
    ])
    show()
    expect(await shop.rerun(number)).toBeNull()
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
  })

  it('looks again by itself', async () => {
    const shop = newShop({ sweep: 50 })
    shop.tests.answers(red)
    const number = await shop.open()
    await shop.phase(number, 'rejected')
    const show = hide(shop, 'forbidden')
    await shop.look(number)
    await shop.phase(number, 'waiting')
    show()
    await shop.phase(number, 'rejected')
  })

  it('that never was ends, and says so', async () => {
    const shop = newShop()
    await shop.look(99)
    const failure = (await shop.ended(99).catch((error: Error) => error.cause)) as { type: string; message: string }
    expect([failure.type, failure.message]).toEqual(['NotFound', `${shop.repo} has no pull request #99`])
  })
})
