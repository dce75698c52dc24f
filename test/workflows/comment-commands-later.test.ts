import { expect, it } from 'vitest'
import { pullRequestId } from '#contracts/ids'
import { pullRequestType, type PullRequestCarried } from '#contracts/pull-request'
import { taskQueue } from '#contracts/roles'
import { ForgeError } from '#activities/forge/port'
import { approved, inTheQueue } from './queue.ts'
import { passed, red } from './scripted-check.ts'
import type { Shop } from './shop.ts'
import { until } from './until.ts'
import { inWorld, newShop, world } from './world.ts'

const MANUAL = 'merge: { auto: false }'

/** As a run of 0.1.0 hands over, which knew no commands. */
const carried: PullRequestCarried = {
  ...{ snapshot: null, checks: {}, decision: null, phase: 'checking' },
  ...{ mergeRequest: null, ejected: null, waiting: null },
}

async function startCarried(shop: Shop, number: number): Promise<void> {
  const { repo, timings } = shop
  await world().client.workflow.start(pullRequestType, {
    ...{ workflowId: pullRequestId(repo, number), taskQueue: taskQueue('pr-review') },
    args: [{ repo, number, timings, carried }],
  })
}

inWorld('a first look', () => {
  it('refuses a merge without a commit where the head was pushed after it', async () => {
    const shop = newShop()
    shop.setPolicy(MANUAL)
    const number = await shop.open({}, { hint: 'lost' })
    const early = await shop.say(number, 'bob', '/switchyard merge', { hint: 'lost' })
    const now = await shop.push(number, { 'more.txt': 'more\n' })
    expect((await shop.answer(number, early)).reply).toContain(`has become ${now} since`)
    expect(await shop.rest(number)).toMatchObject({ phase: 'waiting' })
    expect(shop.landed()).toEqual([])
  })

  it('refuses it of a later life, too', async () => {
    const shop = newShop()
    const number = await approved(shop)
    await shop.pipeline(number).terminate('as if it had failed')
    const early = await shop.say(number, 'bob', '/switchyard merge', { hint: 'lost' })
    const now = await shop.push(number, { 'more.txt': 'more\n' })
    expect((await shop.answer(number, early)).reply).toContain(`has become ${now} since`)
    expect(shop.landed()).toEqual([])
  })

  it('carries out a merge of the head that is still there, opened or decided before', async () => {
    const shop = newShop()
    shop.setPolicy(MANUAL)
    const fresh = await shop.open({}, { hint: 'lost' })
    await shop.say(fresh, 'bob', '/switchyard merge')
    expect(await shop.ended(fresh)).toMatchObject({ state: 'merged' })
    const pushed = await shop.open()
    await shop.push(pushed, { 'more.txt': 'more\n' })
    await shop.when(pushed, 'is approved', ({ resting, decision }) => resting && decision?.outcome === 'approve')
    await shop.pipeline(pushed).terminate('as if it had failed')
    await shop.say(pushed, 'bob', '/switchyard merge')
    expect(await shop.ended(pushed)).toMatchObject({ state: 'merged' })
  })

  it('of a pipeline of 0.1.0 hears what is said from then on', async () => {
    const shop = newShop()
    shop.setPolicy(MANUAL)
    const number = await shop.open({}, { hint: 'lost' })
    await shop.say(number, 'bob', '/switchyard merge', { hint: 'lost' })
    await startCarried(shop, number)
    expect(await shop.rest(number)).toMatchObject({ phase: 'waiting' })
    expect(await shop.commanded(number)).toEqual([])
    await shop.say(number, 'bob', '/switchyard merge')
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
  })

  it('after an upgrade in the middle of a run hears what is said from then on', async () => {
    const shop = newShop()
    shop.setPolicy(MANUAL)
    const number = await shop.open({}, { hint: 'lost' })
    await shop.say(number, 'bob', '/switchyard merge', { hint: 'lost' })
    const { getPullRequest } = shop.forge
    shop.forge.getPullRequest = async (...args) => {
      const { newestComment: _unknown, ...pullRequest } = (await getPullRequest(...args))!
      return pullRequest as Awaited<ReturnType<typeof getPullRequest>>
    }
    await shop.look(number)
    await shop.rest(number)
    shop.forge.getPullRequest = getPullRequest
    await shop.look(number)
    expect(await shop.rest(number)).toMatchObject({ phase: 'waiting' })
    expect(await shop.commanded(number)).toEqual([])
    await shop.say(number, 'bob', '/switchyard merge')
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
  })
})

