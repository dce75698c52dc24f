import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Timings } from '#contracts/timings'
import { openWorld, type WorkflowWorld } from '../support/workflow-world.ts'
import type { Shop } from './shop.ts'

let opened: WorkflowWorld | undefined
let shops = 0

export function world(): WorkflowWorld {
  if (!opened) throw new Error('the world is not open')
  return opened
}

/** A repository of the test's own, in the world of its file. */
export function newShop(timings?: Partial<Timings>): Shop {
  shops += 1
  return world().newShop(`shop-${shops}`, timings)
}

/** Runs the tests of a file at once in a world of their own, and replays every history that they made (I12). */
export function inWorld(what: string, define: () => void): void {
  describe(what, () => {
    beforeAll(async () => {
      opened = await openWorld()
    })
    afterAll(() => opened?.close())
    describe.concurrent(what, define)
    it('leaves only histories that replay on the current code', async () => {
      expect(await world().replayAll()).toBeGreaterThan(0)
    })
  })
}
