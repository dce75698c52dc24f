import { expect, it } from 'vitest'
import type { KnownPerson } from '#domain/people'
import { queueIsEmpty } from './queue.ts'
import { record } from './record.ts'
import { passed, red } from './scripted-check.ts'
import { inWorld, newShop, world } from './world.ts'

const people: KnownPerson[] = [
  { name: 'rita', login: null, email: 'rita@example.org', groups: ['reviewers'] },
  { name: 'otto', login: null, email: null, groups: ['owners'] },
]

function define(): void {
  it('lands what lacked a label, once somebody has set it', async () => {
    const shop = newShop()
    shop.setPolicy('rules: [{ name: labelled, require: { label: ready } }]')
    const number = await shop.open()
    const waits = await shop.rest(number)
    expect(waits).toMatchObject({ phase: 'waiting', waiting: { for: 'labelled: has no label ready' } })
    await shop.update(number, { labels: ['other'] })
    await shop.update(number, { labels: ['other', 'ready'] })
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    expect(shop.tests.runs).toHaveLength(1)
  })

  it('does not land what got a label while it was checked', async () => {
    const shop = newShop()
    shop.setPolicy('rules: [{ name: not-blocked, require: { not: { label: blocked } } }]')
    shop.tests.hold()
    const number = await shop.open()
    await shop.phase(number, 'checking')
    await shop.update(number, { labels: ['blocked'] })
    const run = await shop.tests.started(1)
    run.finish(passed)
    expect(await shop.rest(number)).toMatchObject({
      phase: 'waiting',
      waiting: { for: 'not-blocked: has the label blocked' },
    })
    expect(shop.landed()).toEqual([])
  })

  it('counts the approvals of a group only, and refuses for good what no approval can mend', async () => {
    const shop = newShop()
    shop.setPolicy(`checks: { tests: { run: ./test.sh }, review: { approvals: { count: 1, from: [reviewers] } } }
rules: [{ name: small, require: { paths: { only: ['*.txt'] } } }]`)
    const number = await shop.open()
    await shop.rest(number)
    await shop.submitReview(number, 'stranger', 'approved')
    await shop.when(number, 'waits for a reviewer', ({ waiting, resting }) => {
      return resting && waiting?.for === 'review: 0 of 1 approvals of this head from reviewers'
    })
    await shop.submitReview(number, 'Rita@example.org', 'approved')
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    const other = await shop.open({ files: { 'a.js': 'x\n' } })
    expect(await shop.rest(other)).toMatchObject({ phase: 'rejected' })
  })

  it('decides and records in a dry run, and touches nothing', async () => {
    const shop = newShop()
    shop.setPolicy('mode: dry-run')
    const number = await shop.open()
    const rests = await shop.rest(number)
    expect(rests).toMatchObject({ phase: 'waiting', decision: { outcome: 'approve', dryRun: true } })
    expect(rests.waiting!.for).toBe('dry run: it would land')
    shop.tests.answers(red)
    const refused = await shop.open()
    expect((await shop.rest(refused)).waiting!.for).toContain('dry run: it would not land, tests: ')
    expect(await shop.merge(number)).toBe('NotAllowed')
    const [recorded] = await world().ledger.decisions(shop.repo, number)
    expect(recorded).toMatchObject({ outcome: 'approve', dryRun: true })
    expect(await shop.forge.listComments(shop.repo, number)).toEqual([])
    expect(await shop.forge.listChecks(shop.repo, (await shop.pullRequest(number)).head.sha)).toEqual([])
    expect(await shop.queueStatus()).toBeNull()
    await shop.pipelines.enqueue(await shop.entry(number, recorded!.snapshotId))
    await queueIsEmpty(shop)
    expect(shop.landed()).toEqual([])
  })

  it('lands a change of the policy under the old one and its own approval, and decides anew under the new one', async () => {
    const shop = newShop({ sweep: 500 })
    const tests = 'checks: { tests: { run: ./test.sh } }'
    const before = `${tests}\npolicyChange: { approvals: { count: 1, from: [owners] } }\n`
    shop.commitPolicy(`${before}rules: [{ name: labelled, require: { label: ready } }]\n`)
    await shop.pipelines.watchRepository(shop.repo)
    const waiting = await shop.open()
    expect(await shop.rest(waiting)).toMatchObject({ waiting: { for: 'labelled: has no label ready' } })
    const change = await shop.open({ files: { '.switchyard.yaml': 'rules: [{ require: { lable: x } }]\n' } })
    expect(await shop.rest(change)).toMatchObject({ phase: 'rejected' })
    await shop.comment(change, 'switchyard.yaml:1:22')
    await shop.push(change, { '.switchyard.yaml': before })
    await shop.update(change, { labels: ['ready'] })
    await shop.when(change, 'waits for an owner', ({ waiting, resting }) => {
      return resting && (waiting?.for ?? '').includes('0 of 1 approvals of this head from owners')
    })
    await shop.submitReview(change, 'otto', 'approved')
    expect(await shop.ended(change)).toMatchObject({ state: 'merged' })
    expect(await shop.ended(waiting)).toMatchObject({ state: 'merged' })
    expect(shop.landed()).toEqual([change, waiting])
  })

  it('waits for a time, and decides again when it has come', async () => {
    const shop = newShop()
    const opens = new Date(Date.now() + 4_000).toISOString().slice(0, 19)
    shop.setPolicy(`rules: [{ name: later, require: { time: { after: ${opens}Z } } }]`)
    const number = await shop.open()
    const waits = await shop.rest(number)
    expect(waits).toMatchObject({
      phase: 'waiting',
      waiting: { for: `later: closed until ${opens}.000Z`, until: `${opens}.000Z`, who: ['switchyard'] },
    })
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    expect(Date.parse((await shop.pullRequest(number)).merged!.at)).toBeGreaterThanOrEqual(Date.parse(`${opens}Z`))
    await record('pullRequest', 'rule-of-time', shop.pipeline(number))
  })
}

inWorld('rules of the policy', define, undefined, people)
