import { Readable } from 'node:stream'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { BASE, decision, evidence, HEAD, NOW, pullRequest, server, status, switchyard, world } from './fakes.ts'

const review = (author: string, state: 'approved' | 'changes-requested' | 'dismissed', head = HEAD) => ({
  ...{ author, state, head, body: '', at: NOW },
})
const running = () => server({ statuses: [status()] })
const policyOf = (lines: string) => `version: 1\nchecks: { tests: { run: npm test } }\n${lines}\n`

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'switchyard-cli-'))
  onTestFinished(() => rm(path, { recursive: true }))
  return path
}

describe('pr edit', () => {
  test.each([
    [['--title', ' Other '], '{"title":"Other"}'],
    [['--body', 'why'], '{"body":"why"}'],
    [['--base', 'next'], '{"base":"next"}'],
    [['--add-label', 'bug,ui', '--add-label', 'x', '--remove-label', 'old'], '{"labels":["kept","bug","ui","x"]}'],
    [['--remove-label', 'gone'], '{"labels":["kept","old"]}'],
  ])('%j changes just that, as the actor, and tells the pipeline', async (flags, changes) => {
    const in_ = world({ pullRequests: [pullRequest({ labels: ['kept', 'old'] })], server: server() })
    const ran = await switchyard(['pr', 'edit', '1', ...flags, '--json'], in_)
    expect([ran.code, in_.acts]).toEqual([0, [`update #1 ${changes} by ben@example.org`, 'look shop#1']])
  })

  test('takes the text from a file, or from standard input', async () => {
    const cwd = await folder()
    await writeFile(join(cwd, 'notes.md'), 'from a file\n')
    const in_ = world()
    await switchyard(['pr', 'edit', '1', '--body-file', 'notes.md'], in_, { cwd })
    await switchyard(['pr', 'edit', '1', '--body-file', '-'], in_, { stdin: Readable.from(['piped']) })
    expect(in_.acts).toEqual([
      'update #1 {"body":"from a file\\n"} by ben@example.org',
      'update #1 {"body":"piped"} by ben@example.org',
    ])
  })

  test.each([
    [[], 'usage'],
    [['--body', 'a', '--body-file', 'b'], 'usage'],
    [['--body-file', 'nowhere.md'], 'no-file'],
  ])('%j is bad usage', async (flags, code) => {
    const in_ = world()
    const ran = await switchyard(['pr', 'edit', '1', ...flags, '--json'], in_)
    expect([ran.code, ran.error.code, in_.acts]).toEqual([2, code, []])
  })
})

describe('pr list', () => {
  const listed = [
    pullRequest({ number: 1, labels: ['bug', 'ui'] }),
    pullRequest({ number: 2, labels: ['bug'], author: 'bob' }),
    pullRequest({ number: 3, base: { ref: 'next', sha: BASE }, head: { ref: 'other', sha: HEAD } }),
  ]

  test.each([
    [
      ['--label', 'bug'],
      [1, 2],
    ],
    [['--label', 'bug,ui'], [1]],
    [['--author', 'Bob'], [2]],
    [['--base', 'next'], [3]],
    [
      ['--head', 'feature'],
      [1, 2],
    ],
    [
      ['--limit', '2'],
      [2, 3],
    ],
  ])('%j lists those', async (flags, numbers) => {
    const ran = await switchyard(['pr', 'list', ...flags, '--json'], world({ pullRequests: listed }))
    expect((ran.json as { number: number }[]).map(({ number }) => number)).toEqual(numbers)
  })

  test('takes no limit that is none', async () => {
    expect((await switchyard(['pr', 'list', '--limit', 'all'], world())).code).toBe(2)
  })
})

