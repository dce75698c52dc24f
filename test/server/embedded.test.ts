import { Client, Connection } from '@temporalio/client'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { searchAttributePairs, searchAttributeTypes } from '#contracts/search-attributes'
import { type EmbeddedServer, stopRecordedServer } from '#server/embedded'
import { identifyProcess, isAlive, processesWithArguments } from '#server/process-identity'
import { TypedSearchAttributes } from '@temporalio/common'
import { eventually, newHome, start } from './homes.ts'

async function clientOf(server: EmbeddedServer): Promise<Client> {
  const connection = await Connection.connect(server.connection)
  onTestFinished(() => connection.close())
  return new Client({ connection, namespace: server.namespace })
}

async function startWorkflow(server: EmbeddedServer, workflowId: string): Promise<void> {
  const client = await clientOf(server)
  const typedSearchAttributes = new TypedSearchAttributes(
    searchAttributePairs({ Pr: 7, Deadline: new Date(), Repo: 'shop' }),
  )
  await client.workflow.start('nobodyRunsThis', { workflowId, taskQueue: 'none', typedSearchAttributes })
}

/** Local addresses on which the process listens, as the kernel writes them: hexadecimal, 0100007F is 127.0.0.1. */
function listening(pid: number): string[] {
  const sockets = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`))
  return ['tcp', 'tcp6'].flatMap((table) => {
    const rows = readFileSync(`/proc/net/${table}`, 'utf8').trim().split('\n').slice(1)
    const fields = rows.map((row) => row.trim().split(/\s+/))
    const own = fields.filter(
      ([, , , state, , , , , , inode]) => state === '0A' && sockets.includes(`socket:[${inode}]`),
    )
    return own.map(([, address]) => (address as string).split(':')[0] as string)
  })
}

async function startInChild(home: string, mode: string): Promise<{ child: ChildProcess; serverPid: number }> {
  const script = fileURLToPath(new URL('fixtures/start-and-hang.ts', import.meta.url))
  const child = spawn(process.execPath, [script, home, mode], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [line] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer]
  return { child, serverPid: Number(line.toString()) }
}

describe('a started server', () => {
  it('has its namespace, kept for 90 days', async () => {
    const server = await start(await newHome())
    const client = await clientOf(server)
    const { config } = await client.workflowService.describeNamespace({ namespace: 'switchyard' })
    expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(90 * 24 * 60 * 60)
  })

  it('has every search attribute, and takes them at once', async () => {
    const server = await start(await newHome())
    const client = await clientOf(server)
    const { customAttributes } = await client.connection.operatorService.listSearchAttributes({
      namespace: 'switchyard',
    })
    expect(Object.keys(customAttributes ?? {})).toEqual(expect.arrayContaining(Object.keys(searchAttributeTypes)))
    await startWorkflow(server, 'one')
    await eventually('the workflow is found by its search attributes', async () => {
      return (await client.workflow.count("Pr = 7 AND Repo = 'shop'")).count === 1
    })
  })

  it.runIf(process.platform === 'linux')('listens on loopback only', async () => {
    const { pid } = await start(await newHome())
    const addresses = listening(pid)
    expect(addresses.length).toBeGreaterThanOrEqual(4)
    expect(new Set(addresses)).toEqual(new Set(['0100007F']))
  })

  it('serves the Web UI', async () => {
    const { webUi } = await start(await newHome())
    await eventually('the Web UI answers', async () => (await fetch(`${webUi}/`).catch(() => null))?.ok === true)
  })

  it('is gone when stopped', async () => {
    const server = await start(await newHome())
    const identity = await identifyProcess(server.pid)
    await server.stop()
    expect(identity && (await isAlive(identity))).toBe(false)
  })

  it('is told as exited when it is killed', async () => {
    const server = await start(await newHome())
    process.kill(server.pid, 'SIGKILL')
    expect(await server.exited).toEqual({ code: null, signal: 'SIGKILL' })
  })
})

describe('a server started again', () => {
  it('has what was acknowledged before it was killed', async () => {
    const home = await newHome()
    const first = await start(home, { synchronous: 'full' })
    await startWorkflow(first, 'kept')
    process.kill(first.pid, 'SIGKILL')
    await first.exited
    const client = await clientOf(await start(home, { synchronous: 'full' }))
    expect((await client.workflow.getHandle('kept').describe()).status.name).toBe('RUNNING')
  })

  it('takes the same ports, so that Web UI addresses stay valid', async () => {
    const home = await newHome()
    const first = await start(home)
    await first.stop()
    const second = await start(home)
    expect([second.address, second.webUi]).toEqual([first.address, first.webUi])
  })

  it('takes another port where the last one is taken', async () => {
    const home = await newHome()
    const first = await start(home)
    await first.stop()
    const port = Number(new URL(first.webUi as string).port)
    const blocker = createServer().listen(port, '127.0.0.1')
    await once(blocker, 'listening')
    onTestFinished(() => void blocker.close())
    expect((await start(home)).webUi).not.toBe(first.webUi)
  })

  it('is not hindered by a record that is cut in the middle', async () => {
    const home = await newHome()
    const first = await start(home)
    await first.stop()
    await writeFile(join(home, 'temporal', 'server.json'), '{"ports":')
    expect((await start(home)).adopted).toBe(false)
  })
})

describe('a server that runs already', () => {
  it('is adopted when its starter was killed', async () => {
    const home = await newHome()
    const { child, serverPid } = await startInChild(home, 'stays')
    child.kill('SIGKILL')
    await once(child, 'exit')
    const server = await start(home)
    expect([server.adopted, server.pid]).toEqual([true, serverPid])
  })

  it('is ended by the one that adopted it', async () => {
    const home = await newHome()
    const { child, serverPid } = await startInChild(home, 'stays')
    const identity = await identifyProcess(serverPid)
    child.kill('SIGKILL')
    await (await start(home)).stop()
    expect(identity && (await isAlive(identity))).toBe(false)
  })

  it('is ended through its record', async () => {
    const home = await newHome()
    const server = await start(home)
    const identity = await identifyProcess(server.pid)
    expect(await stopRecordedServer(home)).toBe(true)
    expect(identity && (await isAlive(identity))).toBe(false)
  })

  it('is replaced when its record is lost', async () => {
    const home = await newHome()
    const lost = await start(home)
    await rm(join(home, 'temporal', 'server.json'))
    const server = await start(home)
    expect([server.adopted, (await lost.exited).signal === null]).toEqual([false, true])
  })

  it('is replaced when it does not answer', async () => {
    const home = await newHome()
    const stuck = await start(home)
    process.kill(stuck.pid, 'SIGSTOP')
    const server = await start(home)
    expect(server.pid).not.toBe(stuck.pid)
  }, 60_000)

  it('is one, however many start it at once', async () => {
    const home = await newHome()
    const servers = await Promise.all([start(home), start(home), start(home)])
    expect(new Set(servers.map((server) => server.pid)).size).toBe(1)
    expect(await processesWithArguments('start-dev', join(home, 'temporal', 'server.db'))).toHaveLength(1)
  })

  it('is one, when two processes start it at once', async () => {
    const home = await newHome()
    const [one, two] = await Promise.all([startInChild(home, 'stays'), startInChild(home, 'stays')])
    expect(one.serverPid).toBe(two.serverPid)
  })
})

it('ends with its starter where that was asked for, even after a SIGKILL', async () => {
  const home = await newHome()
  const { child, serverPid } = await startInChild(home, 'ends-with-parent')
  const identity = await identifyProcess(serverPid)
  child.kill('SIGKILL')
  await eventually('the server ends', async () => identity !== null && !(await isAlive(identity)))
})

it('a server that can not start says why, with the end of its log', async () => {
  const home = await newHome()
  await start(home).then((server) => server.stop())
  await writeFile(join(home, 'temporal', 'server.db'), 'this is no database at all, and long enough to be seen as none')
  await rm(join(home, 'temporal', 'server.db-wal'), { force: true })
  await expect(start(home)).rejects.toThrow(/does not start.*not a database|ends at once.*not a database/s)
  expect(await readFile(join(home, 'logs', 'temporal-server.log'), 'utf8')).toContain('not a database')
})
