import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { connect, createServer, type AddressInfo, type Server } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findNetworks, findProgram } from '#activities/tests/network'
import type { CommandRunner } from '#activities/tests/port'
import { createFixture, eventually, processesWith, type Fixture } from './support.ts'

const helpers = ['pasta', 'slirp4netns'] as const
const isRoot = process.getuid?.() === 0
/** Without it, only the loopback is out of reach. */
const hasIp = findProgram('ip', process.env) !== null
const usable = (helper: string) => findProgram(helper, process.env) !== null && existsSync('/dev/net/tun')

let fixture: Fixture
let commit: string

beforeAll(async () => {
  fixture = await createFixture()
  commit = await fixture.commit({ 'connect.mjs': program })
})
afterAll(() => fixture.remove())

/** Says of each `address port` in its arguments whether it answers. */
const program = `
import { connect } from 'node:net'
const [,, ...targets] = process.argv
for (const target of targets) {
  const [host, port] = target.split(' ')
  const socket = connect({ host, port: Number(port), timeout: 700 })
  const answer = await new Promise((done) => {
    socket.on('connect', () => done('open')).on('error', () => done('closed')).on('timeout', () => done('closed'))
  })
  socket.destroy()
  console.log(answer)
}
`

const refusing = '#!/bin/sh\necho no tun device >&2; exit 1\n'

/** The PATH of this machine with other programs before it: scripts, or links to what is there. */
async function pathWith(name: string, programs: Record<string, string>): Promise<string> {
  const bin = join(fixture.root, name)
  await mkdir(bin)
  for (const [program, content] of Object.entries(programs)) {
    if (content.startsWith('#!')) await writeFile(join(bin, program), content, { mode: 0o755 })
    else await symlink(content, join(bin, program))
  }
  return `${bin}:${process.env['PATH']}`
}

async function listen(address: string, connected: () => void): Promise<{ server: Server; port: number } | null> {
  const server = createServer((socket) => {
    connected()
    socket.destroy()
  })
  try {
    server.listen(0, address)
    await once(server, 'listening')
    return { server, port: (server.address() as AddressInfo).port }
  } catch {
    return null
  }
}

/** A helper may lend the gateway's address to this host. */
function gateways(): string[] {
  const lines = execFileSync('sh', ['-c', 'ip route show default; ip -6 route show default'], { encoding: 'utf8' })
  return [...lines.matchAll(/via ([\da-f.:]+)/g)].map(([, address = '']) => address)
}

