import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { execa } from 'execa'
import { Client } from 'pg'

export type PostgresServer = {
  /** Without a database at its end: `${url}/postgres`. Its user may make databases. */
  url: string
  /** Ends the server as a crash would, and starts it again on the same port with what it had kept. */
  crash(): Promise<void>
  /** Takes the server away until `crash` brings it back. */
  kill(): Promise<void>
  remove(): Promise<void>
}

const START_MS = 30_000
const TRIES = 3

/** The folder of `initdb` and `postgres`; null where PostgreSQL is not installed. */
export function findPostgres(): string | null {
  const packaged = '/usr/lib/postgresql'
  const versions = existsSync(packaged) ? readdirSync(packaged).sort((a, b) => Number(b) - Number(a)) : []
  const folders = [
    ...versions.map((version) => join(packaged, version, 'bin')),
    ...(process.env['PATH'] ?? '').split(delimiter),
  ]
  return folders.find((folder) => ['initdb', 'postgres'].every((name) => existsSync(join(folder, name)))) ?? null
}

/**
 * A server of its own in a temporary folder, on the loopback interface. A commit survives the death of the server, not
 * that of the machine: `fsync` is off. Texts are sorted as English is, so that a column that must not be shows it.
 */
export async function startPostgres(bin: string): Promise<PostgresServer> {
  const account = await unprivileged()
  const folder = await mkdtemp(join(openFolder(account !== null), 'switchyard-postgres-'))
  if (account) await chown(folder, account.uid, account.gid)
  const password = randomBytes(12).toString('hex')
  try {
    await makeCluster(bin, folder, password, account)
    return await startOnFreePort(bin, folder, password, account)
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

type Account = { uid: number; gid: number } | null

/** PostgreSQL refuses to run as root. */
async function unprivileged(): Promise<Account> {
  if (process.getuid?.() !== 0) return null
  for (const name of ['postgres', 'nobody']) {
    const ids = await Promise.all(['-u', '-g'].map((flag) => execa('id', [flag, name], { reject: false })))
    const [uid, gid] = ids.map(({ exitCode, stdout }) => (exitCode === 0 ? Number(stdout) : null))
    if (uid && gid) return { uid, gid }
  }
  throw new Error('PostgreSQL needs an account other than root, and there is neither `postgres` nor `nobody`.')
}

/** A temporary folder that the other account reaches, too: one that only root may enter is passed over. */
function openFolder(forOthers: boolean): string {
  const reachable = (path: string): boolean =>
    existsSync(path) && (statSync(path).mode & 0o001) !== 0 && (path === '/' || reachable(dirname(path)))
  const folders = [tmpdir(), '/tmp', '/var/tmp']
  return (forOthers ? folders.find(reachable) : undefined) ?? tmpdir()
}

async function makeCluster(bin: string, folder: string, password: string, account: Account): Promise<void> {
  const file = join(folder, 'password')
  await writeFile(file, password)
  if (account) await chown(file, account.uid, account.gid)
  const usual = [
    '-D',
    join(folder, 'data'),
    '-U',
    'switchyard',
    '-A',
    'scram-sha-256',
    `--pwfile=${file}`,
    '-E',
    'UTF8',
  ]
  const options = { cwd: folder, ...account, env: { LC_ALL: 'C.UTF-8', TZ: 'UTC' } }
  const english = ['--locale-provider=icu', '--icu-locale=en-US']
  const made = await execa(join(bin, 'initdb'), [...usual, '-N', ...english], { ...options, reject: false })
  // Before version 15 the cluster's own language is the system's.
  if (made.exitCode !== 0) {
    await rm(join(folder, 'data'), { recursive: true, force: true })
    await execa(join(bin, 'initdb'), [...usual, '-N'], options)
  }
  await rm(file)
}

/** Between the look for a free port and its use another process may take it. */
async function startOnFreePort(bin: string, folder: string, password: string, account: Account) {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort()
    const url = `postgres://switchyard:${password}@127.0.0.1:${port}`
    try {
      let server = await start(bin, folder, port, url, account)
      const kill = async () => end(server, 'SIGQUIT')
      return {
        url,
        kill,
        async crash() {
          await kill()
          server = await start(bin, folder, port, url, account)
        },
        async remove() {
          await end(server, 'SIGINT')
          await rm(folder, { recursive: true, force: true })
        },
      }
    } catch (error) {
      if (attempt === TRIES) throw error
    }
  }
}

/** In our process group, and not by `pg_ctl`, which would make it a daemon: whoever ends the tests ends it, too. */
async function start(bin: string, folder: string, port: number, url: string, account: Account): Promise<ChildProcess> {
  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'fsync=off', 'shared_buffers=32MB']
  const args = ['-D', join(folder, 'data'), '-p', String(port), ...settings.flatMap((each) => ['-c', each])]
  const env = { LC_ALL: 'C.UTF-8', TZ: 'UTC' }
  const server = spawn(join(bin, 'postgres'), args, {
    ...{ cwd: folder, env, ...account },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  server.stderr.on('data', (chunk) => (said = `${said}${String(chunk)}`.slice(-4_000)))
  const deadline = Date.now() + START_MS
  while (!(await answers(url))) {
    if (server.exitCode !== null || server.signalCode !== null) throw new Error(`PostgreSQL did not start: ${said}`)
    if (Date.now() > deadline) {
      await end(server, 'SIGQUIT')
      throw new Error(`PostgreSQL did not answer in ${START_MS} ms: ${said}`)
    }
    await delay(25)
  }
  return server
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: `${url}/postgres`, connectionTimeoutMillis: 2_000 })
  client.on('error', () => undefined)
  return client.connect().then(
    () => client.end().then(() => true),
    () => false,
  )
}

async function end(server: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  const exit = once(server, 'exit')
  server.kill(signal)
  await exit
}

async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
