import type { AskRequest } from '#activities/pipelines/port'
import type { ClarificationOutcome } from '#domain/clarification/state'
import type { Connected } from '#installation/installation'
import { describeClarification } from './clarifications.ts'
import { CliError } from './errors.ts'
import { sleep } from './sleep.ts'
import { isAway } from './status.ts'

const POLL_MS = 500
/** A server that died is started again; only a longer silence is an error. */
const SILENCE_MS = 60_000

/** Blocks until the question is settled or parked; null where `limit` milliseconds passed first (null: no limit). */
export async function waitForOutcome(
  connected: Connected,
  { id, request, limit }: { id: string; request: AskRequest; limit: number | null },
  signal: AbortSignal,
): Promise<ClarificationOutcome | null> {
  const started = performance.now()
  let answeredAt = started
  for (;;) {
    try {
      const outcome = await look(connected, id, request)
      if (outcome !== null) return outcome
      answeredAt = performance.now()
    } catch (error) {
      if (!isAway(error)) throw error
    }
    if (limit !== null && performance.now() - started >= limit) return null
    if (performance.now() - answeredAt > SILENCE_MS) throw silence(id, request)
    await sleep(limit === null ? POLL_MS : Math.min(POLL_MS, limit), signal)
  }
}

/** Visibility's word first, which needs no worker; asking again tells the outcome. */
async function look(connected: Connected, id: string, request: AskRequest): Promise<ClarificationOutcome | null> {
  const found = await describeClarification(connected, id)
  if (found !== null && found.ended === null && found.row.state === 'open') return null
  return (await connected.pipelines.ask(request)).outcome
}

function silence(id: string, { key }: AskRequest): CliError {
  return new CliError(3, 'no-server', 'The server has not answered for a minute. The question stays.', {
    details: { id, key },
    hint: `Start it with \`switchyard up\`, and wait on with the same --key ${key}.`,
  })
}
