import { expect, it } from 'vitest'
import { record } from './record.ts'
import { broken, passed, red } from './scripted-check.ts'
import type { Shop } from './shop.ts'
import { until } from './until.ts'
import { inWorld, newShop } from './world.ts'

const withApprovals = (count: number) => `checks: { tests: { run: ./test.sh }, review: { approvals: ${count} } }`
const secret = { rule: 'aws-key', message: 'an AWS key', path: 'config.txt', line: 3, commit: null }

async function rejectedFor(shop: Shop, number: number): Promise<[rule: string, reason: string]> {
  const { decision } = await shop.phase(number, 'rejected')
  const failed = decision!.rules.filter(({ outcome }) => outcome === 'fail')
  expect(failed).toHaveLength(1)
  return [failed[0]!.rule, failed[0]!.reason]
}

inWorld('a pull request', () => {
  it('lands once when it is good, and tells so in one comment that it edits', async () => {
    const shop = newShop()
    const number = await shop.open()
    expect(await shop.ended(number)).toMatchObject({ state: 'merged', outcome: 'approve' })
    expect(shop.landed()).toEqual([number])
    expect(shop.effects('commented', number)).toHaveLength(1)
    expect(shop.effects('comment-edited', number).length).toBeGreaterThan(0)
    await shop.comment(number, 'Landed as')
    await record('pullRequest', 'landed', shop.pipeline(number))
  })

  it('says while its checks run which it waits for, and until when', async () => {
    const shop = newShop()
    shop.tests.hold()
    const number = await shop.open()
    const run = await shop.tests.started(1)
    const { waiting } = await shop.when(number, 'waits for its tests', (status) => status.waiting?.for === 'tests')
    expect(Date.parse(waiting!.until!) - Date.parse(waiting!.since)).toBe(90 * 60_000)
    expect([waiting!.who, waiting!.command]).toEqual([['switchyard'], null])
    run.finish(passed)
    await shop.ended(number)
  })

  it('lands the very tree that its tests passed on, tested once', async () => {
    const shop = newShop()
    const number = await shop.open()
    const { merged } = await shop.ended(number)
    expect(shop.tests.runs).toHaveLength(1)
    expect(await shop.git.treeOf(shop.tests.runs[0]!.subject)).toBe(merged!.tree)
    expect(shop.git.branch('main')).toBe(merged!.sha)
  })

  it('deletes its head branch after landing', async () => {
    const shop = newShop()
    const number = await shop.open({ branch: 'basket' })
    await shop.ended(number)
    expect(shop.effects('branch-deleted').map(({ subject }) => subject)).toEqual(['basket'])
  })

  it('is rejected for red tests, with their reason', async () => {
    const shop = newShop()
    shop.tests.answers(red)
    const number = await shop.open()
    expect(await rejectedFor(shop, number)).toEqual(['tests', 'exit code 1'])
    await shop.comment(number, 'exit code 1')
    expect(shop.landed()).toEqual([])
  })

  it('is rejected for a secret in its commits', async () => {
    const shop = newShop()
    shop.secrets.answers({ ...red, findings: [secret] })
    const [rule, reason] = await rejectedFor(shop, await shop.open())
    expect([rule, reason]).toEqual(['no-secrets', expect.stringContaining('an AWS key in config.txt:3')])
  })

  it('is rejected for findings of the review', async () => {
    const shop = newShop()
    shop.review.answers({ conclusion: 'failed', reason: 'conflict markers' })
    expect(await rejectedFor(shop, await shop.open())).toEqual(['review', 'conflict markers'])
  })

  it('is rejected for a conflict with the base, named by path, and its tests do not run', async () => {
    const shop = newShop()
    const number = await shop.open({ files: { 'README.md': 'mine\n' } }, { hint: 'lost' })
    shop.pushBase({ 'README.md': 'theirs\n' })
    await shop.look(number)
    const { decision } = await shop.phase(number, 'rejected')
    expect(decision!.rules.find(({ rule }) => rule === 'no-conflicts')).toMatchObject({
      outcome: 'fail',
      reason: 'conflicts with main in README.md',
    })
    expect(shop.tests.runs).toHaveLength(0)
  })

  it('is rejected while somebody asks for changes, and lands when that person approves', async () => {
    const shop = newShop()
    shop.setPolicy('merge: { auto: false }')
    const number = await shop.open()
    await shop.phase(number, 'waiting')
    await shop.submitReview(number, 'bob', 'changes-requested')
    expect(await rejectedFor(shop, number)).toEqual(['review', 'bob asked for changes'])
    shop.setPolicy('')
    await shop.submitReview(number, 'bob', 'approved')
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
  })

  it('does not land when changes were asked for while its checks ran', async () => {
    const shop = newShop()
    shop.tests.hold()
    const number = await shop.open()
    const run = await shop.tests.started(1)
    await shop.submitReview(number, 'bob', 'changes-requested')
    run.finish(passed)
    expect(await rejectedFor(shop, number)).toEqual(['review', 'bob asked for changes'])
    expect(shop.landed()).toEqual([])
    expect(shop.tests.runs).toHaveLength(1)
  })

  it('waits as a draft, and lands once it is ready', async () => {
    const shop = newShop()
    const number = await shop.open({ draft: true })
    expect((await shop.rest(number)).waiting).toMatchObject({
      for: expect.stringContaining('draft'),
      command: `switchyard pr ready ${number} --repo ${shop.repo}`,
    })
    await shop.update(number, { draft: false })
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    expect(shop.tests.runs).toHaveLength(1)
    await record('pullRequest', 'draft-then-ready', shop.pipeline(number))
  })

  it('lands by later approvals without testing again', async () => {
    const shop = newShop()
    shop.setPolicy(withApprovals(2))
    const number = await shop.open()
    await shop.rest(number)
    await shop.submitReview(number, 'bob', 'approved')
    await shop.when(number, 'counts one approval', ({ waiting }) => waiting?.for.includes('1 of 2') ?? false)
    await shop.submitReview(number, 'eve', 'approved')
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    expect(shop.tests.runs).toHaveLength(1)
  })

  it('waits where the policy declares no tests', async () => {
    const shop = newShop()
    shop.setPolicy('checks: {}')
    const number = await shop.open()
    expect((await shop.rest(number)).waiting!.for).toContain('the policy declares no tests')
    expect(shop.landed()).toEqual([])
  })

  it('waits for `pr merge` where the policy does not merge by itself', async () => {
    const shop = newShop()
    shop.setPolicy('merge: { auto: false }')
    const number = await shop.open()
    expect((await shop.rest(number)).waiting).toMatchObject({
      for: 'pr merge: merge.auto is off',
      command: `switchyard pr merge ${number} --repo ${shop.repo}`,
    })
    expect(await shop.merge(number)).toBeNull()
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
  })

  it('keeps a `pr merge` that comes before its first look', async () => {
    const shop = newShop()
    shop.setPolicy('merge: { auto: false }')
    shop.forge.failNext('getPullRequest', '5xx')
    shop.forge.failNext('getPullRequest', '5xx')
    const number = await shop.open({}, { hint: 'lost' })
    await shop.look(number)
    expect(await shop.merge(number)).toBeNull()
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
  })

  it('refuses `pr merge` and `pr review` once it has landed', async () => {
    const shop = newShop()
    for (let failures = 0; failures < 4; failures += 1) shop.forge.failNext('deleteBranch', '5xx')
    const number = await shop.open()
    await shop.phase(number, 'landed')
    expect(await shop.merge(number)).toBe('NotAllowed')
    expect(await shop.rerun(number)).toBe('NotAllowed')
    await shop.ended(number)
    expect(await shop.merge(number)).toBe('ended')
  })

  it('runs by `pr review` only what did not pass', async () => {
    const shop = newShop()
    shop.tests.answers(red, passed)
    const number = await shop.open()
    await shop.phase(number, 'rejected')
    expect(await shop.rerun(number)).toBeNull()
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    expect([shop.tests.runs, shop.secrets.runs, shop.review.runs].map(({ length }) => length)).toEqual([2, 1, 1])
    await record('pullRequest', 'rejected-then-reviewed-again', shop.pipeline(number))
  })

  it('heeds a `pr review` that comes while its checks run', async () => {
    const shop = newShop()
    shop.tests.answers('hold', passed)
    const number = await shop.open()
    const run = await shop.tests.started(1)
    let looks = 0
    const { getPullRequest } = shop.forge
    shop.forge.getPullRequest = (...args) => {
      looks += 1
      return getPullRequest(...args)
    }
    expect(await shop.rerun(number)).toBeNull()
    await until('it looked', () => looks > 0)
    run.finish(red)
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    expect(shop.tests.runs).toHaveLength(2)
  })

  it('tries an infrastructure failure again as often as the policy says, then waits without a rejection', async () => {
    const shop = newShop()
    shop.setPolicy('checks: { tests: { run: ./test.sh, retries: 2 } }')
    shop.tests.answers(broken)
    const number = await shop.open()
    const { phase, waiting } = await shop.rest(number)
    expect([phase, waiting!.for]).toEqual(['waiting', 'tests: no space left on the disk'])
    expect(waiting!.command).toBe(`switchyard pr review ${number} --repo ${shop.repo}`)
    expect(shop.tests.runs).toHaveLength(3)
    await record('pullRequest', 'infrastructure', shop.pipeline(number))
  })

  it('waits, and does not fail, when the tool of a check breaks again and again', async () => {
    const shop = newShop()
    shop.setPolicy('checks: { tests: { run: ./test.sh, retries: 0 } }')
    shop.tests.answer = () => {
      throw new Error('the checkout is gone')
    }
    const number = await shop.open()
    expect((await shop.rest(number)).waiting!.for).toContain('the checkout is gone')
    shop.tests.answers(passed)
    expect(await shop.rerun(number)).toBeNull()
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
  })

  it('asks the forge again for a mergeability that it had not computed', async () => {
    const shop = newShop()
    shop.forge.setMergeable(shop.repo, 1, 'unknown')
    const number = await shop.open()
    expect((await shop.phase(number, 'waiting')).waiting!.for).toContain('has not computed it yet')
    shop.forge.setMergeable(shop.repo, number, null)
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
  })

  it('shows why the policy of the base does not apply', async () => {
    const shop = newShop()
    shop.setPolicy('merge: { auto: false }', '.switchyard.yaml:3:1: unknown key "mrge"')
    const number = await shop.open()
    await shop.rest(number)
    await shop.comment(number, 'unknown key')
  })

  it('decides anew under a policy that changed', async () => {
    const shop = newShop()
    shop.setPolicy(withApprovals(1))
    const number = await shop.open()
    await shop.rest(number)
    shop.setPolicy('')
    await shop.look(number)
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    expect(shop.tests.runs).toHaveLength(1)
  })

  it('ends after lying too long, and the next look starts it again', async () => {
    const shop = newShop()
    shop.setPolicy('merge: { staleAfter: 1s }')
    shop.tests.answers(red)
    const number = await shop.open()
    expect(await shop.ended(number)).toMatchObject({ state: 'stale', outcome: 'reject' })
    expect(shop.effects('commented', number)).toHaveLength(1)
    const sentence = 'ended after 1 s without news; the next commit, approval or comment starts it again'
    expect(await shop.comment(number, sentence)).toContain('Not approved')
    const { head } = await shop.pullRequest(number)
    expect(await shop.forge.listChecks(shop.repo, head.sha)).toMatchObject([
      { status: 'completed', conclusion: 'neutral', summary: sentence },
    ])
    await record('pullRequest', 'stale', shop.pipeline(number))
    shop.tests.answers(passed)
    await shop.look(number)
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
  })

  it('heeds what happens while it says that it ends for lying too long', async () => {
    const shop = newShop()
    shop.setPolicy('merge: { staleAfter: 1s }')
    shop.tests.answers(red)
    const number = await shop.open()
    await shop.phase(number, 'rejected')
    for (let failures = 0; failures < 3; failures += 1) shop.forge.failNext('upsertComment', '5xx')
    await shop.when(number, 'ends', ({ waiting }) => waiting === null)
    shop.tests.answers(passed)
    await shop.push(number, { 'fix.txt': 'fixed\n' })
    await until('it landed', () => shop.landed().length === 1)
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
  })

  it('is not stopped by a forge that is away for a while', async () => {
    const shop = newShop()
    for (const method of ['getPullRequest', 'upsertComment', 'setCheck'] as const) shop.forge.failNext(method, '5xx')
    shop.forge.failNext('upsertComment', 'done-but-5xx')
    const number = await shop.open()
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    expect(shop.effects('commented', number)).toHaveLength(1)
  })
})
