import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  classify,
  type Health,
  isTooLong,
  nextSpell,
  PATIENCE,
  type Patience,
  probe,
  type Spell,
  stretched,
  untilUnwell,
} from '#server/health'
import { serverFiles } from '#server/record'
import { newHome, start } from './homes.ts'

/** As the SDK hands on what gRPC answers. */
function answer(code: number, details: string): Error {
  return Object.assign(new Error(`${code}: ${details}`), { code, details, metadata: {} })
}

/** A way to the server on which each piece, of a question as of an answer, takes half of the time. */
async function slowWay(address: string, delayMs: number): Promise<string> {
  const open = new Set<Socket>()
  const [host, port] = address.split(':') as [string, string]
  const forward = (from: Socket, to: Socket) =>
    from.on('data', (piece) => void setTimeout(() => to.destroyed || to.write(piece), delayMs / 2))
  const proxy = createServer((near) => {
    const far = connect(Number(port), host)
    for (const socket of [near, far]) {
      open.add(socket)
      socket.on('error', () => {}).on('close', () => near.destroy() && far.destroy())
    }
    forward(near, far)
    forward(far, near)
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  onTestFinished(() => {
    proxy.close()
    for (const socket of open) socket.destroy()
  })
  return `127.0.0.1:${(proxy.address() as { port: number }).port}`
}

/** What a real server answers then is what it answers when it has lost its database. */
function renameTable(home: string, from: string, to: string): void {
  // The server's own schema has such literals.
  const how = { timeout: 5_000, enableDoubleQuotedStringLiterals: true }
  const database = new DatabaseSync(serverFiles(home).database, how)
  database.exec(`ALTER TABLE ${from} RENAME TO ${to}`)
  database.close()
}

describe('what a call to the server shows', () => {
  it.each<[state: Health['state'], what: string, error: unknown]>([
    ['well', 'the workflow is not found', answer(5, 'workflow not found for ID: switchyard-health')],
    ['broken', 'it has lost its namespace', answer(5, 'Namespace switchyard is not found.')],
    ['well', 'the server has its hands full, and says so', answer(8, 'namespace rate limit exceeded')],
    ['well', 'we may not ask', answer(7, 'Request unauthorized.')],
    ['well', 'the server knows no such call', answer(12, 'unknown method')],
    ['broken', 'its shard is lost', answer(14, 'shard status unknown')],
    ['broken', 'its database is lost', answer(14, 'GetCurrentExecution operation failed. Error: interrupted (9)')],
    ['broken', 'its database is lost, without a class', answer(2, 'interrupted (9)')],
    ['broken', 'it fails within', answer(13, 'panic')],
    ['broken', 'its data is lost', answer(15, 'history is corrupt')],
    ['slow', 'no answer came in time', answer(4, 'Deadline exceeded after 15.0s')],
    ['slow', 'it ran out of time within', answer(14, 'GetNamespace operation failed. Error context deadline exceeded')],
    ['slow', 'somebody took the call back', answer(1, 'Cancelled on client')],
    ['slow', 'nobody listens', answer(14, 'No connection established. Last error: connect ECONNREFUSED 127.0.0.1:1')],
    ['slow', 'the connection broke', answer(14, 'Connection dropped')],
    ['well', 'a mistake of our own says nothing about it', new TypeError('fetch is not a function')],
  ])('%s: %s', (state, _what, error) => {
    expect(classify(error).state).toBe(state)
  })
})

describe('a server is given up', () => {
  const seconds = (count: number) => count * 1_000
  const after = (healths: Health['state'][], everyMs: number): { spell: Spell | null; nowMs: number } => {
    const told = (state: Health['state']): Health => (state === 'well' ? { state } : { state, reason: 'it said so' })
    const last = healths.reduce<Spell | null>(
      (spell, state, index) => nextSpell(spell, told(state), index * everyMs),
      null,
    )
    return { spell: last, nowMs: (healths.length - 1) * everyMs }
  }

  it.each<[what: string, healths: Health['state'][], everyMs: number, givenUp: boolean]>([
    ['not after one deadline, however late it is', ['slow'], seconds(1_000), false],
    ['not when this machine slept between two probes', ['slow', 'slow'], seconds(3_600), false],
    ['not while it is broken for a short time', Array(6).fill('broken'), seconds(5), false],
    ['when it is broken for half a minute', Array(7).fill('broken'), seconds(5), true],
    ['not while it is slow for as long', Array(7).fill('slow'), seconds(5), false],
    ['when it answers nothing for a minute and a half', Array(6).fill('slow'), seconds(18), true],
    ['not when it was well in between', [...Array(6).fill('broken'), 'well', 'broken'], seconds(5), false],
    ['not for a few broken answers among slow ones', ['broken', ...Array(7).fill('slow'), 'broken'], seconds(5), false],
    ['when it is broken often enough among slow ones', ['slow', ...Array(6).fill('broken')], seconds(5), true],
  ])('%s', (_what, healths, everyMs, givenUp) => {
    const { spell, nowMs } = after(healths, everyMs)
    expect(spell !== null && isTooLong(spell, PATIENCE, nowMs)).toBe(givenUp)
  })

  it('later after each time that it was given up within the hour, up to a bound', () => {
    const at = (count: number) => Array.from({ length: count }, (_, index) => seconds(index))
    const waits = [0, 1, 2, 4, 50].map((count) => stretched(PATIENCE, at(count), seconds(60)).brokenMs / 1_000)
    expect(waits).toEqual([30, 60, 120, 480, 480])
    expect(stretched(PATIENCE, at(3), seconds(2 * 3_600))).toEqual(PATIENCE)
  })
})

it('a server that was left behind broken is not adopted, but replaced', async () => {
  const home = await newHome()
  const broken = await start(home)
  renameTable(home, 'current_executions', 'lost')
  const words: string[] = []
  const say = (line: string) => {
    words.push(line)
    if (line.includes('does not work')) renameTable(home, 'lost', 'current_executions')
  }
  const another = await start(home, { say })
  expect(words).toContain(`the Temporal server (process ${broken.pid}) does not work: ending it, and starting another`)
  expect([another.adopted, another.address]).toEqual([false, broken.address])
}, 60_000)

describe('a watch', () => {
  const hasty: Patience = { everyMs: 50, callMs: 300, probes: 3, brokenMs: 500, slowMs: 1_000 }

  it('finds a server well', async () => {
    const { namespace, connection } = await start(await newHome())
    const { signal } = new AbortController()
    expect(await probe({ namespace, connection }, 5_000, signal)).toEqual({ state: 'well' })
  })

  it('gives up a server that can not read its database', async () => {
    const home = await newHome()
    const server = await start(home)
    renameTable(home, 'current_executions', 'lost')
    const unwell = await untilUnwell(server, () => ({ ...hasty, callMs: 5_000 }), new AbortController().signal)
    expect(unwell?.reason).toContain('current_executions')
  })

  it('leaves a server alone whose calls take two seconds', async () => {
    const { namespace, address } = await start(await newHome())
    const slow = { namespace, connection: { address: await slowWay(address, 2_000) } }
    const { signal } = new AbortController()
    const from = performance.now()
    expect(await probe(slow, PATIENCE.callMs, signal)).toEqual({ state: 'well' })
    expect(performance.now() - from).toBeGreaterThan(2_000)
    const patience = () => ({ ...hasty, callMs: PATIENCE.callMs })
    expect(await untilUnwell(slow, patience, AbortSignal.timeout(7_000))).toBeNull()
  })

  it('gives up a server that hangs', async () => {
    const server = await start(await newHome())
    process.kill(server.pid, 'SIGSTOP')
    const unwell = await untilUnwell(server, () => hasty, new AbortController().signal)
    expect(unwell?.forMs).toBeGreaterThanOrEqual(hasty.slowMs)
    await server.kill()
    expect((await server.exited).signal).toBe('SIGKILL')
  })

  it('ends at once in the middle of a probe', async () => {
    const server = await start(await newHome())
    process.kill(server.pid, 'SIGSTOP')
    const watch = new AbortController()
    const watching = untilUnwell(server, () => ({ ...hasty, callMs: 60_000 }), watch.signal)
    await new Promise((resolve) => setTimeout(resolve, hasty.everyMs * 4))
    const from = performance.now()
    watch.abort()
    expect(await watching).toBeNull()
    expect(performance.now() - from).toBeLessThan(1_000)
  })
})
