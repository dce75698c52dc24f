import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawn, type ChildProcess } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createIsolation } from '#activities/tests/isolation'
import { runProcess } from '#activities/process/run'
import { defaultLimits } from '#domain/limits'
import { filesBelow, leaks } from '../e2e/leftovers.ts'
import { createFixture, type Fixture, type Outcome } from '../activities/tests/support.ts'

const secret = (where: string) => `canary-${where}-${randomBytes(12).toString('hex')}`
const canaries = {
  environment: secret('environment'),
  ledger: secret('ledger'),
  forge: secret('forge'),
  kept: secret('kept'),
  home: secret('home'),
  temp: secret('temp'),
  port: secret('port'),
  socket: secret('socket'),
  process: secret('process'),
}
type Place = keyof typeof canaries

let fixture: Fixture
let commit: string
let elsewhere: string
let servers: Server[]
let neighbour: ChildProcess
let homeFile: string
let ways: Record<Place, string[]>

/** Says what a server answers at an address, a path or an abstract name. */
const ask = `
import socket, sys
target = sys.argv[1]
if ':' in target:
    host, port = target.rsplit(':', 1)
    client = socket.create_connection((host, int(port)), 1)
else:
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(2)
    client.connect(target.replace('@', chr(0)))
print(client.recv(200).decode())
`

beforeAll(async () => {
  fixture = await createFixture()
  elsewhere = await mkdtemp(join(tmpdir(), 'switchyard-other-user-'))
  homeFile = join(homedir(), `.switchyard-canary-${process.pid}`)
  const forge = join(fixture.home, 'forge', 'other.git')
  for (const folder of ['ledger', 'forge/other.git', 'kept/0abc/node_modules']) {
    await mkdir(join(fixture.home, folder), { recursive: true })
  }
  const planted: [string, Place][] = [
    [join(fixture.home, 'ledger', 'ledger.db'), 'ledger'],
    [join(forge, 'config'), 'forge'],
    [join(fixture.home, 'kept', '0abc', 'node_modules', 'x'), 'kept'],
    [homeFile, 'home'],
    [join(elsewhere, 'credentials'), 'temp'],
  ]
  for (const [file, place] of planted) await writeFile(file, canaries[place], { mode: 0o644 })
  neighbour = spawn('sleep', ['900'], { env: { TOKEN: canaries.process }, stdio: 'ignore' })
  const port = await listening('port', { port: 0, host: '127.0.0.1' })
  const everywhere = await listening('port', { port: 0, host: '0.0.0.0' })
  const path = await listening('socket', { path: join(elsewhere, 'agent.sock') })
  const abstract = await listening('socket', { path: '\0switchyard-' + process.pid })
  servers = [port, everywhere, path, abstract]
  const portOf = (server: Server) => (server.address() as { port: number }).port
  const read = (file: string) => [
    `cat '${file}'`,
    `cat '/proc/1/root${file}'`,
    `cat '/proc/self/root${file}'`,
    `ln -s '${file}' l; cat l`,
  ]
  ways = {
    environment: [
      'env',
      'cat /proc/*/environ',
      `cat /proc/${process.pid}/environ`,
      'cat /proc/$PPID/environ',
      'ps auxe',
      `tr '\\0' '\\n' < /proc/1/environ`,
    ],
    ledger: [
      ...read(planted[0]![0]),
      `find /tmp /var /home /root /run /scratch -name ledger.db -exec cat {} +`,
      `cat /proc/*/cwd/ledger/ledger.db`,
    ],
    forge: [
      ...read(planted[1]![0]),
      `git config --file '${planted[1]![0]}' -l`,
      `git clone -q '${forge}' copy; grep -r canary copy`,
      'grep -rsh canary- /scratch /run',
    ],
    kept: [...read(planted[2]![0]), 'find /tmp /var /home /root /run /scratch -path "*/kept/*" -name x -exec cat {} +'],
    home: [
      ...read(homeFile),
      'cat ~root/.switchyard-canary-*',
      'cat /root/.switchyard-canary-* /home/*/.switchyard-canary-*',
    ],
    temp: [...read(planted[4]![0]), 'cat /tmp/*/credentials /var/tmp/*/credentials /dev/shm/*'],
    port: [
      `python3 ask.py 127.0.0.1:${portOf(port)}`,
      `python3 ask.py localhost:${portOf(everywhere)}`,
      `python3 ask.py '::1:${portOf(port)}'`,
      `for address in $(cut -d: -f1 /proc/net/tcp) $(hostname -I); do python3 ask.py $address:${portOf(everywhere)}; done`,
    ],
    socket: [
      `python3 ask.py '${join(elsewhere, 'agent.sock')}'`,
      `python3 ask.py '@switchyard-${process.pid}'`,
      'cat /proc/net/unix',
      'ls -R /run /var/run',
    ],
    process: [
      'cat /proc/*/environ',
      `cat /proc/${neighbour.pid}/environ`,
      'ps auxewww',
      `cat /proc/${neighbour.pid}/root/proc/self/environ`,
    ],
  }
  commit = await fixture.commit({ 'ask.py': ask })
})
afterAll(async () => {
  for (const server of servers ?? []) server.close()
  neighbour?.kill('SIGKILL')
  if (homeFile) await rm(homeFile, { force: true })
  if (elsewhere) await rm(elsewhere, { recursive: true, force: true })
  await fixture.remove()
})

