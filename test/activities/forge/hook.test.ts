import { appendFile, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { installHooks } from '#activities/forge/local'
import { spoolOf, takeSpool } from '#activities/forge/spool'
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
  it('never fails a push, also when it is gone', async () => {
    await rm(dirname(spoolOf(world.gitDir)), { recursive: true, force: true })
    expect((await world.gitPush([world.gitDir, 'main:refs/heads/other'])).exitCode).toBe(0)
    expect(await takeSpool(spoolOf(world.gitDir))).toEqual([])
  })

  it('loses no line that a hook writes while it is read', async () => {
    const spool = spoolOf(world.gitDir)
    await mkdir(dirname(spool), { recursive: true })
    const line = (name: string) => `push\t\trefs/heads/${name}\t${'0'.repeat(40)}\t${'1'.repeat(40)}\t1\t\n`
    await appendFile(spool, line('a'))
    const first = await takeSpool(spool)
    const late = (await readdir(dirname(spool))).find((name) => name.includes('.taken.')) ?? ''
    await appendFile(join(dirname(spool), late), line('late'))
    await appendFile(spool, line('b'))
    const second = await takeSpool(spool)
    expect([...first, ...second].map(({ ref }) => ref)).toEqual(['refs/heads/a', 'refs/heads/late', 'refs/heads/b'])
  })

  it('gives each push to one of several readers', async () => {
    await world.push('a')
    await world.push('b')
    const taken = (await Promise.all([1, 2, 3, 4].map(() => takeSpool(spoolOf(world.gitDir))))).flat()
    expect(taken.map(({ ref }) => ref).sort()).toEqual(['refs/heads/a', 'refs/heads/b'])
  })

  it('ignores a line that is no push', async () => {
    const spool = spoolOf(world.gitDir)
    await appendFile(spool, 'rubbish\npush\t\t../x\t1\t2\t3\t\n')
    expect(await takeSpool(spool)).toEqual([])
  })
})
