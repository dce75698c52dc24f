import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CommandPolicy } from '#domain/policy'
import { createFixture, type Fixture } from '../activities/tests/support.ts'

let fixture: Fixture
let commit: string

beforeAll(async () => {
  fixture = await createFixture()
  commit = await fixture.commit({ 'lock.json': 'v1\n', '.gitignore': 'node_modules\n' })
})
afterAll(() => fixture.remove())

const installing = 'mkdir -p node_modules/x && echo tool > node_modules/x/index.js'
const run = (shell: string, policy: Partial<CommandPolicy> = {}) =>
  fixture.run(fixture.runner({ slots: 1 }), commit, {
    run: shell,
    setup: installing,
    keep: { lockfile: 'lock.json', paths: ['node_modules'] },
    ...policy,
  })

describe('kept node_modules', () => {
  test('let tools write into their .cache, and nowhere else', async () => {
    expect(await run('echo warm > node_modules/.cache/x')).toMatchObject({ conclusion: 'passed' })
    expect(await run('echo planted > node_modules/x/index.js')).toMatchObject({ conclusion: 'failed' })
    expect(await run('touch node_modules/new')).toMatchObject({ conclusion: 'failed' })
  })

  test('give no run the cache of another', async () => {
    await run('echo poison > node_modules/.cache/x')
    expect((await run('ls -A node_modules/.cache')).stdout).toBe('')
  })

  test('show what setup itself left in .cache, read-only', async () => {
    const setup = `${installing} && mkdir node_modules/.cache && echo engine > node_modules/.cache/made`
    expect((await run('cat node_modules/.cache/made', { setup })).stdout).toBe('engine\n')
    expect(await run('echo x > node_modules/.cache/made', { setup })).toMatchObject({ conclusion: 'failed' })
  })
})
