import { mkdir, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createIsolation } from '#activities/tests/isolation'
import { findToolchain } from '#activities/tests/toolchain'
import type { CommandRunner } from '#activities/tests/port'
import { defaultLimits } from '#domain/limits'
import { createFixture, type Fixture } from './support.ts'

const canary = 'canary-9f2b-secret'
let fixture: Fixture
let runner: CommandRunner
let commit: string
let server: Server
let connections = 0

beforeAll(async () => {
  fixture = await createFixture()
  await mkdir(join(fixture.home, 'ledger'), { recursive: true })
  await writeFile(join(fixture.home, 'ledger', 'ledger.sqlite'), canary)
  await writeFile(join(fixture.root, 'credentials'), canary)
  commit = await fixture.commit({ 'readme.md': 'hello\n' })
  runner = fixture.runner({ env: { ...process.env, DEPLOY_TOKEN: canary, ALLOWED: 'yes-it-is-here' } })
  server = createServer(() => (connections += 1))
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
})

afterAll(async () => {
  server.close()
  await fixture.remove()
})

const inside = (run: string, rest = {}) => fixture.run(runner, commit, { run, ...rest })

describe('code in a sandbox', () => {
  test('reports bubblewrap as the isolation', () => {
    expect(runner.isolation().mode).toBe('bubblewrap')
  })

  test('sees its tree', async () => {
    expect(await inside('cat readme.md')).toMatchObject({ conclusion: 'passed', stdout: 'hello\n', isolated: true })
  })

  test('has a clean environment', async () => {
    const { stdout } = await inside('env | cut -d= -f1 | sort')
    const names = stdout
      .trim()
      .split('\n')
      .filter((name) => !['_', 'PWD', 'SHLVL', 'OLDPWD', 'RUSTUP_HOME'].includes(name))
    expect(names).toEqual(['CI', 'HOME', 'LANG', 'PATH', 'TERM', 'TMPDIR'])
  })

  test('gets the variables that the policy names', async () => {
    expect((await inside('echo $ALLOWED', { env: ['ALLOWED'] })).conclusion).toBe('passed')
    expect((await inside('test "$ALLOWED" = yes-it-is-here', { env: ['ALLOWED'] })).conclusion).toBe('passed')
  })

  test('has the values of such variables masked in its log and output', async () => {
    const { text, stdout } = await inside('echo "token: $DEPLOY_TOKEN"', { env: ['DEPLOY_TOKEN'] })
    expect(text).toContain('token: ')
    expect(text + stdout).not.toContain(canary)
  })

  test("does not find the worker's environment in /proc", async () => {
    const { conclusion } = await inside(`! cat /proc/*/environ | grep -q ${canary.slice(0, -3)}'ret'`)
    expect(conclusion).toBe('passed')
  })

  test('sees only its own processes', async () => {
    const { stdout } = await inside('ls -d /proc/[0-9]* | wc -l')
    expect(Number(stdout)).toBeLessThanOrEqual(6)
  })

  test('does not see the state folder, the ledger or the repository', async () => {
    const paths = [fixture.home, join(fixture.home, 'ledger', 'ledger.sqlite'), fixture.gitDir]
    for (const path of paths) expect((await inside(`test -e '${path}'`)).conclusion).toBe('failed')
  })

  test('does not see files of the user', async () => {
    const paths = [
      join(fixture.root, 'credentials'),
      '/etc/shadow',
      '"$OLDHOME"/.ssh',
      '/root/.npmrc',
      '/run/docker.sock',
    ]
    expect((await inside(paths.map((path) => `test -e ${path}`).join(' || '))).conclusion).toBe('failed')
  })

  test('has no git directory', async () => {
    expect((await inside('find / -xdev -name HEAD -path "*/git/*" 2>/dev/null | grep .')).conclusion).toBe('failed')
  })

  test('reaches no port of this host', async () => {
    const { port } = server.address() as AddressInfo
    const program = `require("net").connect(${port},"127.0.0.1").on("error",()=>process.exit(3)).on("connect",()=>process.exit(0))`
    expect((await inside(`node -e '${program}'`)).exitCode).toBe(3)
    expect(connections).toBe(0)
  })

  test('can write its tree, HOME and TMPDIR', async () => {
    expect((await inside('touch x && touch "$HOME/x" && mktemp && touch /tmp/x')).conclusion).toBe('passed')
  })

  test('starts with an empty HOME and TMPDIR', async () => {
    await inside('touch "$HOME/.profile" "$TMPDIR/left"')
    expect((await inside('ls -A "$HOME" "$TMPDIR" | grep -v :')).stdout.trim()).toBe('')
  })

  test.each(['/usr/x', '/x', '/etc/x', '/root/x'])('can not write %s', async (path) => {
    expect((await inside(`touch ${path}`)).conclusion).toBe('failed')
  })

  test('has no capabilities', async () => {
    expect((await inside('grep CapEff /proc/self/status')).stdout).toMatch(/CapEff:\s+0+\n/)
  })

  test('finds the tools of the worker', async () => {
    expect((await inside('node --version && git --version')).conclusion).toBe('passed')
  })
})

