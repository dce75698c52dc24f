import { expect, it } from 'vitest'
import { inWorld, newShop } from './world.ts'

const hostile: unknown[] = [
  undefined,
  null,
  'landed',
  { head: 1, outcome: 'landed' },
  { head: 'HEAD', outcome: 'landed', merged: null },
  { head: 'HEAD', outcome: 'queued', position: 'first' },
  { head: 'HEAD', outcome: 'constructor' },
]

function define(): void {
  it('changes nothing, and fails nothing', async () => {
    const shop = newShop()
    shop.setPolicy('merge: { auto: false }\nchecks: { tests: { run: ./test.sh } }')
    const number = await shop.open()
    const before = await shop.rest(number)
    const pipeline = shop.pipeline(number)
    for (const word of hostile) await pipeline.signal('report', word)
    await pipeline.signal('report')
    await pipeline.signal('look', null)
    for (const update of ['merge', 'hold'])
      for (const payload of [undefined, null, 'ann', { by: 7 }, { by: '' }, { by: 'ann', head: 7, reason: 7 }]) {
        await expect(pipeline.executeUpdate(update, { args: [payload] })).rejects.toMatchObject({
          cause: { type: 'Invalid' },
        })
      }
    expect(await shop.rest(number)).toMatchObject({ phase: before.phase, hold: null })
    expect(await shop.merge(number)).toBeNull()
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
  })
}

inWorld('a message that can not be read', define)
