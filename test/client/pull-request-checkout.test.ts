import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { createSampleRepository, type SampleRepository } from '../support/repositories.ts'
import { pullRequest, switchyard, world } from './fakes.ts'

/** A working copy with the remote of the installation, to which somebody else has pushed `feature`. */
describe('pr checkout', () => {
  let mine: SampleRepository
  let theirs: SampleRepository
  let head: string
  beforeEach(async () => {
    theirs = await createSampleRepository()
    head = await theirs.commit({ branch: 'feature', message: 'a feature', files: { 'feature.txt': 'one\n' } })
    mine = await createSampleRepository()
    await mine.git('remote', 'add', 'upstream', theirs.path)
    return async () => {
      await mine.remove()
      await theirs.remove()
    }
  })

  function checkOut(...flags: string[]) {
    const in_ = world({
      remote: theirs.path,
      pullRequests: [pullRequest({ head: { ref: 'feature', sha: head } })],
    })
    return switchyard(['pr', 'checkout', '1', '--json', ...flags], in_, { cwd: mine.path })
  }
  const here = async () => [await mine.git('rev-parse', 'HEAD'), await mine.git('rev-parse', '--abbrev-ref', 'HEAD')]
  /** A commit on a branch of the working copy, which stays on `main`. */
  async function work(branch: string, from: string): Promise<string> {
    await mine.git('fetch', '--quiet', 'upstream')
    await mine.git('switch', '--quiet', '--create', branch, from)
    await writeFile(join(mine.path, 'mine.txt'), 'mine\n')
    await mine.git('add', 'mine.txt')
    await mine.git('commit', '--quiet', '--message', 'mine')
    const sha = await mine.git('rev-parse', 'HEAD')
    await mine.git('switch', '--quiet', 'main')
    return sha
  }

  test('makes the branch, which follows the one that was pushed', async () => {
    const ran = await checkOut()
    expect([ran.code, ran.json]).toMatchObject([
      0,
      { remote: 'upstream', branch: 'feature', sha: head, state: 'created' },
    ])
    expect(await here()).toEqual([head, 'feature'])
    expect(await mine.git('rev-parse', '--abbrev-ref', 'feature@{upstream}')).toBe('upstream/feature')
  })

  test('brings a branch that is there forward', async () => {
    await checkOut()
    await mine.git('switch', '--quiet', 'main')
    head = await theirs.commit({ branch: 'feature', message: 'more', files: { 'more.txt': 'two\n' } })
    expect((await checkOut()).json).toMatchObject({ state: 'forwarded' })
    expect(await here()).toEqual([head, 'feature'])
    expect((await checkOut()).json).toMatchObject({ state: 'same' })
  })

  test('takes another name, or none', async () => {
    await checkOut('-b', 'try-it')
    expect(await here()).toEqual([head, 'try-it'])
    await checkOut('--detach')
    expect(await here()).toEqual([head, 'HEAD'])
  })

  test('keeps commits that were not pushed', async () => {
    const sha = await work('feature', 'upstream/feature')
    expect((await checkOut()).json).toMatchObject({ state: 'ahead' })
    expect(await here()).toEqual([sha, 'feature'])
  })

  test('refuses a branch that has other commits, and changes nothing', async () => {
    const before = await here()
    const sha = await work('feature', 'main')
    const ran = await checkOut()
    expect([ran.code, ran.error.code]).toEqual([1, 'diverged'])
    expect([await here(), await mine.git('rev-parse', 'feature')]).toEqual([before, sha])
  })

  test('refuses to write over what is not committed', async () => {
    await writeFile(join(mine.path, 'feature.txt'), 'precious\n')
    const ran = await checkOut()
    expect([ran.code, ran.error.code]).toEqual([1, 'checkout-refused'])
    expect(await mine.git('status', '--porcelain')).toBe('?? feature.txt')
    expect((await here())[1]).toBe('main')
  })

  test('starts no hook, not even one of the checked out tree', async () => {
    await theirs.commit({
      branch: 'feature',
      message: 'a hook',
      files: { 'hooks/post-checkout': '#!/bin/sh\ntouch ran\n', 'hooks/post-merge': '#!/bin/sh\ntouch ran\n' },
    })
    await mine.git('config', 'core.hooksPath', 'hooks')
    await checkOut()
    expect(await mine.git('status', '--porcelain')).toBe('')
  })

  test('says what is wrong where the branch is gone', async () => {
    await theirs.git('update-ref', '-d', 'refs/heads/feature')
    const ran = await checkOut()
    expect([ran.code, ran.error.code, ran.error.hint]).toEqual([
      1,
      'checkout-refused',
      'Its head branch may be gone: see `switchyard pr view`.',
    ])
  })

  test.each([[['-b', '-f']], [['-b', 'a..b']], [['-b', 'x', '--detach']]])('refuses %j', async (flags) => {
    expect((await checkOut(...flags)).code).toBe(2)
  })

  test('refuses a folder that is no working copy of the repository', async () => {
    await mine.git('remote', 'remove', 'upstream')
    expect((await checkOut()).code).toBe(2)
    expect((await switchyard(['pr', 'checkout', '1'], world(), { cwd: '/' })).code).toBe(2)
  })
})
