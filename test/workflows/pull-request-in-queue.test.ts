import { expect, it } from 'vitest'
import { approved, inTheQueue, queueIsEmpty } from './queue.ts'
import { broken, passed, red } from './scripted-check.ts'
import { until } from './until.ts'
import { inWorld, newShop } from './world.ts'

inWorld('a pull request in the merge queue', () => {
  it('says which candidate is tested, until when, and how to look', async () => {
    const shop = newShop()
    const { number, run } = await inTheQueue(shop)
    const { waiting } = (await shop.status(number))!
    expect(waiting).toMatchObject({
      for: expect.stringMatching(/^tests of candidate [0-9a-f]{12}$/),
      until: expect.any(String),
      who: ['switchyard'],
      command: `switchyard queue show --repo ${shop.repo}`,
    })
    run.finish(passed)
    await shop.ended(number)
  })

  it('refuses `pr review`, for its checks passed', async () => {
    const shop = newShop()
    const { number, run } = await inTheQueue(shop)
    expect(await shop.rerun(number)).toBe('NotAllowed')
    run.finish(passed)
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    expect(shop.tests.runs).toHaveLength(2)
  })

  it('keeps its place when somebody else approves it too', async () => {
    const shop = newShop()
    const { number, run } = await inTheQueue(shop)
    await shop.submitReview(number, 'bob', 'approved')
    await shop.when(number, 'counts the approval', ({ decision }) => JSON.stringify(decision).includes('bob'))
    expect(run.state).toBe('running')
    run.finish(passed)
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    expect(shop.tests.runs).toHaveLength(2)
  })

  it('keeps its place when it is approved too after a time of its rules has passed', async () => {
    const shop = newShop()
    const closes = Date.now() + 12_000
    const before = new Date(closes).toISOString().slice(0, 19)
    shop.setPolicy(`rules: [{ name: soon, require: { time: { before: ${before}Z } } }]\nmerge: { auto: false }`)
    const number = await shop.open()
    await shop.when(number, 'is approved', ({ resting, decision }) => resting && decision?.outcome === 'approve')
    shop.pushBase({ 'base.txt': 'moved\n' })
    shop.tests.hold()
    await shop.merge(number)
    const run = await shop.tests.started(2)
    await shop.phase(number, 'testing')
    await until('the time has passed', () => Date.now() >= closes)
    await shop.submitReview(number, 'bob', 'approved')
    await shop.when(number, 'counts the approval', ({ decision }) => JSON.stringify(decision).includes('bob'))
    expect((await shop.status(number))!.phase).toBe('testing')
    run.finish(passed)
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
  })

  it('leaves it when somebody asks for changes', async () => {
    const shop = newShop()
    const { number, run } = await inTheQueue(shop)
    shop.tests.answers(passed)
    await shop.submitReview(number, 'bob', 'changes-requested')
    await shop.phase(number, 'rejected')
    await until('its test was stopped', () => run.state === 'aborted')
    expect(shop.landed()).toEqual([])
  })

  it('says in its comment that it is there again, after `pr merge`', async () => {
    const shop = newShop()
    const { number, run } = await inTheQueue(shop)
    run.finish(red)
    await shop.comment(number, 'ejected from the merge queue')
    shop.tests.hold()
    await shop.merge(number)
    await shop.comment(number, 'Approved, in the merge queue')
    ;(await shop.tests.started(3)).finish(passed)
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
  })

  it('is merged only as the person saw it', async () => {
    const shop = newShop()
    const number = await approved(shop)
    const { head } = await shop.pullRequest(number)
    expect(await shop.merge(number, '0'.repeat(40))).toBe('NotAllowed')
    expect((await shop.status(number))!.phase).toBe('waiting')
    expect(await shop.merge(number, head.sha)).toBeNull()
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
  })

  it('waits before an infrastructure failure is tried again', async () => {
    const shop = newShop({ infrastructureRetry: 800 })
    const number = await approved(shop)
    const began: number[] = []
    shop.tests.answer = () => (began.push(Date.now()) < 2 ? broken : passed)
    await shop.merge(number)
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    expect(began[1]! - began[0]!).toBeGreaterThanOrEqual(750)
  })

  it('that was ejected heeds the policy under which it is decided anew, and not what the queue said of the old one', async () => {
    const shop = newShop()
    shop.setPolicy('merge: { method: fast-forward }')
    const number = await shop.open()
    shop.pushBase({ 'base.txt': 'moved\n' })
    await shop.look(number)
    await shop.when(number, 'was ejected', ({ waiting }) => waiting?.command?.includes('git rebase') ?? false)
    shop.setPolicy('mode: dry-run\nmerge: { method: squash }')
    await shop.look(number)
    await shop.when(number, 'is a dry run', ({ waiting }) => waiting?.for === 'dry run: it would land')
    shop.setPolicy('merge: { method: squash }')
    await shop.look(number)
    const asks = await shop.when(number, 'waits for pr merge', ({ waiting }) => /^pr merge: /.test(waiting?.for ?? ''))
    expect(asks.waiting!.command).toBe(`switchyard pr merge ${number} --repo ${shop.repo}`)
    await shop.merge(number)
    expect(await shop.ended(number)).toMatchObject({ state: 'merged', merged: { method: 'squash' } })
  })

  it('does not enter again by an offer that crosses the word that it was ejected', async () => {
    const shop = newShop({ enqueueAcknowledgement: 40 })
    const { pipelines } = shop
    shop.pipelines = {
      ...pipelines,
      enqueue: async (entry) => {
        const run = shop.tests.runs[1]
        if (run === undefined) return pipelines.enqueue(entry)
        run.finish(red)
        await queueIsEmpty(shop)
        return pipelines.enqueue(entry)
      },
    }
    const { number } = await inTheQueue(shop)
    await shop.when(number, 'was ejected', ({ waiting }) => waiting?.for.includes('ejected') ?? false)
    await queueIsEmpty(shop)
    expect(shop.landed()).toEqual([])
  })
})