describe('pr checks', () => {
  const check = (state: 'passed' | 'failed' | 'running') => ({ name: 'tests', state, reason: '', duration: null })

  test.each([
    [['passed'], 0],
    [['passed', 'failed'], 1],
    [['passed', 'running'], 4],
  ] as const)('of %j answers %i', async (states, code) => {
    const in_ = world({ server: server({ statuses: [status({ checks: states.map(check) })] }) })
    expect((await switchyard(['pr', 'checks', '1'], in_)).code).toBe(code)
  })

  test.each([
    ['open', 4],
    ['closed', 0],
  ] as const)('of one that is %s and has none answers %i', async (state, code) => {
    const in_ = world({ pullRequests: [pullRequest({ state })], decisions: [] })
    expect((await switchyard(['pr', 'checks', '1'], in_)).code).toBe(code)
  })

  test('--fail-fast is for those who watch', async () => {
    const ran = await switchyard(['pr', 'checks', '1', '--fail-fast', '--json'], world())
    expect([ran.code, ran.error.code]).toEqual([2, 'usage'])
  })

  test('without a server answers by the evidence', async () => {
    expect(
      (await switchyard(['pr', 'checks', '1'], world({ decisions: [decision()], evidence: [evidence()] }))).code,
    ).toBe(1)
  })

  test('--watch blocks until they have ended', async () => {
    const there = server({ statuses: [status({ phase: 'checking', checks: [check('running')] })] })
    const watched = switchyard(['pr', 'checks', '1', '--watch', '--json'], world({ server: there }))
    there.statuses = [status({ phase: 'queued', checks: [check('passed')] })]
    const ran = await watched
    expect([ran.code, ran.json]).toEqual([0, [check('passed')]])
  })

  test('--watch --fail-fast ends with the first that fails', async () => {
    const checks = [check('failed'), { ...check('running'), name: 'review' }]
    const in_ = world({ server: server({ statuses: [status({ phase: 'checking', checks })] }) })
    expect((await switchyard(['pr', 'checks', '1', '--watch', '--fail-fast'], in_)).code).toBe(1)
  })

  test('--watch needs a server and a worker', async () => {
    expect((await switchyard(['pr', 'checks', '1', '--watch'], world())).code).toBe(3)
    expect((await switchyard(['pr', 'checks', '1', '--watch'], world({ server: server({ workers: [] }) }))).code).toBe(
      3,
    )
  })
})

test('pr diff --name-only prints the paths alone', async () => {
  expect((await switchyard(['pr', 'diff', '1', '--name-only'], world())).stdout).toBe('a.txt\nb.txt\n')
  expect((await switchyard(['pr', 'diff', '1', '--name-only', '--json'], world())).json).toMatchObject({
    paths: ['a.txt', 'b.txt'],
  })
})

describe('pr close --comment', () => {
  test('writes the comment of what it did', async () => {
    const in_ = world({ server: server() })
    await switchyard(['pr', 'close', '1', '--comment', 'Done in #14'], in_)
    expect(in_.acts).toEqual([
      'update #1 {"state":"closed"} by ben@example.org',
      'comment #1 by ben@example.org',
      'remind shop#1',
    ])
  })

  test('writes none where it was closed already', async () => {
    const in_ = world({ pullRequests: [pullRequest({ state: 'closed' })], server: server() })
    const ran = await switchyard(['pr', 'close', '1', '--comment', 'Done in #14'], in_)
    expect([ran.code, in_.acts]).toEqual([0, ['remind shop#1']])
  })
})

describe('pr approve', () => {
  const ben = { name: 'ben', login: 'ben-hub', email: 'ben@example.org', groups: [] }

  test.each(['ben@example.org', 'ben-hub', 'Ben'])('is not for the author, by whichever name: %s', async (author) => {
    const in_ = world({ pullRequests: [pullRequest({ author })], people: [ben] })
    const ran = await switchyard(['pr', 'approve', '1', '--json'], in_)
    expect([ran.code, ran.error.code, in_.acts]).toEqual([1, 'own-pull-request', []])
  })
})

describe('pr request-changes --undo', () => {
  test('takes back what that person asked for', async () => {
    const in_ = world({ pullRequests: [pullRequest({ reviews: [review('ben@example.org', 'changes-requested')] })] })
    const ran = await switchyard(['pr', 'request-changes', '1', '--undo'], in_)
    expect([ran.code, in_.acts]).toEqual([0, ['review #1 dismissed at aa by ben@example.org']])
    expect(ran.stdout).not.toContain('blocked by')
  })

  test('names what was known of it', async () => {
    const reviews = [review('ben@example.org', 'changes-requested')]
    const in_ = world({ pullRequests: [pullRequest({ reviews })], decisions: [decision({ snapshotId: 'newest' })] })
    await switchyard(['pr', 'request-changes', '1', '--undo'], in_)
    expect(in_.acts).toEqual(['review #1 dismissed at aa by ben@example.org on newest'])
  })

  test('is not for anybody else', async () => {
    const in_ = world({ pullRequests: [pullRequest({ reviews: [review('bob', 'changes-requested')] })] })
    const ran = await switchyard(['pr', 'request-changes', '1', '--undo', '--json'], in_)
    expect([ran.code, ran.error.code, in_.acts]).toEqual([1, 'nothing-to-undo', []])
  })

  test('is not for a member of a group that the reviewer is called like', async () => {
    const people = [{ name: 'ben@example.org', login: null, email: null, groups: ['bob'] }]
    const pullRequests = [pullRequest({ reviews: [review('bob', 'changes-requested')] })]
    const ran = await switchyard(['pr', 'request-changes', '1', '--undo', '--json'], world({ pullRequests, people }))
    expect([ran.code, ran.error.code]).toEqual([1, 'nothing-to-undo'])
  })
})

