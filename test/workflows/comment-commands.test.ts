import { expect, it } from 'vitest'
import { repositoryWatchStatus } from '#contracts/repository-watch'
import { approved, inTheQueue, queueIsEmpty } from './queue.ts'
import { record } from './record.ts'
import { passed, red } from './scripted-check.ts'
import type { Shop } from './shop.ts'
import { until } from './until.ts'
import { inWorld, newShop, world } from './world.ts'

const done = { reaction: '+1', reply: null }
const MANUAL = 'merge: { auto: false }'

async function ruleOf(shop: Shop, number: number, rule: string) {
  return (await shop.status(number))!.decision?.rules.find((each) => each.rule === rule)
}

async function held(shop: Shop, number: number): Promise<void> {
  await shop.when(number, 'is held', ({ waiting }) => waiting?.for.startsWith('not-held: held by') ?? false)
}

inWorld('a command in a comment', () => {
  it('merge lands what the policy leaves to a person', async () => {
    const shop = newShop()
    const number = await approved(shop)
    const comment = await shop.say(number, 'bob', 'Thanks!\n\n/switchyard merge\n')
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    expect(await shop.answer(number, comment)).toEqual(done)
    expect(await shop.commanded(number)).toEqual([`${comment} bob merge done`])
    await record('pullRequest', 'merged-by-a-comment', shop.pipeline(number))
  })

  it('is found by the sweep when its hint was lost', async () => {
    const shop = newShop({ sweep: 200 })
    const number = await approved(shop)
    await shop.pipelines.watchRepository(shop.repo)
    await until('it was swept', async () => (await shop.watch().query(repositoryWatchStatus)).sweeps >= 2)
    await shop.rest(number)
    await shop.say(number, 'bob', '/switchyard merge', { hint: 'lost' })
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    await shop.watch().terminate()
  })

  it('is carried out once, however often the pipeline is told of it', async () => {
    const shop = newShop()
    shop.tests.answers(red)
    const number = await shop.open()
    await shop.phase(number, 'rejected')
    const comment = await shop.say(number, 'ann', '/switchyard retry')
    for (let count = 0; count < 3; count += 1) await shop.look(number)
    await shop.answer(number, comment)
    await shop.look(number)
    await shop.rest(number)
    expect(shop.tests.runs).toHaveLength(2)
    expect(await shop.commanded(number)).toEqual([`${comment} ann retry done`])
  })

  it('review runs again what did not pass', async () => {
    const shop = newShop()
    shop.tests.answers(red, passed)
    const number = await shop.open()
    await shop.phase(number, 'rejected')
    await shop.say(number, 'ann', '/switchyard review')
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
  })

  it('retry enters the queue again after an ejection, for whoever had asked that it lands', async () => {
    const shop = newShop()
    const { number, run } = await inTheQueue(shop)
    run.finish(red)
    await shop.comment(number, 'ejected from the merge queue')
    shop.tests.answers(passed)
    await shop.say(number, 'bob', '/switchyard retry')
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    expect((await shop.ledger.audit({ repo: shop.repo, number })).map(({ action }) => action)).toContain('pr.ejected')
  })

  it('retry lands nothing that nobody asked to land', async () => {
    const shop = newShop()
    const number = await approved(shop)
    const comment = await shop.say(number, 'bob', '/switchyard retry')
    expect(await shop.answer(number, comment)).toEqual(done)
    expect(await shop.rest(number)).toMatchObject({ phase: 'waiting' })
    expect(shop.landed()).toEqual([])
  })

  it('hold keeps an approved one from landing until a merge lifts it', async () => {
    const shop = newShop()
    shop.tests.hold()
    const number = await shop.open()
    const run = await shop.tests.started(1)
    const comment = await shop.say(number, 'bob', '/switchyard hold until *the* fair')
    expect(await shop.answer(number, comment)).toEqual(done)
    run.finish(passed)
    await held(shop, number)
    expect(await ruleOf(shop, number, 'not-held')).toMatchObject({
      outcome: 'pending',
      reason: expect.stringMatching(/^held by bob since .* \(until \*the\* fair\): lifted by \/switchyard merge/),
    })
    expect((await shop.status(number))!.waiting).toMatchObject({
      command: `switchyard pr merge ${number} --repo ${shop.repo}`,
    })
    await shop.comment(number, 'not-held')
    await shop.say(number, 'ann', '/switchyard merge')
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    await record('pullRequest', 'held-then-merged', shop.pipeline(number))
  })

  it('hold takes it out of the queue, and hold cancel lets it go on', async () => {
    const shop = newShop()
    const { number, run } = await inTheQueue(shop)
    await shop.say(number, 'bob', '/switchyard hold')
    await held(shop, number)
    await until('its test was stopped', () => run.state === 'aborted')
    await queueIsEmpty(shop)
    shop.tests.answers(passed)
    await shop.say(number, 'bob', '/switchyard hold cancel')
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    expect(shop.landed()).toEqual([number])
  })

  it('may be one of several, in their order', async () => {
    const shop = newShop()
    shop.setPolicy(MANUAL)
    const number = await approved(shop)
    const comment = await shop.say(number, 'bob', '/switchyard merge\n/switchyard hold')
    await held(shop, number)
    expect(await shop.answer(number, comment)).toEqual(done)
    expect(await shop.commanded(number)).toEqual([`${comment} bob merge done`, `${comment} bob hold done`])
    expect(shop.landed()).toEqual([])
  })

  it('of somebody who may not is refused, with the reason and who may', async () => {
    const shop = newShop()
    shop.setPolicy(`${MANUAL}\ncommands: { merge: [cay], hold: [anyone] }`)
    const number = await shop.open()
    await shop.rest(number)
    const comment = await shop.say(number, 'bob', '/switchyard hold\n/switchyard merge')
    const { reaction, reply } = await shop.answer(number, comment)
    expect(reaction).toBe('-1')
    expect(reply).toContain('`merge`: bob may not: only cay may')
    expect(reply).not.toContain('`hold`:')
    expect(await shop.commanded(number)).toEqual([`${comment} bob hold done`, `${comment} bob merge refused`])
    await held(shop, number)
    await shop.say(number, 'cay', '/switchyard merge')
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
  })

  it('that is none is refused with the list, once', async () => {
    const shop = newShop()
    const number = await approved(shop)
    const comment = await shop.say(number, 'bob', '/switchyard deploy')
    const { reaction, reply } = await shop.answer(number, comment)
    expect([reaction, reply]).toEqual(['-1', expect.stringContaining('there is no such command')])
    expect(reply).toContain('`hold cancel`')
    await shop.look(number)
    await shop.rest(number)
    expect(
      (await shop.forge.listComments(shop.repo, number)).filter(({ key }) => key?.startsWith('answer:')),
    ).toHaveLength(1)
  })

  it('is none in what Switchyard itself writes, or where it is edited into a comment that was heard', async () => {
    const shop = newShop()
    const number = await approved(shop)
    await shop.forge.upsertComment(shop.repo, number, 'other', '/switchyard merge')
    await shop.look(number)
    await shop.rest(number)
    expect(await shop.commanded(number)).toEqual([])
    expect(shop.landed()).toEqual([])
  })

  it('merge of another head than the one it names, or than the one that was there, is refused', async () => {
    const shop = newShop()
    shop.setPolicy(MANUAL)
    const number = await approved(shop)
    const { head } = await shop.pullRequest(number)
    const early = await shop.say(number, 'bob', '/switchyard merge', { hint: 'lost' })
    const now = await shop.push(number, { 'more.txt': 'more\n' })
    expect((await shop.answer(number, early)).reply).toContain(`has become ${now} since`)
    const named = await shop.say(number, 'bob', `/switchyard merge ${head.sha.slice(0, 10)}`)
    expect((await shop.answer(number, named)).reply).toContain(`is ${now}, not ${head.sha.slice(0, 10)}`)
    await shop.say(number, 'bob', `/switchyard merge ${now.slice(0, 10)}`)
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
  })

  it('is told again where telling it failed, and carried out once', async () => {
    const shop = newShop()
    shop.tests.answers(red)
    const number = await shop.open()
    await shop.phase(number, 'rejected')
    for (const method of ['react', 'upsertComment'] as const) shop.forge.failNext(method, 'done-but-5xx')
    const comment = await shop.say(number, 'ann', '/switchyard retry\n/switchyard jump')
    const { reaction, reply } = await shop.answer(number, comment)
    expect([reaction, reply]).toEqual(['-1', expect.stringContaining('no such command')])
    await shop.rest(number)
    expect(shop.tests.runs).toHaveLength(2)
    expect(shop.effects('commented', number)).toHaveLength(3)
  })

  it('of an earlier life of the pipeline is not carried out again, but its hold stays', async () => {
    const shop = newShop()
    const number = await shop.open({ draft: true })
    await shop.rest(number)
    const comment = await shop.say(number, 'bob', '/switchyard hold until monday')
    await shop.answer(number, comment)
    await shop.pipeline(number).terminate('as if it had failed')
    await shop.update(number, { draft: false })
    await held(shop, number)
    expect(await ruleOf(shop, number, 'not-held')).toMatchObject({ reason: expect.stringContaining('until monday') })
    expect(await shop.commanded(number)).toEqual([`${comment} bob hold done`])
    expect(await shop.hold(number, { cancel: true })).toBeNull()
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
  })

  it('of before a reopening concerned what was closed', async () => {
    const shop = newShop()
    const number = await approved(shop)
    await shop.update(number, { state: 'closed' })
    await shop.ended(number)
    await shop.say(number, 'bob', '/switchyard merge', { hint: 'lost' })
    await shop.update(number, { state: 'open' })
    expect(await shop.rest(number)).toMatchObject({ phase: 'waiting' })
    expect([await shop.commanded(number), shop.landed()]).toEqual([[], []])
  })
})

