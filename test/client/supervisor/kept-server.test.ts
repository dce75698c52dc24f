import { fileURLToPath } from 'node:url'
import { Client, Connection } from '@temporalio/client'
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker'
import { expect, it, onTestFinished } from 'vitest'
import type { Patience } from '#server/health'
import { type KeptServer, startKeptServer } from '../../../src/client/supervisor/kept-server.ts'
import { readRecord } from '#server/record'
import { eventually, newHome } from '../../server/homes.ts'

/** Long enough for a machine under load, short enough for a test. */
const PATIENCE: Patience = { everyMs: 100, callMs: 2_000, probes: 2, brokenMs: 3_000, slowMs: 4_000 }

async function keep(patience: Patience): Promise<KeptServer & { said: string[]; pid(): Promise<number> }> {
  const home = await newHome()
  const said: string[] = []
  const options = { home, synchronous: 'normal' as const, endsWithParent: true, env: process.env }
  const kept = await startKeptServer({ ...options, say: (line) => said.push(line), patience })
  onTestFinished(() => kept.stop())
  const pid = async () => (await readRecord(home))?.process?.pid ?? 0
  return { ...kept, said, pid }
}

it('a server that hangs is found, killed and started again, and a workflow goes on', async () => {
  const { address, said, pid } = await keep(PATIENCE)
  Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: 'OFF', forward: {} } } })
  const native = await NativeConnection.connect({ address: address.address })
  const worker = await Worker.create({
    connection: native,
    namespace: address.namespace,
    taskQueue: 'waits',
    workflowsPath: fileURLToPath(new URL('fixtures/waits.ts', import.meta.url)),
  })
  const connection = await Connection.connect(address.connection)
  const { workflow } = new Client({ connection, namespace: address.namespace })
  await worker.runUntil(async () => {
    const handle = await workflow.start('waits', { workflowId: 'one', taskQueue: 'waits' })
    await eventually('it waits', async () => (await handle.query('waiting')) === true)
    const hung = await pid()
    process.kill(hung, 'SIGSTOP')
    await eventually('another server runs', () => said.some((line) => line.includes('is back')), 60_000)
    expect(await pid()).not.toBe(hung)
    await handle.signal('goOn')
    expect(await handle.result()).toBe('went on')
  })
  expect(said.find((line) => line.includes('does not work'))).toMatch(
    /^the Temporal server \(process \d+\) .*: killing it/,
  )
  expect(said.at(-1)).toBe(`the Temporal server is back at ${address.address}`)
  await connection.close()
  await native.close()
}, 120_000)

it('a server that works is kept', async () => {
  const { said, pid } = await keep({ ...PATIENCE, callMs: 10_000, brokenMs: 500, slowMs: 500 })
  const first = await pid()
  await new Promise((resolve) => setTimeout(resolve, 2_000))
  expect([await pid(), said.filter((line) => line.includes('killing'))]).toEqual([first, []])
})

it('a stop ends a server that hangs, in the middle of a probe', async () => {
  const { stop, pid } = await keep({ ...PATIENCE, callMs: 60_000 })
  process.kill(await pid(), 'SIGSTOP')
  await new Promise((resolve) => setTimeout(resolve, PATIENCE.everyMs * 5))
  await stop()
  expect(await pid().then(isThere)).toBe(false)
})

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
