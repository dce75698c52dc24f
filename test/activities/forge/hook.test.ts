import { randomUUID } from 'node:crypto'
import { appendFile, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import { beforeEach, describe, expect, it } from 'vitest'
import { createLocalForge, installHooks } from '#activities/forge/local'
import { spoolOf, takeSpool, type SpoolOptions } from '#activities/forge/spool'
import { LedgerError } from '#ledger/port'
import { localWorld, type LocalWorld } from './worlds.ts'

let world: LocalWorld
beforeEach(async () => {
  world = await localWorld()
  return () => world.close()
})

const tip = (branch: string) => world.forge.branch('shop', branch)

describe('a protected branch', () => {
  const commit = (message: string) => world.sample.commit({ files: { [`${message}.txt`]: message }, message })

  it('refuses a direct push, and says what to do instead', async () => {
    const before = await tip('main')
    await commit('direct')
    const { exitCode, stderr } = await world.gitPush([world.gitDir, 'main'])
    expect(exitCode).not.toBe(0)
    expect(stderr).toContain('main of shop is protected')
    expect(stderr).toContain('switchyard pr create')
    expect(await tip('main')).toBe(before)
  })

  it('takes a direct push that asks for it, and audits who made it', async () => {
    const sha = await commit('direct')
    const actor = { SWITCHYARD_USER: "ann's\tpush\nother" }
    expect((await world.gitPush(['-o', 'allow-direct', world.gitDir, 'main'], actor)).exitCode).toBe(0)
    expect(await tip('main')).toBe(sha)
    await world.forge.takeHints('shop', 10)
    expect(await world.ledger.audit({ repo: 'shop' })).toMatchObject([
      { action: 'branch.pushed-direct', actor: "ann'spushother", details: { branch: 'main', to: sha } },
    ])
  })

  it.each([
    ['the e-mail of git where no user is named', '[user]\n\temail = bob@example.test\n', 'bob@example.test'],
    ['the committer of the new tip where git knows nobody', '', 'ada@example.test'],
  ])('audits %s', async (_, content, actor) => {
    const config = join(world.sample.path, '..', 'gitconfig')
    await writeFile(config, content)
    await commit('direct')
    await world.gitPush(['-o', 'allow-direct', world.gitDir, 'main'], { GIT_CONFIG_GLOBAL: config })
    await world.forge.takeHints('shop', 10)
    expect((await world.ledger.audit({})).map((entry) => entry.actor)).toEqual([actor])
  })

  it('is never deleted nor moved back, even with permission', async () => {
    const before = (await world.push('main')) as string
    expect((await world.gitPush(['-o', 'allow-direct', world.gitDir, ':main'])).stderr).toContain("can't be deleted")
    const back = await world.gitPush(['-o', 'allow-direct', world.gitDir, `+${before}~1:refs/heads/main`])
    expect(back.stderr).toContain('only moves forward')
    expect(await tip('main')).toBe(before)
  })

  it('leaves other branches free, also to force', async () => {
    await world.push('feature')
    expect((await world.gitPush([world.gitDir, '+main:refs/heads/feature'])).exitCode).toBe(0)
    expect((await world.gitPush([world.gitDir, ':feature'])).exitCode).toBe(0)
    expect(await tip('feature')).toBeNull()
  })

  it('is protected from the next install on, whatever its name', async () => {
    const names = ["it's", '$(touch-x)', 'c++', 'fix/#12']
    await installHooks(world.gitDir, { repo: "the 'shop' $(x)", protectedBranches: names })
    for (const name of names) {
      const pushed = await world.gitPush([world.gitDir, `main:refs/heads/${name}`])
      expect([name, pushed.exitCode]).toEqual([name, 1])
    }
    expect((await world.gitPush([world.gitDir, 'main:refs/heads/abc'])).exitCode).toBe(0)
  })
})

it('refuses to protect what can be no branch', async () => {
  const installed = installHooks(world.gitDir, { repo: 'shop', protectedBranches: ['a*'] })
  await expect(installed).rejects.toThrow('contains "*"')
})

describe('installing the hooks', () => {
  const options = { repo: 'shop', protectedBranches: ['main'] }
  const hook = (name: string) => join(world.gitDir, 'hooks', name)

  it('changes nothing when nothing changed', async () => {
    const before = await stat(hook('pre-receive'))
    await installHooks(world.gitDir, options)
    expect((await stat(hook('pre-receive'))).ino).toBe(before.ino)
    expect((await readdir(join(world.gitDir, 'hooks'))).sort()).toEqual(['post-receive', 'pre-receive'])
    const config = await readFile(join(world.gitDir, 'config'), 'utf8')
    expect(config.match(/advertisePushOptions/gi)).toHaveLength(1)
  })

  it("keeps somebody else's hook", async () => {
    await writeFile(hook('pre-receive'), '#!/bin/sh\nexit 0\n')
    await expect(installHooks(world.gitDir, options)).rejects.toThrow("is not Switchyard's")
    expect(await readFile(hook('pre-receive'), 'utf8')).toBe('#!/bin/sh\nexit 0\n')
  })
})

describe('the spool', () => {
  let spool: string
  beforeEach(async () => {
    spool = spoolOf(world.gitDir)
    await mkdir(dirname(spool), { recursive: true })
  })
  const line = (name: string) => `push\t\trefs/heads/${name}\t${'0'.repeat(40)}\t${'1'.repeat(40)}\t1\t\n`
  const files = () => readdir(dirname(spool))
  async function take(options: SpoolOptions = { settle: 0 }): Promise<string[]> {
    const refs: string[] = []
    await takeSpool(spool, async (pushes) => void refs.push(...pushes.map(({ ref }) => ref)), options)
    return refs.map((ref) => ref.slice('refs/heads/'.length))
  }
  const failing = () => Promise.reject(new LedgerError('busy', 'The ledger is in use.'))

  it('never fails a push, also when it is gone', async () => {
    await rm(dirname(spool), { recursive: true, force: true })
    expect((await world.gitPush([world.gitDir, 'main:refs/heads/other'])).exitCode).toBe(0)
    expect(await take()).toEqual([])
  })

  it('loses no line that a hook writes while it is read', async () => {
    await appendFile(spool, line('a'))
    const first = await take()
    const late = (await files()).find((name) => name.includes('.taken.')) ?? ''
    await appendFile(join(dirname(spool), late), line('late'))
    await appendFile(spool, line('b'))
    expect([first, await take()]).toEqual([['a'], ['late', 'b']])
  })

  it('loses nothing of a line that was half written when it was read', async () => {
    const half = line('b').slice(0, 20)
    await appendFile(spool, line('a') + half)
    const first = await take()
    const late = (await files()).find((name) => name.includes('.taken.')) ?? ''
    await appendFile(join(dirname(spool), late), line('b').slice(20))
    expect([first, await take()]).toEqual([['a'], ['b']])
  })

  it('keeps what was read until no hook can have it open any more', async () => {
    await appendFile(spool, line('a'))
    await take({ settle: 60_000 })
    await take({ settle: 60_000 })
    expect((await files()).filter((name) => name.includes('.taken.'))).toHaveLength(1)
  })

  it('leaves no file behind', async () => {
    await world.push('a')
    expect(await take()).toEqual(['a'])
    await take()
    expect(await files()).toEqual([])
  })

  it('gives each push to one of several readers', async () => {
    await world.push('a')
    await world.push('b')
    const taken = (await Promise.all([1, 2, 3, 4].map(() => take()))).flat()
    expect(taken.sort()).toEqual(['a', 'b'])
  })

  it('ignores a line that is no push', async () => {
    await appendFile(spool, 'rubbish\npush\t\t../x\t1\t2\t3\t\n')
    expect(await take()).toEqual([])
  })

  it('gives again what could not be stored', async () => {
    await appendFile(spool, line('a'))
    await expect(takeSpool(spool, failing)).rejects.toMatchObject({ kind: 'busy' })
    await appendFile(spool, line('b'))
    expect(await take()).toEqual(['a', 'b'])
    await take()
    expect(await files()).toEqual([])
  })

  it('gives again what a process was killed with, at its first look and at its last', async () => {
    const dead = (await execa(process.execPath, ['-p', 'process.pid'])).stdout
    const claim = (look: string, stored: number) => `${spool}.${look}.${stored}.${dead}.${randomUUID()}`
    await appendFile(claim('first', 0), line('a'))
    await appendFile(claim('last', line('b').length), line('b') + line('late'))
    expect((await take()).sort()).toEqual(['a', 'late'])
    await take()
    expect(await files()).toEqual([])
  })

  it('takes nothing from a process that is at work on it', async () => {
    await appendFile(`${spool}.first.0.${process.ppid}.${randomUUID()}`, line('a'))
    expect(await take()).toEqual([])
    expect(await files()).toHaveLength(1)
  })
})

describe('a direct push', () => {
  const repositories = () => [{ name: 'shop', gitDir: world.gitDir }]

  it.each(['audit', 'hints'])('is audited once and told, also when the ledger is busy with its %s', async (part) => {
    const { ledger } = world
    const busy = new LedgerError('busy', 'The ledger is in use.')
    const tables = new Proxy(ledger.tables, {
      get: (target, key) => {
        if (key === 'transaction' && part === 'hints') throw busy
        const value: unknown = Reflect.get(target, key, target)
        return typeof value === 'function' ? (value.bind(target) as unknown) : value
      },
    })
    const audit = part === 'audit' ? () => Promise.reject(busy) : ledger.appendAudit
    const troubled = createLocalForge({ tables, repositories: repositories(), audit })
    await world.push('main')
    await expect(troubled.takeHints('shop', 10)).rejects.toMatchObject({ kind: 'busy' })
    expect(await world.forge.takeHints('shop', 10)).toMatchObject([{ kind: 'push', number: null, ref: 'main' }])
    expect(await ledger.audit({ repo: 'shop' })).toHaveLength(1)
  })
})
