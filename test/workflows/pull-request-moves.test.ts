import { expect, it } from 'vitest'
import { record } from './record.ts'
import { passed, red } from './scripted-check.ts'
import { until } from './until.ts'
import { inWorld, newShop } from './world.ts'

inWorld('a pull request that moves', () => {
  it('stops the checks of a head that is no longer its head, and decides about the new one only', async () => {
    const shop = newShop()
    shop.tests.answers('hold', passed)
    const number = await shop.open()
    const old = await shop.tests.started(1)
    const head = await shop.push(number, { 'more.txt': 'more\n' })
    const { merged } = await shop.ended(number)
    expect(old.state).toBe('aborted')
    expect(shop.git.history(merged!.sha).size).toBe(2)
    expect(shop.git.files(merged!.sha)).toEqual(shop.git.files(head))
    const decisions = await shop.ledger.decisions(shop.repo, number)
    expect(decisions.map(({ outcome }) => outcome)).toEqual(['approve'])
    await record('pullRequest', 'new-head-during-checks', shop.pipeline(number))
  })

  it('uses no result of the old head for the new one', async () => {
    const shop = newShop()
    shop.tests.answers(red, 'hold')
    const number = await shop.open()
    await shop.phase(number, 'rejected')
    await shop.push(number, { 'more.txt': 'more\n' })
    const run = await shop.tests.started(2)
    expect((await shop.phase(number, 'checking')).checks.find(({ name }) => name === 'tests')!.state).toBe('running')
    run.finish(passed)
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
  })

  it('voids its approvals by a new head', async () => {
    const shop = newShop()
    shop.setPolicy('checks: { tests: { run: ./test.sh }, review: { approvals: 1 } }\nmerge: { auto: false }')
    const number = await shop.open()
    await shop.rest(number)
    await shop.submitReview(number, 'bob', 'approved')
    await shop.when(number, 'is approved', ({ decision }) => decision?.outcome === 'approve')
    await shop.push(number, { 'more.txt': 'more\n' })
    await shop.when(number, 'counts no approval', ({ waiting }) => waiting?.for.includes('0 of 1') ?? false)
  })

  it('ends when it is closed during its checks, and stops them', async () => {
    const shop = newShop()
    shop.tests.hold()
    const number = await shop.open()
    const run = await shop.tests.started(1)
    await shop.update(number, { state: 'closed' })
    expect(await shop.ended(number)).toMatchObject({ state: 'closed', merged: null })
    expect(run.state).toBe('aborted')
    await record('pullRequest', 'closed-during-checks', shop.pipeline(number))
  })

  it('leaves the queue when it is closed there, and its test is stopped', async () => {
    const shop = newShop()
    shop.setPolicy('merge: { auto: false }')
    const number = await shop.open()
    await shop.rest(number)
    shop.pushBase({ 'base.txt': 'moved\n' })
    shop.tests.hold()
    await shop.merge(number)
    const run = await shop.tests.started(2)
    await shop.update(number, { state: 'closed' })
    expect(await shop.ended(number)).toMatchObject({ state: 'closed' })
    await until('the queue is empty', async () => (await shop.queueStatus())?.entries.length === 0)
    await until('its test was stopped', () => run.state === 'aborted')
    expect(shop.landed()).toEqual([])
  })

  it('starts again when it is opened again', async () => {
    const shop = newShop()
    shop.tests.hold()
    const number = await shop.open()
    await shop.tests.started(1)
    await shop.update(number, { state: 'closed' })
    await shop.ended(number)
    shop.tests.answers(passed)
    await shop.update(number, { state: 'open' })
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    expect(shop.effects('commented', number)).toHaveLength(1)
  })

  it('is opened again while its pipeline says that it is closed: nothing is forgotten', async () => {
    const shop = newShop()
    shop.tests.answers(red, passed)
    const number = await shop.open()
    await shop.comment(number, 'exit code 1')
    for (let failures = 0; failures < 3; failures += 1) shop.forge.failNext('upsertComment', '5xx')
    await shop.update(number, { state: 'closed' })
    await shop.phase(number, 'closed')
    await shop.update(number, { state: 'open' })
    await shop.push(number, { 'fix.txt': 'fixed\n' })
    await until('it landed', () => shop.landed().length === 1)
  })

  it('does nothing twice for fifty looks at once', async () => {
    const shop = newShop()
    const number = await shop.open({}, { hint: 'lost' })
    await Promise.all(Array.from({ length: 50 }, () => shop.look(number)))
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    expect(shop.landed()).toEqual([number])
    expect(shop.effects('commented', number)).toHaveLength(1)
    expect([shop.tests.runs, shop.secrets.runs, shop.review.runs].map(({ length }) => length)).toEqual([1, 1, 1])
    expect(await shop.ledger.decisions(shop.repo, number)).toHaveLength(1)
  })

  it('is not tested again because the base moved', async () => {
    const shop = newShop()
    shop.setPolicy('merge: { auto: false }')
    const number = await shop.open()
    await shop.rest(number)
    shop.pushBase({ 'base.txt': 'moved\n' })
    await shop.look(number)
    await shop.rest(number)
    expect(shop.tests.runs).toHaveLength(1)
  })

  it('is rejected when the base moves into a conflict with it', async () => {
    const shop = newShop()
    shop.setPolicy('merge: { auto: false }')
    const number = await shop.open({ files: { 'README.md': 'mine\n' } })
    await shop.rest(number)
    shop.pushBase({ 'README.md': 'theirs\n' })
    await shop.look(number)
    const { decision } = await shop.phase(number, 'rejected')
    expect(decision!.rules.find(({ outcome }) => outcome === 'fail')!.rule).toBe('no-conflicts')
  })

  it('goes back from the queue when it becomes a draft', async () => {
    const shop = newShop()
    shop.setPolicy('merge: { auto: false }')
    const number = await shop.open()
    await shop.rest(number)
    shop.pushBase({ 'base.txt': 'moved\n' })
    shop.tests.hold()
    await shop.merge(number)
    await shop.tests.started(2)
    shop.tests.answers(passed)
    await shop.update(number, { draft: true })
    const { waiting } = await shop.when(number, 'is a draft', ({ phase }) => phase === 'waiting')
    expect(waiting!.for).toContain('draft')
    await until('the queue is empty', async () => (await shop.queueStatus())?.entries.length === 0)
  })

  it('is offered again to a queue that was lost before it acknowledged', async () => {
    const shop = newShop({ enqueueAcknowledgement: 500 })
    const { pipelines } = shop
    let lost = 0
    shop.pipelines = {
      ...pipelines,
      enqueue: async (entry) => {
        lost += 1
        return lost === 1 ? { workflowId: 'lost' } : pipelines.enqueue(entry)
      },
    }
    const number = await shop.open()
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    expect(shop.landed()).toEqual([number])
  })

  it('is offered again to a queue that was lost after it acknowledged, however often somebody looks', async () => {
    const shop = newShop({ enqueueAcknowledgement: 100 })
    shop.tests.answers(passed, 'hold', passed)
    const number = await shop.open({}, { hint: 'lost' })
    shop.setPolicy('merge: { auto: false }')
    await shop.look(number)
    await shop.rest(number)
    shop.pushBase({ 'base.txt': 'moved\n' })
    await shop.merge(number)
    await shop.phase(number, 'testing')
    await shop.queue().terminate('lost')
    await until('it landed', async () => {
      if (shop.landed().length === 0) await shop.look(number)
      return shop.landed().length > 0
    })
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    expect(shop.landed()).toEqual([number])
  })

  it('hears that it landed although the answer to its enqueue came later', async () => {
    const shop = newShop()
    const { pipelines } = shop
    let offers = 0
    shop.pipelines = {
      ...pipelines,
      enqueue: async (entry) => {
        offers += 1
        const answer = await pipelines.enqueue(entry)
        await until('it landed', () => shop.landed().length === 1)
        await until('the queue has told it', async () => (await shop.queueStatus())?.entries.length === 0)
        return answer
      },
    }
    const number = await shop.open()
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    expect(offers).toBe(1)
  })
})
