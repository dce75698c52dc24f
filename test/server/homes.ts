import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import { type EmbeddedServer, type EmbeddedServerOptions, startEmbeddedServer } from '#server/embedded'
import { endProcess } from '#server/process-identity'
import { readRecord, recordedProcess } from '#server/record'

const homes: string[] = []

afterEach(async () => {
  for (const home of homes.splice(0)) {
    // Without a grace time: its orderly end takes more than a second, and its state goes anyway.
    const server = await recordedProcess(await readRecord(home))
    if (server) await endProcess(server, 0)
    await rm(home, { recursive: true, force: true })
  }
})

/** A folder that goes after the test, with the server that was left running in it. */
export async function newHome(): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'switchyard-server-'))
  homes.push(home)
  return home
}

export function start(home: string, options: Partial<EmbeddedServerOptions> = {}): Promise<EmbeddedServer> {
  return startEmbeddedServer({ home, synchronous: 'normal', endsWithParent: true, ...options })
}

/** Asks until the answer is yes; fails after the time. */
export async function eventually(
  what: string,
  ask: () => Promise<boolean> | boolean,
  timeoutMs = 10_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!(await ask())) {
    if (Date.now() >= deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
