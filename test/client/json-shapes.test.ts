import { defaultPolicy } from '#config/policy'
import { describe, expect, test } from 'vitest'
import {
  BASE,
  decision,
  evidence,
  HEAD,
  LANDED,
  NOW,
  pendingActivity,
  pullRequest,
  server,
  status,
  switchyard,
  TREE,
  world,
} from './fakes.ts'

const SECRET = `ghp_${'a1B2'.repeat(9)}`

const reference = {
  repo: 'shop',
  number: 1,
  workflowId: 'pr:shop#1',
  webUrl: 'http://127.0.0.1:8233/pr%3Ashop%231',
  state: 'open',
  head: { ref: 'feature', sha: HEAD },
  base: { ref: 'main', sha: BASE },
}

const view = {
  ...reference,
  title: 'Add a total',
  author: 'ann@example.org',
  draft: false,
  phase: 'rejected',
  policy: { digest: 'policy-1', source: 'base', problem: null },
  decision: {
    outcome: 'reject',
    rules: [
      { rule: 'not-draft', outcome: 'pass', reason: 'ready for review', evidence: null },
      { rule: 'tests', outcome: 'fail', reason: 'exit code 1', evidence: 'evidence-1' },
    ],
  },
  reviews: { approvedBy: [], staleApprovals: [], changesRequestedBy: [] },
  hold: null,
  waiting: status().waiting,
  merged: null,
}