describe('pr merge', () => {
  test.each([['--squash'], ['--method', 'squash']])('takes the method of the policy: %s', async (...flags) => {
    expect((await switchyard(['pr', 'merge', '1', ...flags], world({ server: running() }))).code).toBe(0)
  })

  test.each([['--rebase'], ['--merge'], ['--method', 'fast-forward'], ['--squash', '--rebase']])(
    'says that %s is not for it to choose',
    async (...flags) => {
      const in_ = world({ server: running() })
      const ran = await switchyard(['pr', 'merge', '1', ...flags, '--json'], in_)
      expect([ran.code, ran.error.code, in_.acts]).toEqual([2, 'usage', []])
      expect(ran.error.hint).toContain('merge.method')
    },
  )
})

describe('pr merge says', () => {
  test('what one that is not approved waits for first', async () => {
    const { code, stdout } = await switchyard(['pr', 'merge', '1'], world({ server: running() }))
    const said = 'shop#1 at aaaaaaaa. It does so once it is approved, and waits for tests: exit code 1 first.'
    expect([code, stdout]).toEqual([0, expect.stringContaining(said)])
  })

  test('of one that is approved that it was asked to land', async () => {
    const approved = status({ decision: decision({ outcome: 'approve' }), phase: 'queued', waiting: null })
    const { stdout } = await switchyard(['pr', 'merge', '1'], world({ server: server({ statuses: [approved] }) }))
    expect(stdout).toContain('Asked to land shop#1 at aaaaaaaa.\n')
  })
})

describe('pr hold', () => {
  test.each([
    [[], '{"by":"ben@example.org","cancel":false}'],
    [['--reason', 'the fair'], '{"by":"ben@example.org","cancel":false,"reason":"the fair"}'],
    [['--cancel'], '{"by":"ben@example.org","cancel":true}'],
  ])('%j is an update of the pipeline', async (flags, args) => {
    const in_ = world({ server: running() })
    const ran = await switchyard(['pr', 'hold', '1', ...flags, '--json'], in_)
    expect([ran.code, in_.acts]).toEqual([0, ['look shop#1', `hold pr:shop#1 [${args}]`]])
  })

  test('needs an open one, and no reason to let it go on', async () => {
    const closed = world({ pullRequests: [pullRequest({ state: 'closed' })], server: running() })
    expect((await switchyard(['pr', 'hold', '1'], closed)).code).toBe(1)
    expect((await switchyard(['pr', 'hold', '1', '--cancel', '--reason', 'x'], world())).code).toBe(2)
  })
})

describe('who may', () => {
  test.each(['merge', 'hold', 'review'])('%s is by the policy, and asked before anything is done', async (verb) => {
    const in_ = world({ server: running(), policy: policyOf(`commands: { ${verb}: [cay] }`) })
    const ran = await switchyard(['pr', verb, '1', '--json'], in_)
    expect([ran.code, ran.error.code, in_.acts]).toEqual([1, 'forbidden', []])
    expect(in_.audit).toMatchObject([
      { action: 'pr.commanded', actor: 'ben@example.org', details: { command: verb, allowed: false } },
    ])
    expect((await switchyard(['pr', verb, '1', '--as', 'cay'], in_)).code).toBe(0)
  })

  test('is one of the people where some are listed', async () => {
    const person = (name: string) => ({ name, login: null, email: null, groups: [] })
    const in_ = world({ server: running(), people: [person('cay')] })
    expect((await switchyard(['pr', 'merge', '1'], in_)).code).toBe(1)
    expect((await switchyard(['pr', 'merge', '1', '--as', 'ann@example.org'], in_)).code).toBe(0)
  })

  test('merged is told to the audit trail, with the head and what was known of it', async () => {
    const in_ = world({ decisions: [decision({ snapshotId: 'newest' }), decision()], server: running() })
    await switchyard(['pr', 'merge', '1'], in_)
    expect(in_.audit).toMatchObject([
      { snapshotId: 'newest', details: { command: 'merge', allowed: true, head: HEAD, comment: null } },
    ])
  })
})
