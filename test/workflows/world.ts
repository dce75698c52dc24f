import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Timings } from '#contracts/timings'
import type { KnownPerson } from '#domain/people'
import { startEmbeddedServer, type EmbeddedServer } from '#server/embedded'
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

/**
 * Runs the tests of a file at once in a world of their own, and replays every history that they made (I12).
 * `dynamicConfig` asks for a server of the world's own, with these settings; `people` are those of its installation.
 */
export function inWorld(what: string, define: () => void, dynamicConfig?: string[], people: KnownPerson[] = []): void {
  describe(what, () => {
    let server: (EmbeddedServer & { home: string }) | undefined
    beforeAll(async () => {
      if (dynamicConfig) server = await startServer(dynamicConfig)
      opened = await openWorld(server, people)
    })
    afterAll(async () => {
      await opened?.close()
      await server?.stop()
      if (server) await rm(server.home, { recursive: true, force: true })
    })
    describe.concurrent('at once', { timeout: 60_000 }, define)
    it('leaves only histories that replay on the current code', async () => {
      expect(await world().replayAll()).toBeGreaterThan(0)
    }, 60_000)
  })
}

async function startServer(dynamicConfig: string[]): Promise<EmbeddedServer & { home: string }> {
  const home = await mkdtemp(join(tmpdir(), 'switchyard-test-server-'))
  return { ...(await startEmbeddedServer({ home, synchronous: 'normal', endsWithParent: true, dynamicConfig })), home }
}