describe('--json prints one document of the promised shape', () => {
  test('pr create', async () => {
    const ran = await switchyard(
      ['pr', 'create', '--head', 'feature', '--json'],
      world({ pullRequests: [], server: server() }),
    )
    expect(ran.json).toEqual(reference)
  })

  test('pr view', async () => {
    const ran = await switchyard(['pr', 'view', '1', '--json'], world({ server: server({ statuses: [status()] }) }))
    expect(ran.json).toEqual(view)
  })

  test('pr view without a server, from the forge and the ledger', async () => {
    const ran = await switchyard(['pr', 'view', '1', '--json'], world({ decisions: [decision()] }))
    expect(ran.json).toEqual({
      ...view,
      webUrl: null,
      waiting: {
        for: 'tests: exit code 1',
        since: NOW,
        until: '2026-02-01T03:04:05.000Z',
        who: ['ann@example.org'],
        command: 'git push switchyard feature',
      },
    })
  })

  test('pr view without a server of an approved one that a person is to land', async () => {
    const policy = defaultPolicy()
    const in_ = world({
      decisions: [decision({ outcome: 'approve', rules: [] })],
      recordedPolicy: { ...policy, merge: { ...policy.merge, auto: false } },
    })
    const ran = await switchyard(['pr', 'view', '1', '--json'], in_)
    expect(ran.json).toMatchObject({
      phase: 'waiting',
      waiting: { for: 'pr merge: merge.auto is off', command: 'switchyard pr merge 1 --repo shop' },
    })
  })

  test('pr view without a server of one that was never decided', async () => {
    const ran = await switchyard(['pr', 'view', '1', '--json'], world())
    expect(ran.json).toMatchObject({ phase: 'checking', waiting: { command: 'switchyard up' } })
    expect(ran.stderr).toContain('No server is running: nothing is decided about it yet.')
  })

  test('why without a server says how old its answer is', async () => {
    const ran = await switchyard(['why', '1'], world({ decisions: [decision()] }))
    expect(ran.stderr).toContain(`No server is running: what it waits for is as of ${NOW}.`)
  })

  test('pr view of a landed one', async () => {
    const merged = { sha: LANDED, tree: TREE, method: 'squash' as const, at: NOW }
    const ran = await switchyard(
      ['pr', 'view', '1', '--json'],
      world({ pullRequests: [pullRequest({ state: 'merged', merged })] }),
    )
    expect(ran.json).toMatchObject({ state: 'merged', phase: 'landed', waiting: null, merged })
  })

  test('pr list', async () => {
    const ran = await switchyard(['pr', 'list', '--json'], world({ server: server({ statuses: [status()] }) }))
    expect(ran.json).toEqual([view])
  })

  test('pr watch --once', async () => {
    const ran = await switchyard(
      ['pr', 'watch', '--once', '--json'],
      world({ server: server({ statuses: [status()] }) }),
    )
    expect(ran.json).toEqual([view])
  })

  test.each([
    [{ reviewed: 0, merged: 0, approved: 0, rejected: 0 }, 0],
    [{ reviewed: 3, merged: 1, approved: 2, rejected: 0 }, 66.7],
    [{ reviewed: 4, merged: 4, approved: 4, rejected: 0 }, 100],
  ])('status pr of %o', async (counts, approvalRate) => {
    const ran = await switchyard(['status', 'pr', '--json'], world({ counts }))
    expect(ran.json).toEqual({
      worker: 'pr-review',
      prsReviewed: counts.reviewed,
      prsMerged: counts.merged,
      prsRejected: counts.rejected,
      approvalRate,
    })
  })

  test('why', async () => {
    const ran = await switchyard(['why', '1', '--json'], world({ server: server({ statuses: [status()] }) }))
    expect(ran.json).toEqual({
      workflowId: 'pr:shop#1',
      phase: 'rejected',
      waiting: view.waiting,
      decision: view.decision,
      pending: [],
    })
  })

  test('why of one whose checks run names what runs, how often it was tried and what failed, masked', async () => {
    const there = server({
      statuses: [status({ phase: 'checking', resting: false })],
      workers: ['pr-review'],
      pending: [
        pendingActivity('reviewChanges', 'pr-review', 2),
        pendingActivity('runTests', 'testing', 1, {
          attempt: 3,
          lastFailure: { message: `no disk ${SECRET} \u001b[2J` },
        }),
      ],
    })
    const ran = await switchyard(['why', '1', '--json'], world({ server: there }))
    expect(ran.json).toMatchObject({
      pending: [
        {
          ...{ activity: 'reviewChanges', role: 'pr-review', state: 'started' },
          ...{ attempt: 1, lastFailure: null, worker: true },
        },
        {
          ...{ activity: 'runTests', role: 'testing', state: 'scheduled' },
          ...{ attempt: 3, lastFailure: 'no disk ghp_**** ', worker: false },
        },
      ],
    })
  })

  test('queue show', async () => {
    const waiting = { for: 'its tests', since: NOW, until: null, who: [], command: null }
    const entry = { number: 1, title: 'Add a total', head: HEAD, position: 1, state: 'testing' as const, waiting }
    const queue = { repo: 'shop', branch: 'main', base: { sha: BASE, tree: TREE }, paused: null, entries: [entry] }
    const ran = await switchyard(['queue', 'show', '--json'], world({ server: server({ queue }) }))
    expect(ran.json).toEqual({ ...queue, entries: [{ number: 1, position: 1, state: 'testing', waiting }] })
  })

  test('queue show of a queue that nothing entered', async () => {
    const ran = await switchyard(['queue', 'show', '--json'], world({ server: server() }))
    expect(ran.json).toEqual({
      repo: 'shop',
      branch: 'main',
      base: { sha: BASE, tree: TREE },
      paused: null,
      entries: [],
    })
  })

  test('logs', async () => {
    const in_ = world({ decisions: [decision()], evidence: [evidence()], logs: { 'log:tests-1': 'not ok 1\n' } })
    const ran = await switchyard(['logs', '1', '--json'], in_)
    expect(ran.json).toEqual([
      {
        check: 'tests',
        conclusion: 'failed',
        reason: 'exit code 1',
        findings: [],
        log: 'log:tests-1',
        text: 'not ok 1\n',
      },
    ])
  })

  test('logs of a check with a report, which name the tests that failed', async () => {
    const failures = [{ name: 'cart › adds', message: 'expected 1, got 2', since: '2026-11-20T00:00:00.000Z' }]
    const tests = { total: 2, failed: 1, skipped: 0, failures }
    const in_ = world({
      decisions: [decision()],
      evidence: [evidence({ tests })],
      logs: { 'log:tests-1': 'not ok 1\n' },
    })
    expect((await switchyard(['logs', '1', '--json'], in_)).json).toMatchObject([{ check: 'tests', tests }])
    const { stdout } = await switchyard(['logs', '1'], in_)
    expect(stdout).toContain('cart › adds  expected 1, got 2  failing since 2026-11-20T00:00:00.000Z')
  })

  test('an error is one document on stderr, and stdout stays empty', async () => {
    const ran = await switchyard(['pr', 'view', '7', '--json'], world())
    expect({ stdout: ran.stdout, error: ran.error }).toMatchObject({
      stdout: '',
      error: {
        code: 'unknown-pull-request',
        message: 'There is no pull request shop#7.',
        details: { repo: 'shop', number: 7 },
      },
    })
  })
})
