import { expect, it } from 'vitest'
import { inWorld, newShop } from './world.ts'

const hostile: unknown[] = [undefined, null, 'first', 7, { number: 1 }, { number: '1', head: 'HEAD' }, { head: 'HEAD' }]

function define(): void {
  it('changes nothing in a merge queue, and fails nothing', async () => {
    const shop = newShop()
    expect(await shop.ended(await shop.open())).toMatchObject({ state: 'merged' })
    for (const name of ['enqueue', 'leave']) {
      for (const word of hostile) await shop.queue().signal(name, word)
      await shop.queue().signal(name)
    }
    expect((await shop.queueStatus())?.entries).toEqual([])
    expect(await shop.ended(await shop.open())).toMatchObject({ state: 'merged' })
  })
}

inWorld('a message that can not be read', define)
