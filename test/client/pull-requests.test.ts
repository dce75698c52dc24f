import { describe, expect, test } from 'vitest'
import { HEAD, named, pendingActivity, pullRequest, server, status, switchyard, world } from './fakes.ts'

describe('a command on a pull request', () => {
  test('create opens it as the actor, with the last subject as its title, and starts its pipeline', async () => {
    const in_ = world({ pullRequests: [], server: server() })
    await switchyard(['pr', 'create', '--head', 'feature'], in_)
    expect(in_.acts).toEqual([
      'create feature → main "The last subject" by ben@example.org',
      'watch shop',
      'look shop#1',
    ])
  })

  test('create asks for the server before it writes', async () => {
    const in_ = world({ pullRequests: [] })
    await switchyard(['pr', 'create', '--head', 'feature'], in_)
    expect(in_.acts).toEqual([])
  })

  test('create says when no worker is there', async () => {
    const ran = await switchyard(['pr', 'create', '--head', 'feature'], world({ server: server({ workers: [] }) }))
    expect(ran.stderr).toContain('No worker polls the role pr-review')
  })

  test('create --wait prints where the pull request rests', async () => {
    const in_ = world({ pullRequests: [], server: server({ statuses: [status({ phase: 'waiting' })] }) })
    const ran = await switchyard(['pr', 'create', '--head', 'feature', '--wait', '--json'], in_)
    expect(ran.json).toMatchObject({ number: 1, phase: 'waiting' })
  })

  test.each([
    [['approve', '1'], 'review #1 approved at aa by ben@example.org'],
    [['approve', '1', '--as', 'cy@example.org'], 'review #1 approved at aa by cy@example.org'],
    [['request-changes', '1', '--body', 'Test it'], 'review #1 changes-requested at aa by ben@example.org'],
    [['comment', '1', '--body', 'Nice'], 'comment #1 by ben@example.org'],
  ])('%j writes to the forge and tells the pipeline', async (args, act) => {
    const in_ = world({ server: server() })
    await switchyard(['pr', ...args], in_)
    expect(in_.acts).toEqual([act, 'look shop#1'])
  })

  test('ready makes a draft ready', async () => {
    const in_ = world({ pullRequests: [pullRequest({ draft: true })], server: server() })
    await switchyard(['pr', 'ready', '1'], in_)
    expect(in_.acts[0]).toBe('update #1 {"draft":false} by ben@example.org')
  })

  test('ready of one that is ready changes nothing', async () => {
    const in_ = world({ server: server() })
    await switchyard(['pr', 'ready', '1'], in_)
    expect(in_.acts).toEqual(['look shop#1'])
  })

  test('close starts no pipeline for what is closed', async () => {
    const in_ = world({ server: server() })
    await switchyard(['pr', 'close', '1'], in_)
    expect(in_.acts).toEqual(['update #1 {"state":"closed"} by ben@example.org', 'remind shop#1'])
  })

  test('reopen opens a closed one', async () => {
    const in_ = world({ pullRequests: [pullRequest({ state: 'closed' })], server: server() })
    await switchyard(['pr', 'reopen', '1'], in_)
    expect(in_.acts[0]).toBe('update #1 {"state":"open"} by ben@example.org')
  })

  test('without a server the forge is written all the same, and it says who will see it', async () => {
    const in_ = world()
    const ran = await switchyard(['pr', 'approve', '1'], in_)
    expect([ran.code, in_.acts.length, ran.stderr]).toEqual([0, 1, expect.stringContaining('the sweep will see this')])
  })

  test.each([
    [['merge', '1'], `merge pr:shop#1 [{"by":"ben@example.org","at":"2026-01-02T03:04:05.000Z","head":"${HEAD}"}]`],
    [['review', '1'], 'review pr:shop#1 [{"by":"ben@example.org"}]'],
  ])('%j is an update of the pipeline, started where it had ended', async (args, act) => {
    const in_ = world({ server: server({ statuses: [status()] }) })
    await switchyard(['pr', ...args], in_)
    expect(in_.acts).toEqual(['look shop#1', act])
  })

  test.each([
    ['approve', '1'],
    ['request-changes', '1', '--body', 'Test it'],
    ['merge', '1'],
  ])('%s %s does nothing to another head than the one that was looked at', async (...args) => {
    const in_ = world({ server: server({ statuses: [status()] }) })
    const ran = await switchyard(['pr', ...args, '--head', 'bbbbbbb', '--json'], in_)
    expect([ran.code, ran.error.code, in_.acts]).toEqual([1, 'head-moved', []])
  })

  test.each([
    ['approve', '1'],
    ['request-changes', '1', '--body', 'Test it'],
    ['merge', '1'],
  ])('%s %s of the head that was looked at says which that is', async (...args) => {
    const in_ = world({ server: server({ statuses: [status()] }) })
    const told = await switchyard(['pr', ...args, '--head', HEAD.slice(0, 7)], in_)
    const document = await switchyard(['pr', ...args, '--head', HEAD, '--json'], in_)
    expect(told.stdout).toContain('shop#1 at aaaaaaaa.')
    expect(document.json).toMatchObject({ number: 1, actedOn: HEAD })
  })

  test('watch looks at every open pull request, round by round, until it is interrupted', async () => {
    const interrupted = new AbortController()
    const in_ = world({ pullRequests: [pullRequest(), pullRequest({ number: 2, state: 'closed' })], server: server() })
    const running = switchyard(['pr', 'watch', '--every', '1ms'], in_, { signal: interrupted.signal })
    await expect.poll(() => in_.acts.filter((act) => act === 'look shop#1').length).toBeGreaterThan(1)
    interrupted.abort()
    expect([(await running).code, in_.acts.includes('look shop#2')]).toEqual([130, false])
  })

  test('watch notes what fails in a round and goes on with the next', async () => {
    const interrupted = new AbortController()
    const lookErrors = [named('ServiceError', 'gone', { cause: { code: 14, details: 'connection refused' } })]
    const in_ = world({ server: server(), lookErrors })
    const running = switchyard(['pr', 'watch', '--every', '1ms'], in_, { signal: interrupted.signal })
    await expect.poll(() => in_.acts.includes('look shop#1')).toBe(true)
    interrupted.abort()
    const ran = await running
    expect([ran.code, ran.stderr, in_.open]).toEqual([130, expect.stringContaining('shop#1 failed, the next round'), 0])
  })

  test('watch waits for a server that is not there yet', async () => {
    const interrupted = new AbortController()
    const in_ = world()
    const running = switchyard(['pr', 'watch', '--every', '1ms'], in_, { signal: interrupted.signal })
    in_.server = server()
    await expect.poll(() => in_.acts.includes('look shop#1')).toBe(true)
    interrupted.abort()
    expect((await running).code).toBe(130)
  })

  test('watch runs again what ended in infrastructure, which says nothing about the pull request', async () => {
    const checks = [{ name: 'tests', state: 'infrastructure' as const, reason: 'no disk', duration: 10 }]
    const in_ = world({ server: server({ statuses: [status({ checks })] }) })
    await switchyard(['pr', 'watch', '--once'], in_)
    expect(in_.acts).toEqual(['watch shop', 'look shop#1', 'review pr:shop#1 [{"by":"ben@example.org"}]'])
  })

  test('create cuts the last subject to what a forge takes', async () => {
    const in_ = world({ pullRequests: [], server: server(), subject: 'x'.repeat(300) })
    await switchyard(['pr', 'create', '--head', 'feature'], in_)
    expect(in_.pullRequests[0]!.title).toBe(`${'x'.repeat(255)}…`)
  })

  test.each(['why', 'view'])('%s of one whose tests nobody takes says which role has no worker', async (verb) => {
    const there = server({
      statuses: [status({ phase: 'checking', waiting: null, resting: false })],
      workers: ['pr-review'],
      pending: [pendingActivity('runTests', 'testing', 1)],
    })
    const ran = await switchyard([verb, 'pr:shop#1'], world({ server: there }))
    expect(ran.stdout).toContain('runTests  testing  scheduled, no worker polls the role testing: switchyard up')
    expect(ran.stdout).not.toContain('nothing and nobody')
  })

  test.each([
    ['pr', 'view', '1'],
    ['why', '1'],
  ])('%s %s of one whose pipeline failed says so, and what starts it', async (...args) => {
    const failure = named('WorkflowFailedError', 'Workflow execution failed', { cause: new Error('no policy') })
    const there = server({
      statuses: [status({ phase: 'checking', waiting: null, resting: false })],
      ended: { 'pr:shop#1': { status: 'FAILED', failure } },
    })
    const ran = await switchyard(args, world({ server: there }))
    expect(ran.stdout).toContain('waits for a new start of its pipeline, which ended (failed): no policy')
    expect(ran.stdout).toContain('with switchyard pr review 1 --repo shop')
  })

  test('a waiting one names who can act, until when, and the command', async () => {
    const ran = await switchyard(['why', '1'], world({ server: server({ statuses: [status()] }) }))
    expect(ran.stdout).toContain('waits for tests: exit code 1')
    expect(ran.stdout).toContain('with git push <remote> feature')
  })
})