inWorld('`pr hold`', () => {
  it('keeps it from landing, is told to the audit trail, and is lifted by `pr merge`', async () => {
    const shop = newShop()
    const number = await shop.open({ draft: true })
    await shop.rest(number)
    expect(await shop.hold(number, { by: 'bob', reason: 'until the fair' })).toBeNull()
    await shop.update(number, { draft: false })
    await held(shop, number)
    expect(await shop.merge(number)).toBeNull()
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    expect(await shop.commanded(number)).toEqual(['update bob hold done', 'update ann merge done'])
  })

  it('comes too late for what is landing, which the pipeline then finds landed', async () => {
    const shop = newShop({ sweep: 200 })
    const number = await approved(shop)
    await shop.pipelines.watchRepository(shop.repo)
    const { merge } = shop.forge
    shop.forge.merge = async (...args) => {
      await shop.hold(number)
      return merge(...args)
    }
    await shop.merge(number)
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    expect(shop.landed()).toEqual([number])
    await shop.watch().terminate()
  })
})

inWorld(
  'continue-as-new of a held pull request',
  () => {
    it('keeps the hold, and hears no comment twice', async () => {
      const shop = newShop()
      const number = await shop.open({ draft: true })
      await shop.rest(number)
      const comment = await shop.say(number, 'bob', '/switchyard hold until the fair')
      await shop.answer(number, comment)
      const first = (await shop.pipeline(number).describe()).runId
      await until('it continued as new', async () => {
        await shop.look(number)
        return (await shop.pipeline(number).describe()).runId !== first
      })
      await shop.update(number, { draft: false })
      await held(shop, number)
      expect(await shop.commanded(number)).toEqual([`${comment} bob hold done`])
      await shop.say(number, 'bob', '/switchyard hold cancel')
      expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
      await record(
        'pullRequest',
        'held-and-continued-as-new',
        world().client.workflow.getHandle(shop.pipeline(number).workflowId, first),
      )
    })
  },
  ['limit.historyCount.suggestContinueAsNew=40'],
)
