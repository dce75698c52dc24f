import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { type ChildSpec, supervise, type SupervisorEvent, type SupervisorOptions } from '#client/supervisor/supervisor'
import { identifyProcess } from '#server/process-identity'

const script = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url))

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-supervisor-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

function childSpec(folder: string, mode: string, name = 'child'): ChildSpec {
  const args = [script('child.mjs'), join(folder, name), mode]
  return { name, command: process.execPath, args, env: process.env, log: join(folder, 'logs', `${name}.log`) }
}

function started(specs: ChildSpec[], options: SupervisorOptions = {}) {
  const events: SupervisorEvent[] = []
  const supervisor = supervise(specs, { ...options, onEvent: (event) => events.push(event) })
  onTestFinished(() => supervisor.stop())
  return { supervisor, events }
}

const pids = async (folder: string, name = 'child'): Promise<number[]> =>
  (await readFile(join(folder, name), 'utf8').catch(() => '')).split('\n').filter(Boolean).map(Number)

async function eventually(what: string, ask: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!(await ask())) {
    if (Date.now() >= deadline) throw new Error(`not within 10 s: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function living(ids: number[]): Promise<number[]> {
  const found = await Promise.all(ids.map(identifyProcess))
  return found.flatMap((identity) => (identity ? [identity.pid] : []))
}

it('is ready when every child has said so', async () => {
  const folder = await newFolder()
  const { supervisor, events } = started([childSpec(folder, 'runs', 'a'), childSpec(folder, 'runs', 'b')])
  await supervisor.ready(10_000)
  expect(events.map((event) => `${event.kind} ${event.name}`)).toEqual(['started a', 'started b'])
})

it('names the child that does not get ready, and its log', async () => {
  const folder = await newFolder()
  const { supervisor } = started([childSpec(folder, 'never-ready', 'slow')])
  await expect(supervisor.ready(300)).rejects.toThrow(/slow \(output: .*slow\.log\)/)
})

it('starts a killed child again at once, and says so', async () => {
  const folder = await newFolder()
  const { supervisor, events } = started([childSpec(folder, 'runs')])
  await supervisor.ready(10_000)
  const killed = supervisor.kill('child', 'SIGKILL')
  await eventually('it is started again', () => events.some((event) => event.kind === 'restarted'))
  await supervisor.ready(10_000)
  expect(events.find((event) => event.kind === 'died')).toMatchObject({
    pid: killed,
    signal: 'SIGKILL',
    restartInMs: 0,
  })
  expect(supervisor.pid('child')).not.toBe(killed)
})

it('waits twice as long before each restart but the first, up to a bound', async () => {
  const folder = await newFolder()
  const { events } = started([childSpec(folder, 'dies')], { backoff: { firstMs: 10, maxMs: 40 } })
  const waits = () => events.flatMap((event) => (event.kind === 'died' ? [event.restartInMs] : []))
  await eventually('it died five times', () => waits().length >= 5)
  expect(waits().slice(0, 5)).toEqual([0, 10, 20, 40, 40])
})

it('starts at once again after a long life', async () => {
  const folder = await newFolder()
  const { events } = started([childSpec(folder, 'dies')], { backoff: { firstMs: 10, resetAfterMs: 0 } })
  const waits = () => events.flatMap((event) => (event.kind === 'died' ? [event.restartInMs] : []))
  await eventually('it died three times', () => waits().length >= 3)
  expect(waits().slice(0, 3)).toEqual([0, 0, 0])
})

it('gives up after the limit, and readiness fails with the reason', async () => {
  const folder = await newFolder()
  const { supervisor, events } = started([childSpec(folder, 'dies')], { backoff: { firstMs: 1, limit: 2 } })
  await expect(supervisor.ready(10_000)).rejects.toThrow(/child: it died 3 times in a row, at last with exit code 3/)
  expect(events.at(-1)?.kind).toBe('gave-up')
})

it('gives up at once on a command that is missing', async () => {
  const folder = await newFolder()
  const { supervisor } = started([{ ...childSpec(folder, 'runs'), command: join(folder, 'missing') }])
  await expect(supervisor.ready(10_000)).rejects.toThrow(/child: .*missing can't be started/)
})

it('appends what a child prints to its log', async () => {
  const folder = await newFolder()
  const spec = { ...childSpec(folder, ''), args: ['-e', 'console.log("hello"); process.send({ kind: "ready" })'] }
  const { supervisor } = started([spec])
  await supervisor.ready(10_000)
  await eventually('the log has it', async () => (await readFile(spec.log, 'utf8')).includes('hello'))
})

it('leaves no process when stopped', async () => {
  const folder = await newFolder()
  const { supervisor } = started([childSpec(folder, 'leaves-a-child'), childSpec(folder, 'runs', 'other')])
  await supervisor.ready(10_000)
  await supervisor.stop()
  const all = [...(await pids(folder)), ...(await pids(folder, 'other'))]
  expect(all).toHaveLength(3)
  await eventually('all are gone', async () => (await living(all)).length === 0)
})

it('kills a child that ignores TERM after the grace time', async () => {
  const folder = await newFolder()
  const { supervisor } = started([childSpec(folder, 'ignores-term')], { graceMs: 100 })
  await supervisor.ready(10_000)
  await supervisor.stop()
  expect(await living(await pids(folder))).toEqual([])
})

it('starts nothing after a stop, even one that was waiting for its restart', async () => {
  const folder = await newFolder()
  const { supervisor, events } = started([childSpec(folder, 'dies')], { backoff: { firstMs: 50 } })
  await eventually('it died', () => events.filter((event) => event.kind === 'died').length === 2)
  await supervisor.stop()
  expect(supervisor.pid('child')).toBeUndefined()
  expect(events.at(-1)?.kind).toBe('died')
})

it('children leave by themselves when the supervisor is killed', async () => {
  const folder = await newFolder()
  const child = join(folder, 'child')
  const parent = spawn(process.execPath, [script('parent.ts'), script('child.mjs'), child, 'runs'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(parent.stdout, 'data')
  parent.kill('SIGKILL')
  await eventually('the child is gone', async () => (await living(await pids(folder))).length === 0)
})
