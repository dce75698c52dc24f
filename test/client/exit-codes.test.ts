import { describe, expect, test } from 'vitest'
import { named, pullRequest, server, status, switchyard, world, type World } from './fakes.ts'

const landed = status({ phase: 'landed', state: 'merged' })
const workersOnly = server({ statuses: [status({ phase: 'waiting' })] })

describe('exit codes', () => {
  test.each<[string, number, string[], Partial<World>]>([
    ['done as asked', 0, ['pr', 'list'], {}],
    ['landed', 0, ['pr', 'merge', '1', '--wait'], { server: server({ statuses: [landed] }) }],
    ['rejected', 1, ['pr', 'merge', '1', '--wait'], { server: server({ statuses: [status()] }) }],
    ['closed', 1, ['pr', 'review', '1', '--wait'], { server: server({ statuses: [status({ phase: 'closed' })] }) }],
    ["a person's turn", 4, ['pr', 'merge', '1', '--wait'], { server: workersOnly }],
    [
      'the time passed',
      4,
      ['pr', 'merge', '1', '--wait=1ms'],
      { server: server({ statuses: [status({ resting: false })] }) },
    ],
    ['no server to open a PR', 3, ['pr', 'create', '--head', 'feature'], {}],
    ['no server to ask the queue', 3, ['queue', 'show'], {}],
    ['no worker for the role', 3, ['pr', 'merge', '1'], { server: server({ workers: [] }) }],
    [
      'no worker for a role that it would wait for',
      3,
      ['pr', 'create', '--head', 'feature', '--wait'],
      { server: server({ workers: ['pr-review', 'merge', 'security'], statuses: [landed] }) },
    ],
    ['a pull request that is not there', 2, ['pr', 'view', '9'], {}],
    [
      'a pull request that has landed',
      1,
      ['pr', 'merge', '1'],
      { pullRequests: [pullRequest({ state: 'merged' })], server: server() },
    ],
    ["approving one's own", 1, ['pr', 'approve', '1', '--as', 'ann@example.org'], {}],
  ])('%s → %i', async (_, code, args, changes) => {
    expect((await switchyard(args, world(changes))).code).toBe(code)
  })

  test.each([
    ['ConfigError', {}, 2, 'configuration'],
    ['ForgeError', { kind: 'unavailable' }, 1, 'forge-unavailable'],
    ['ForgeError', { kind: 'not-found' }, 2, 'not-found'],
    ['ForgeError', { kind: 'invalid' }, 2, 'invalid'],
    ['LedgerError', { kind: 'full' }, 1, 'ledger-full'],
    ['LedgerError', { kind: 'refused' }, 2, 'ledger-refused'],
    ['LedgerError', { kind: 'unavailable' }, 3, 'ledger-unavailable'],
    ['ServiceError', { cause: { code: 4 } }, 3, 'no-worker'],
    ['ServiceError', { cause: { code: 14, details: 'refused' } }, 3, 'no-server'],
    [
      'WorkflowUpdateFailedError',
      { cause: Object.assign(new Error('it is closed'), { type: 'NotAllowed' }) },
      1,
      'not-allowed',
    ],
    ['Error', {}, 1, 'internal'],
  ])('%s %o → %i', async (name, details, code, shown) => {
    const in_ = world({ server: server({ statuses: [status()] }), updateError: named(name, 'it failed', details) })
    const ran = await switchyard(['pr', 'merge', '1', '--json'], in_)
    expect([ran.code, ran.error.code]).toEqual([code, shown])
  })

  test('--wait names every role without a worker, and opens nothing', async () => {
    const in_ = world({ pullRequests: [], server: server({ workers: ['pr-review', 'merge', 'decision'] }) })
    const ran = await switchyard(['pr', 'create', '--head', 'feature', '--wait', '--json'], in_)
    expect([ran.error.details, in_.acts]).toEqual([{ roles: ['testing', 'security'] }, []])
  })

  test('--wait ends with what a pipeline failed of, which answers as if it still ran', async () => {
    const failure = named('WorkflowFailedError', 'Workflow execution failed', {
      cause: Object.assign(new Error('Activity task failed'), { cause: new Error('no policy \u001b[31mfound') }),
    })
    const there = server({
      statuses: [status({ phase: 'checking', resting: false })],
      ended: { 'pr:shop#1': { status: 'FAILED', failure } },
    })
    const ran = await switchyard(['pr', 'merge', '1', '--wait'], world({ server: there }))
    expect([ran.code, ran.stderr]).toEqual([
      1,
      expect.stringContaining(
        'The pipeline of shop#1 ended (failed): no policy found\nStart it again: switchyard pr review 1 --repo shop',
      ),
    ])
  })

  test('--wait sees that a pipeline was terminated while it waited', async () => {
    const there = server({ statuses: [status({ phase: 'checking', resting: false })] })
    const running = switchyard(['pr', 'merge', '1', '--wait', '--json'], world({ server: there }))
    there.ended['pr:shop#1'] = { status: 'TERMINATED' }
    expect((await running).error.code).toBe('pipeline-ended')
  })

  test('Ctrl-C detaches from --wait with 130', async () => {
    const interrupted = new AbortController()
    const in_ = world({ server: server({ statuses: [status({ resting: false })] }) })
    const running = switchyard(['pr', 'merge', '1', '--wait'], in_, { signal: interrupted.signal })
    interrupted.abort()
    expect((await running).code).toBe(130)
  })

  test('whatever happens, what was opened is closed', async () => {
    const in_ = world({ server: server(), updateError: named('Error', 'it failed') })
    await switchyard(['pr', 'merge', '1'], in_)
    expect(in_.open).toBe(0)
  })

  test('without --json an error is a sentence and what to do', async () => {
    const ran = await switchyard(['queue', 'show'], world())
    expect(ran.stderr).toBe('switchyard: no Temporal server is running\nstart it: switchyard up\n')
  })
})
