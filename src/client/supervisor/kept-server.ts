import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { startEmbeddedServer, type EmbeddedServer, type EmbeddedServerOptions } from '#server/embedded'
import { PATIENCE, type Patience, stretched, untilUnwell } from '#server/health'
import type { ServerAddress } from '#server/port'

export type KeptServerOptions = EmbeddedServerOptions & {
  say: (line: string) => void
  /** How long the server may be unwell. */
  patience?: Patience
}

/** The installation's own server, at one address until `stop`. */
export type KeptServer = { address: ServerAddress; stop(): Promise<void> }

const FIRST_RESTART_MS = 200
const MAX_RESTART_MS = 10_000

/**
 * The embedded server, started again with back-off when it dies, on the ports that it had. One that lives and does not
 * work is killed: by its process alone it would be kept for ever, and everything would wait.
 */
export async function startKeptServer({ patience = PATIENCE, ...options }: KeptServerOptions): Promise<KeptServer> {
  const { say } = options
  const ending = new AbortController()
  const givenUpAtMs: number[] = []
  let server: EmbeddedServer = await startEmbeddedServer(options)
  let delay = FIRST_RESTART_MS
  say(`${server.adopted ? 'found the' : 'started the'} Temporal server at ${server.address}, Web UI ${server.webUi}`)

  async function keep(): Promise<void> {
    while (!ending.signal.aborted) {
      await untilEnd(server)
      if (ending.signal.aborted) return
      say(`the Temporal server died; starting it again in ${delay} ms`)
      // Rejects when aborted, which the next line sees.
      await sleep(delay, undefined, { signal: ending.signal }).catch(() => {})
      delay = Math.min(delay * 2, MAX_RESTART_MS)
      if (ending.signal.aborted) return
      try {
        server = await startEmbeddedServer(options)
        delay = FIRST_RESTART_MS
        say(`the Temporal server is back at ${server.address}`)
      } catch (error) {
        say(`the Temporal server can't be started: ${text(error)}`)
      }
    }
  }

  async function untilEnd(current: EmbeddedServer): Promise<void> {
    const life = new AbortController()
    const watching = endWhenUnwell(current, AbortSignal.any([ending.signal, life.signal]))
    await current.exited
    life.abort()
    await watching
  }

  async function endWhenUnwell(current: EmbeddedServer, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const unwell = await untilUnwell(current, () => stretched(patience, givenUpAtMs, performance.now()), signal)
      if (unwell === null || signal.aborted) return
      givenUpAtMs.push(performance.now())
      const seconds = Math.round(unwell.forMs / 1_000)
      say(`the Temporal server (process ${current.pid}) does not work for ${seconds} s (${unwell.reason}): killing it`)
      await current.kill().catch((error: unknown) => say(`the Temporal server can't be killed: ${text(error)}`))
    }
  }

  const keeping = keep()
  return {
    address: server,
    async stop() {
      ending.abort()
      await server.stop()
      await keeping
      // A start that was under way while we stopped has made a new one.
      await server.stop()
    },
  }
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
