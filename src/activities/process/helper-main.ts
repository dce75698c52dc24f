import type { HelperReply, HelperRequest } from './helper.ts'
import { runProcess } from './run.ts'

const running = new Map<number, AbortController>()
let connected = true

/** Ends when whoever started it has gone, by whatever end; a signal to the whole group is meant for that one. */
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
process.on('disconnect', () => {
  connected = false
  leaveWhenDone()
})

process.on('message', (request: HelperRequest) => {
  if ('abort' in request) return running.get(request.id)?.abort()
  void answer(request)
})

async function answer({ id, run }: Extract<HelperRequest, { run: unknown }>): Promise<void> {
  const stop = new AbortController()
  running.set(id, stop)
  try {
    reply({ id, result: await runProcess({ ...run, signal: stop.signal }) })
  } catch (error) {
    reply(stop.signal.aborted ? { id, aborted: true } : { id, error: String(error) })
  } finally {
    running.delete(id)
    leaveWhenDone()
  }
}

function reply(message: HelperReply): void {
  if (connected) process.send?.(message)
}

/** What is running ends by itself, as the children of a killed process do. */
function leaveWhenDone(): void {
  if (!connected && running.size === 0) process.exit()
}