async function listening(place: Place, where: { port: number; host: string } | { path: string }): Promise<Server> {
  const server = createServer((socket) => socket.on('error', () => {}).end(canaries[place]))
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(where, resolve))
  return server
}

/** All ways at once; what they find comes out whole, backwards and as base64, past any masking. */
function attempt(place: Place, tried = ways[place]): string {
  const all = tried.map((way) => `{ ${way}; } 2>&1`).join('\n')
  return `{ ${all}\n} > found; cat found; rev found; base64 -w 0 found`
}

async function inside(place: Place, network: boolean): Promise<Outcome> {
  const env = { ...process.env, DEPLOY_TOKEN: canaries.environment }
  return fixture.run(fixture.runner({ env, slots: 1 }), commit, { run: attempt(place), network, timeout: 60_000 })
}

function heldBy(text: string, canary: string): boolean {
  const backwards = [...canary].reverse().join('')
  const inBase64 = [0, 1, 2].map((shift) =>
    Buffer.from('x'.repeat(shift) + canary)
      .toString('base64')
      .slice(4, 40),
  )
  return [canary, backwards, encodeURIComponent(canary), ...inBase64].some((form) => text.includes(form))
}

describe('a secret does not reach a command from', { timeout: 60_000 }, () => {
  const places = Object.keys(canaries) as Place[]
  test.each(places)('the %s', async (place) => {
    const { text, stdout } = await inside(place, false)
    expect(ways[place].length).toBeGreaterThanOrEqual(4)
    expect(Object.values(canaries).filter((canary) => heldBy(text + stdout, canary))).toEqual([])
  })

  test('any of them with the network on', { timeout: 120_000 }, async () => {
    for (const place of ['port', 'socket'] as const) {
      const { text, stdout } = await inside(place, true)
      expect(Object.values(canaries).filter((canary) => heldBy(text + stdout, canary))).toEqual([])
    }
  })

  test('any of them through what Switchyard wrote', async () => {
    const logs = await filesBelow(join(fixture.home, 'logs'))
    expect(logs.length).toBeGreaterThan(0)
    expect(await leaks(Object.values(canaries), logs, {})).toEqual([])
  })
})

describe('these attempts', () => {
  /** The same commands without a sandbox: each kind must find what it looks for, or the tests above prove nothing. */
  test.each(['ledger', 'forge', 'kept', 'home', 'temp', 'port', 'socket', 'process'] as const)(
    'find the one from the %s where nothing protects it',
    async (place) => {
      const runner = fixture.runner({ isolation: 'none', slots: 1 })
      const { text } = await fixture.run(runner, commit, { run: attempt(place, ways[place].slice(0, 2)) })
      expect(heldBy(text, canaries[place])).toBe(true)
    },
  )

  test('find the state folder in a sandbox that shows it by mistake', async () => {
    const slot = { tree: join(fixture.root, 'work'), home: elsewhere, temp: elsewhere, marks: elsewhere }
    const isolation = createIsolation({ required: true, env: process.env, hidden: [] })
    const shell = `cat '${join(fixture.home, 'ledger', 'ledger.db')}'`
    const { command, args, cwd, env } = isolation.wrap({
      shell,
      slot,
      kept: [],
      network: false,
      env: {},
      hidden: [],
      limits: defaultLimits,
    })
    const seen = async (more: string[]) => {
      const at = args.lastIndexOf('--remount-ro')
      const all = [...args.slice(0, at), ...more, ...args.slice(at)]
      const limits = { timeout: 10_000, graceMs: 100, maxOutput: 10_000 }
      return (await runProcess({ command, args: all, cwd, env, ...limits })).stdout.toString()
    }
    expect(await seen([])).toBe('')
    expect(await seen(['--ro-bind', fixture.home, fixture.home])).toContain(canaries.ledger)
    expect(await readFile(join(fixture.home, 'ledger', 'ledger.db'), 'utf8')).toBe(canaries.ledger)
  })
})