describe('a toolchain', () => {
  test('never shows HOME, an ancestor of it, or a credentials file beside a bin folder', async () => {
    const home = join(fixture.root, 'person')
    await mkdir(join(home, '.cargo', 'bin'), { recursive: true })
    await mkdir(join(home, 'bin'), { recursive: true })
    await writeFile(join(home, '.cargo', 'credentials.toml'), canary)
    const path = [home, fixture.root, join(home, 'bin'), join(home, '.cargo', 'bin'), 'relative', ''].join(':')
    const { visible, path: kept } = findToolchain({ HOME: home, PATH: path }, [])
    expect(visible.filter((folder) => folder.startsWith(fixture.root))).toEqual([
      join(home, 'bin'),
      join(home, '.cargo', 'bin'),
    ])
    expect(kept).toBe(`${join(home, 'bin')}:${join(home, '.cargo', 'bin')}`)
  })

  test('never shows the state folder, whatever PATH says', async () => {
    const state = join(fixture.root, 'tools', 'lib', 'state')
    await mkdir(join(state, 'bin'), { recursive: true })
    await mkdir(join(fixture.root, 'tools', 'bin'), { recursive: true })
    const path = [join(state, 'bin'), state, join(fixture.root, 'tools', 'bin')].join(':')
    const { visible } = findToolchain({ HOME: '/nowhere', PATH: path }, [state])
    expect(visible.filter((folder) => folder.startsWith(fixture.root))).toEqual([join(fixture.root, 'tools', 'bin')])
  })

  test('shows where a tool really is when PATH has a link to it', async () => {
    const real = join(fixture.root, 'real', 'tool-1.0')
    const bin = join(fixture.root, 'person', '.local', 'bin')
    await mkdir(join(real, 'bin'), { recursive: true })
    await mkdir(join(real, 'lib'), { recursive: true })
    await mkdir(bin, { recursive: true })
    await writeFile(join(real, 'bin', 'tool'), '')
    const { symlink } = await import('node:fs/promises')
    await symlink(join(real, 'bin', 'tool'), join(bin, 'tool'))
    const { visible } = findToolchain({ HOME: join(fixture.root, 'person'), PATH: bin }, [])
    expect(visible).toEqual(expect.arrayContaining([bin, join(real, 'bin'), join(real, 'lib')]))
  })
})

describe('a state folder below a folder that the sandbox shows', () => {
  test('is empty inside', async () => {
    const isolation = createIsolation({ required: true, env: process.env, hidden: ['/usr/share'] })
    const slot = { tree: fixture.root, home: fixture.root, temp: fixture.root, marks: fixture.root }
    const { args } = isolation.wrap({
      shell: 'true',
      slot,
      kept: [],
      network: false,
      env: {},
      hidden: ['/usr/lib/git-core'],
      limits: defaultLimits,
    })
    const text = args.join(' ')
    expect(text).toContain('--tmpfs /usr/share --remount-ro /usr/share')
    expect(text).toContain('--tmpfs /usr/lib/git-core')
  })
})

describe('without a working bubblewrap', () => {
  const withoutBubblewrap = { ...process.env, PATH: '/nonexistent' }

  test('a required isolation is an infrastructure result that says what to do', async () => {
    const outcome = await fixture.run(fixture.runner({ env: withoutBubblewrap }), commit, {})
    expect(outcome).toMatchObject({
      conclusion: 'infrastructure',
      reason: 'isolation: required, but bubblewrap is not installed; install bubblewrap or set isolation: none',
    })
  })

  test('"none" says that it is for trusted code only', () => {
    expect(fixture.runner({ isolation: 'none' }).isolation()).toMatchObject({
      mode: 'none',
      detail: expect.stringContaining('trusted code only'),
    })
  })

  test('"none" still gives a clean environment', async () => {
    const trusting = fixture.runner({ isolation: 'none', env: { ...process.env, DEPLOY_TOKEN: canary } })
    const { stdout, isolated } = await fixture.run(trusting, commit, { run: 'env' })
    expect(stdout).not.toContain(canary)
    expect(isolated).toBe(false)
  })
})
