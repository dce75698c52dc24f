import { describe, expect, test } from 'vitest'
import { BASE, decision, HEAD, NOW, pullRequest, server, status, switchyard, world } from './fakes.ts'

const review = (author: string, state: 'approved' | 'changes-requested', head = HEAD) => ({
  ...{ author, state, head, body: '', at: NOW },
})
const running = () => server({ statuses: [status()] })

describe('pr view', () => {
  const reviews = [review('cay', 'approved', BASE), review('bob', 'changes-requested'), review('dan', 'approved')]

  test('says who blocks it and what lifts that, and whose approval is stale', async () => {
    const in_ = world({ pullRequests: [pullRequest({ reviews })], server: running() })
    const { stdout } = await switchyard(['pr', 'view', '1'], in_)
    expect(stdout).toContain(
      'blocked by bob, who lifts it with switchyard pr approve 1 --repo shop, or switchyard pr request-changes 1 --undo',
    )
    expect(stdout).toContain('stale approval by cay, of bbbbbbbb')
    expect((await switchyard(['pr', 'view', '1', '--json'], in_)).json).toMatchObject({
      reviews: {
        approvedBy: ['dan'],
        staleApprovals: [{ by: 'cay', head: BASE, at: NOW }],
        changesRequestedBy: [{ by: 'bob' }],
      },
    })
  })

  test('shows the policy as it was decided under, not as it is now', async () => {
    const policy = { source: 'last-good' as const, problem: 'line 3 is wrong' }
    const in_ = world({ decisions: [decision({ policy })] })
    const ran = await switchyard(['pr', 'view', '1', '--json'], in_)
    expect(ran.json).toMatchObject({ policy: { digest: 'policy-1', ...policy } })
  })

  test('--comments shows what was said, and how it was answered', async () => {
    const comment = { id: '1', key: null, author: 'bob', body: '/switchyard merge', createdAt: NOW, updatedAt: NOW }
    const in_ = world({ comments: [{ ...comment, reactions: ['+1'] }], server: running() })
    expect((await switchyard(['pr', 'view', '1', '--comments'], in_)).stdout).toContain(
      `bob  ${NOW}  👍\n/switchyard merge\n`,
    )
    expect((await switchyard(['pr', 'view', '1', '--comments', '--json'], in_)).json).toMatchObject({
      comments: [{ id: '1', reactions: ['+1'] }],
    })
  })

  test('--comments shows Markdown as it reads, and code as it is; --json as it was written', async () => {
    const { escapeMarkdown } = await import('#domain/text')
    const { withTime } = await import('#domain/comment')
    const body = withTime(`Until ${escapeMarkdown('2026-11-21 <a@b>')}, \`a\\_b\`\n\n\`\`\`\nx\\*\n\`\`\`\n`, NOW)
    const comment = { id: '1', key: null, author: 'bob', body, createdAt: NOW, updatedAt: NOW, reactions: [] }
    const in_ = world({ comments: [comment], server: running() })
    for (const command of ['view --comments', 'comment']) {
      const { stdout } = await switchyard(['pr', ...command.split(' '), '1'], in_)
      expect(stdout).toContain(`bob  ${NOW}\nUntil 2026-11-21 <a@b>, \`a\\_b\`\n\n\`\`\`\nx\\*\n\`\`\`\n`)
      expect(stdout).not.toContain('said at')
    }
    expect((await switchyard(['pr', 'comment', '1', '--json'], in_)).json).toMatchObject([{ body }])
  })

  const ejected = (
    at: string,
    action = 'pr.ejected',
    details: object = { head: HEAD, reason: 'tests: red', kind: 'tests' },
  ) => ({
    ...{ key: `${action}${at}`, at, actor: 'switchyard', action, repo: 'shop', number: 1, snapshotId: null },
    details: details as Record<string, string>,
  })
  const LATER = '2026-01-02T04:00:00.000Z'

  test('without a server says that the queue ejected it', async () => {
    const in_ = world({ decisions: [decision({ outcome: 'approve', rules: [] })], audit: [ejected(NOW)] })
    expect((await switchyard(['pr', 'view', '1', '--json'], in_)).json).toMatchObject({
      phase: 'waiting',
      waiting: { for: 'ejected from the merge queue: tests: red', since: NOW },
    })
  })

  test.each([
    ['of another head', [ejected(NOW, 'pr.ejected', { head: BASE, reason: 'tests: red' })]],
    ['before its decision', [ejected('2026-01-01T00:00:00.000Z')]],
    [
      'before somebody asked again',
      [ejected(NOW), ejected(LATER, 'pr.commanded', { command: 'merge', allowed: true } as never)],
    ],
  ])('without a server makes nothing of an ejection %s', async (_, audit) => {
    const in_ = world({ decisions: [decision({ outcome: 'approve', rules: [] })], audit })
    expect((await switchyard(['pr', 'view', '1', '--json'], in_)).json).toMatchObject({ phase: 'queued' })
  })
})

describe('pr view without a server', () => {
  const held = (at: string, hold: 'set' | 'lifted') => ({
    ...{ key: `hold${at}`, at, actor: 'cay', action: 'pr.commanded', repo: 'shop', number: 1, snapshotId: null },
    details: { command: 'hold', allowed: true, hold, reason: 'the fair' },
  })
  const approved = [decision({ outcome: 'approve', rules: [] })]
  const view = async (in_: Parameters<typeof switchyard>[1]) =>
    (await switchyard(['pr', 'view', '1', '--json'], in_)).json

  test('says who holds it, also where that was after its decision', async () => {
    expect(await view(world({ decisions: approved, audit: [held(NOW, 'set')] }))).toMatchObject({
      hold: { by: 'cay', since: NOW, reason: 'the fair' },
      phase: 'waiting',
      waiting: { for: expect.stringContaining('not-held: held by cay') as string },
    })
  })

  test('says nothing of a hold that was lifted', async () => {
    const rules = [{ rule: 'not-held', outcome: 'pending', reason: 'held by cay', evidence: null } as const]
    const audit = [held(NOW, 'set'), held('2026-01-02T04:00:00.000Z', 'lifted')]
    expect(await view(world({ decisions: [decision({ outcome: 'wait', rules: [...rules] })], audit }))).toMatchObject({
      hold: null,
      waiting: { for: expect.stringContaining('its pipeline') as string },
    })
  })

  test('knows a reviewer by every name', async () => {
    const people = [{ name: 'bob', login: 'bob-hub', email: null, groups: [] }]
    const reviews = [
      { ...review('bob-hub', 'changes-requested'), at: '2026-01-01T00:00:00.000Z' },
      review('bob', 'approved'),
      review('dan', 'changes-requested'),
    ]
    const child = { rule: 'no-changes-requested', outcome: 'fail', reason: 'dan', evidence: null } as const
    const rules = [{ ...child, rule: 'review', rules: [child] }]
    const in_ = world({ pullRequests: [pullRequest({ reviews })], people, decisions: [decision({ rules })] })
    expect(await view(in_)).toMatchObject({ waiting: { who: ['dan'] } })
  })
})