inWorld('a new run', () => {
  it('lands what a person had asked to land', async () => {
    const shop = newShop()
    shop.setPolicy(MANUAL)
    shop.tests.answers(red)
    const number = await shop.open()
    await shop.phase(number, 'rejected')
    const comment = await shop.say(number, 'bob', '/switchyard merge')
    await shop.answer(number, comment)
    await shop.pipeline(number).terminate('as if it had failed')
    shop.tests.answers(passed)
    await shop.look(number)
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    expect(await shop.commanded(number)).toEqual([`${comment} bob merge done`])
  })

  it('leaves out of the queue what that ejected, until somebody asks again', async () => {
    const shop = newShop()
    const { number, run } = await inTheQueue(shop)
    run.finish(red)
    await shop.comment(number, 'ejected from the merge queue')
    await shop.pipeline(number).terminate('as if it had failed')
    shop.tests.answers(passed)
    shop.setPolicy('')
    await shop.look(number)
    await shop.when(
      number,
      'rests, ejected',
      ({ resting, waiting }) =>
        resting && /^pr merge: the merge queue ejected it under another policy/.test(waiting?.for ?? ''),
    )
    expect(shop.landed()).toEqual([])
    await shop.say(number, 'bob', '/switchyard merge')
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
  })

  it('lifts no hold that it does not know of yet', async () => {
    const shop = newShop({ sweep: 50 })
    const number = await shop.open({ draft: true })
    await shop.rest(number)
    expect(await shop.hold(number)).toBeNull()
    await until('it is recorded', async () => (await shop.commanded(number)).length === 1)
    await shop.pipeline(number).terminate('as if it had failed')
    const { getPullRequest } = shop.forge
    shop.forge.getPullRequest = async () => {
      throw new ForgeError('forbidden', 'this may not be seen')
    }
    await shop.look(number)
    await shop.when(number, 'waits for another try', ({ waiting }) => /^another try/.test(waiting?.for ?? ''))
    expect(await shop.hold(number, { cancel: true })).toBe('NotAllowed')
    shop.forge.getPullRequest = getPullRequest
    await shop.when(number, 'is held', ({ resting, hold }) => resting && hold?.by === 'ann')
    expect(await shop.hold(number, { cancel: true })).toBeNull()
    await shop.when(number, 'is held no more', ({ hold }) => hold === null)
  })
})

inWorld('what a command was about', () => {
  it('is in the audit trail: the snapshot, of a comment and of an update', async () => {
    const shop = newShop()
    const number = await shop.open({ draft: true })
    const { decision } = await shop.rest(number)
    await shop.answer(number, await shop.say(number, 'bob', '/switchyard hold'))
    await shop.hold(number, { cancel: true })
    const entries = await until('both are recorded', async () => {
      const found = await shop.ledger.audit({ repo: shop.repo, number, action: 'pr.commanded' })
      return found.length === 2 && found
    })
    expect(entries.map(({ snapshotId }) => snapshotId)).toEqual([decision!.snapshotId, decision!.snapshotId])
  })
})

inWorld('a dry run', () => {
  it('answers no comment, and records what was asked', async () => {
    const shop = newShop()
    shop.setPolicy('mode: dry-run')
    const number = await shop.open()
    await shop.rest(number)
    const comment = await shop.say(number, 'bob', '/switchyard hold\n/switchyard deploy')
    await until('both are recorded', async () => (await shop.commanded(number)).length === 2)
    await shop.rest(number)
    expect(await shop.forge.listComments(shop.repo, number)).toMatchObject([{ id: comment, reactions: [] }])
  })
})