function hostAddresses(): string[] {
  const lines = execFileSync('ip', ['-o', 'addr', 'show', 'scope', 'global'], { encoding: 'utf8' })
  return [...lines.matchAll(/inet6? ([\da-f.:]+)\//g)].map(([, address = '']) => address)
}

describe.each(helpers.filter(usable))('code with a network through %s', (helper) => {
  let path: string
  let runner: CommandRunner
  const run = (shell: string, policy = {}, rest = {}) =>
    fixture.run(runner, commit, { run: shell, network: true, ...policy }, rest)

  beforeAll(async () => {
    const real = findProgram(helper, process.env) ?? ''
    path = await pathWith(`only-${helper}`, { pasta: refusing, slirp4netns: refusing, [helper]: real })
    runner = fixture.runner({ env: { ...process.env, PATH: path } })
  })

  test('is said to have a network of its own', () => {
    expect(runner.isolation()).toMatchObject({ network: 'own', detail: expect.stringContaining(helper) })
  })

  describe('finds no server of this host', () => {
    let connections = 0
    let servers: Server[] = []
    let targets: string
    let count: number

    beforeAll(async () => {
      const connected = () => (connections += 1)
      const loopback = await listen('127.0.0.1', connected)
      const sixth = await listen('::1', connected)
      const everywhere = await listen('0.0.0.0', connected)
      const everywhereSixth = await listen('::', connected)
      servers = [loopback, sixth, everywhere, everywhereSixth].flatMap((made) => (made ? [made.server] : []))
      const ways = [
        '127.0.0.1',
        '10.0.2.2',
        '::1',
        '::ffff:127.0.0.1',
        ...(hasIp ? [...gateways(), ...hostAddresses()] : []),
      ]
      const ports = [loopback, sixth, everywhere, everywhereSixth].flatMap((made) => (made ? [made.port] : []))
      const all = ways.flatMap((address) => ports.map((port) => `'${address} ${port}'`))
      targets = all.join(' ')
      count = all.length
    })
    afterAll(() => servers.forEach((server) => server.close()))

    test('from a check with "network: true"', async () => {
      const { stdout } = await run(`node connect.mjs ${targets}`, { timeout: 60_000 })
      expect(stdout).toBe('closed\n'.repeat(count))
      expect(connections).toBe(0)
    })

    test('from setup', async () => {
      const setup = `node connect.mjs ${targets} > found`
      const { stdout } = await run('cat found', { setup, timeout: 60_000 })
      expect(stdout).toBe('closed\n'.repeat(count))
      expect(connections).toBe(0)
    })
  })

  // A second network on this machine can be made by root alone, with iproute2.
  describe.skipIf(!isRoot || !hasIp)('reaches a server of another network', () => {
    let neighbour: Neighbour
    beforeAll(async () => {
      neighbour = await startNeighbour()
    })
    afterAll(() => neighbour.stop())

    test('from a check with "network: true"', async () => {
      expect((await run(`node connect.mjs '${neighbour.address}'`)).stdout).toBe('open\n')
    })

    test('from setup', async () => {
      const { stdout } = await run('cat found', { setup: `node connect.mjs '${neighbour.address}' > found` })
      expect(stdout).toBe('open\n')
    })

    test('but not one at an address where clouds keep credentials', async () => {
      expect(await answers(neighbour.credentials)).toBe(true)
      expect((await run(`node connect.mjs '${neighbour.credentials}'`)).stdout).toBe('closed\n')
    })

    test('but not without "network: true"', async () => {
      expect((await run(`node connect.mjs '${neighbour.address}'`, { network: false })).stdout).toBe('closed\n')
    })
  })

  test('has a resolver', async () => {
    expect((await run('grep -c ^nameserver /etc/resolv.conf')).stdout).toBe('1\n')
  })

  test('is the same user as without', async () => {
    expect((await run('id -u')).stdout).toBe((await run('id -u', { network: false })).stdout)
  })

  test('has no capabilities', async () => {
    expect((await run('grep CapEff /proc/self/status')).stdout).toMatch(/CapEff:\s+0+\n/)
  })

  test('sees only its own processes', async () => {
    expect(Number((await run('ls -d /proc/[0-9]* | wc -l')).stdout)).toBeLessThanOrEqual(6)
  })

  test('has its standard input, exit code and both streams', async () => {
    const outcome = await run('cat; echo oops >&2; exit 7', {}, { stdin: 'a diff\n' })
    expect(outcome).toMatchObject({ stdout: 'a diff\n', exitCode: 7, conclusion: 'failed' })
    expect(outcome.text).toBe('$ cat; echo oops >&2; exit 7\na diff\noops\n')
  })

  const left = () => processesWith(join(fixture.root, `only-${helper}`))

  test('leaves nothing behind when it ends', async () => {
    await run('setsid sleep 4799 & true')
    expect(left()).toEqual([])
  })

  test('leaves nothing behind when it takes too long', async () => {
    expect((await run('trap "" TERM; sleep 4798; sleep 4798', { timeout: 500 })).conclusion).toBe('timed-out')
    expect(left()).toEqual([])
  })

  test('leaves nothing behind when it is cancelled', async () => {
    const controller = new AbortController()
    const onStage = ({ stage }: { stage: string }) => {
      if (stage === 'running') setImmediate(() => controller.abort(new Error('a new head')))
    }
    await expect(run('sleep 4797', {}, { signal: controller.signal, onStage })).rejects.toThrow('a new head')
    expect(left()).toEqual([])
  })

  test('dies with a worker that is killed, before anybody looks at its slot', async () => {
    const script = join(import.meta.dirname, 'doomed-worker.ts')
    const worker = spawn(
      process.execPath,
      [script, fixture.home, fixture.gitDir, commit, 'required', 'sleep 4796; true', 'network'],
      { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, PATH: path } },
    )
    await eventually('the command runs', () => processesWith('sleep 4796').some((line) => /^\s*\d+ sleep/.test(line)))
    worker.kill('SIGKILL')
    await once(worker, 'exit')
    await eventually('all is dead', () => left().length === 0 && processesWith('sleep 4796').length === 0)
  })
})

describe('where no helper works', () => {
  test('none is found on a PATH without', () => {
    expect(findNetworks({ PATH: fixture.root })).toEqual([])
  })

  test('the isolation says that commands with a network reach this host, and why', async () => {
    const path = await pathWith('refusing-helpers', { pasta: refusing, slirp4netns: refusing })
    const runner = fixture.runner({ env: { ...process.env, PATH: path } })
    expect(runner.isolation()).toMatchObject({
      network: 'shared',
      detail: expect.stringContaining('can reach its services (pasta does not work here: no tun device'),
    })
    expect((await fixture.run(runner, commit, { network: true })).conclusion).toBe('passed')
  })

  test('one that shares the network after all is not taken for its own', async () => {
    const pasta = '#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done; shift; exec "$@"\n'
    const runner = fixture.runner({
      env: { ...process.env, PATH: await pathWith('false-helper', { pasta, slirp4netns: refusing }) },
    })
    expect(runner.isolation()).toMatchObject({ network: 'shared' })
  })
})

test.skipIf(!usable('pasta'))('a helper that breaks later is not the fault of the change', async () => {
  const real = findProgram('pasta', process.env)
  const broken = join(fixture.root, 'broken')
  const pasta = `#!/bin/sh\n[ ! -e ${broken} ] || { echo no route >&2; exit 1; }\nexec ${real} "$@"\n`
  const runner = fixture.runner({ env: { ...process.env, PATH: await pathWith('later-broken', { pasta }) } })
  expect(runner.isolation().network).toBe('own')
  await writeFile(broken, '')
  const outcome = await fixture.run(runner, commit, { network: true })
  await rm(broken)
  expect(outcome).toMatchObject({
    conclusion: 'infrastructure',
    reason: 'the sandbox did not start: no route',
  })
})

/** `credentials`: the same server by another address. */
type Neighbour = { address: string; credentials: string; stop(): Promise<void> }

async function answers(target: string): Promise<boolean> {
  const [host, port] = target.split(' ')
  const socket = connect({ host: host ?? '', port: Number(port) })
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** A server in another network namespace, joined to this one by a cable that goes with it. */
async function startNeighbour(): Promise<Neighbour> {
  const [here, there] = [`syh${process.pid}`, `syt${process.pid}`].map((name) => name.slice(0, 15)) as [string, string]
  const net = `198.18.${process.pid % 250}`
  const listening = 'require("net").createServer((s) => s.end()).listen(4700, "0.0.0.0", () => console.log("ready"))'
  const server: ChildProcess = spawn('unshare', ['--net', process.execPath, '-e', listening], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(server.stdout as NodeJS.ReadableStream, 'data')
  const ip = (...args: string[]) => execFileSync('ip', args)
  const inside = (...args: string[]) => execFileSync('nsenter', ['--net', '--target', `${server.pid}`, 'ip', ...args])
  ip('link', 'add', here, 'type', 'veth', 'peer', 'name', there, 'netns', `${server.pid}`)
  ip('addr', 'add', `${net}.1/30`, 'dev', here)
  ip('link', 'set', here, 'up')
  inside('addr', 'add', `${net}.2/30`, 'dev', there)
  inside('link', 'set', there, 'up')
  // Of the addresses of clouds, one that no machine uses today. The route goes with the cable.
  inside('addr', 'add', '192.0.0.192/32', 'dev', there)
  ip('route', 'add', '192.0.0.192', 'via', `${net}.2`, 'dev', here)
  return {
    address: `${net}.2 4700`,
    credentials: '192.0.0.192 4700',
    async stop() {
      server.kill('SIGKILL')
      await once(server, 'exit')
      await eventually('the cable is gone', () => !existsSync(`/sys/class/net/${here}`))
    },
  }
}
