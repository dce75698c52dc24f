import { expect, it } from 'vitest'
import { enqueue, leave } from '#contracts/merge-queue'
import { approved, expectOnlyTested, queueIsEmpty } from './queue.ts'
import { record } from './record.ts'
import { broken, passed, red } from './scripted-check.ts'
import { until } from './until.ts'
import { inWorld, newShop } from './world.ts'

inWorld('the merge queue', () => {
  it('lands in the order of entry, each on the base that the one before made', async () => {
    const shop = newShop()
    const numbers = [await approved(shop), await approved(shop), await approved(shop)]
    shop.tests.hold()
    const before = shop.tests.runs.length
    await shop.merge(numbers[0]!)
    const first = await shop.tests.started(before + 1)
    for (const [place, number] of numbers.slice(1).entries()) {
      await shop.merge(number)
      await until('it is queued', async () => (await shop.queueStatus())?.entries[place + 1]?.number === number)
    }
    shop.tests.answers(passed)
    first.finish(passed)
    for (const number of numbers) expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    expect(shop.landed()).toEqual(numbers)
    await expectOnlyTested(shop)
    await record('mergeQueue', 'three-in-order', shop.queue())
  })

  it('shows what stands where and what each waits for', async () => {
    const shop = newShop()
    const [first, second] = [await approved(shop), await approved(shop)]
    shop.tests.hold()
    await shop.merge(first)
    await shop.phase(first, 'testing')
    await shop.merge(second)
    await shop.phase(second, 'queued')
    const { entries } = await until('both are in', async () => {
      const status = await shop.queueStatus()
      return status?.entries.length === 2 && status
    })
    expect(entries.map(({ number, position, state }) => [number, position, state])).toEqual([
      [first, 1, 'testing'],
      [second, 2, 'waiting'],
    ])
    expect(entries[1]!.waiting.for).toBe(`#${first} ahead of it`)
  })

  it('tests again what differs from what was tested, and lands only that', async () => {
    const shop = newShop()
    const number = await approved(shop)
    await shop.merge(number)
    const { merged } = await shop.ended(number)
    expect(shop.tests.runs).toHaveLength(2)
    expect(await shop.git.treeOf(shop.tests.runs[1]!.subject)).toBe(merged!.tree)
    await expectOnlyTested(shop)
  })

  it('rebuilds on a base that moved while it tested, and tests the new tree', async () => {
    const shop = newShop()
    const number = await approved(shop)
    shop.tests.answers('hold', passed)
    await shop.merge(number)
    const run = await shop.tests.started(2)
    const moved = shop.pushBase({ 'again.txt': 'moved\n' })
    run.finish(passed)
    const { merged } = await shop.ended(number)
    expect(shop.tests.runs).toHaveLength(3)
    expect(await shop.git.isAncestor(moved, merged!.sha)).toBe(true)
    expect(shop.git.files(merged!.sha)).toHaveProperty(['again.txt'])
    await expectOnlyTested(shop)
    await record('mergeQueue', 'rebuilt-on-a-moved-base', shop.queue())
  })

  it('rebuilds without a new test where the tree stays the same', async () => {
    const shop = newShop()
    const number = await approved(shop)
    shop.tests.answers('hold')
    await shop.merge(number)
    const run = await shop.tests.started(2)
    shop.pushBase({})
    shop.git.setBranch('main', shop.git.add(shop.git.branch('main'), {}, 'an empty commit'))
    run.finish(passed)
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    expect(shop.tests.runs).toHaveLength(2)
    await expectOnlyTested(shop)
  })

  it('ejects what conflicts with the base of the moment, and names the paths', async () => {
    const shop = newShop()
    const number = await approved(shop, { 'README.md': 'mine\n' })
    shop.pushBase({ 'README.md': 'theirs\n' })
    await shop.merge(number)
    const { phase, waiting, decision } = await shop.when(number, 'was refused', ({ phase, waiting }) => {
      return phase === 'rejected' || (phase === 'waiting' && (waiting?.for.includes('ejected') ?? false))
    })
    expect([phase, waiting!.for, decision!.rules.map(({ reason }) => reason).join()].join()).toContain(
      'conflicts with main in README.md',
    )
    expect(shop.landed()).toEqual([])
  })

  it('is no rest: an ejected conflict is decided anew before anybody is told that it rests', async () => {
    const shop = newShop()
    const number = await approved(shop, { 'README.md': 'mine\n' })
    shop.pushBase({ 'README.md': 'theirs\n' })
    await shop.merge(number)
    expect(await shop.rest(number)).toMatchObject({ phase: 'rejected' })
  })

  it('ejects what is red on the base of the moment; it waits, and `pr merge` tries it again', async () => {
    const shop = newShop()
    const number = await approved(shop)
    shop.tests.answers(red, passed)
    await shop.merge(number)
    const { waiting } = await shop.when(number, 'was ejected', ({ phase, waiting }) => {
      return phase === 'waiting' && (waiting?.for.includes('ejected') ?? false)
    })
    expect(waiting).toMatchObject({
      for: 'ejected from the merge queue: tests on the merge result: exit code 1',
      command: `switchyard pr merge ${number} --repo ${shop.repo}`,
    })
    expect(shop.landed()).toEqual([])
    await queueIsEmpty(shop)
    await shop.merge(number)
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    await expectOnlyTested(shop)
    await record('mergeQueue', 'ejected-then-landed', shop.queue())
    await record('pullRequest', 'ejected-then-landed', shop.pipeline(number))
  })

  it('goes on with the next when the first is red', async () => {
    const shop = newShop()
    const [bad, good] = [await approved(shop), await approved(shop)]
    shop.tests.answers('hold', passed)
    await shop.merge(bad)
    const run = await shop.tests.started(3)
    await shop.merge(good)
    await shop.phase(good, 'queued')
    run.finish(red)
    expect(await shop.ended(good)).toMatchObject({ state: 'merged' })
    expect(shop.landed()).toEqual([good])
  })

  it('tries an infrastructure failure again, then ejects with its reason', async () => {
    const shop = newShop()
    const number = await approved(shop)
    shop.tests.answers(broken)
    await shop.merge(number)
    const { waiting } = await shop.when(
      number,
      'was ejected',
      ({ waiting }) => waiting?.for.includes('ejected') ?? false,
    )
    expect(waiting!.for).toContain('no space left on the disk')
    expect(shop.tests.runs).toHaveLength(3)
  })

  it('outlives a tool that breaks again and again, and lands the next', async () => {
    const shop = newShop()
    shop.setPolicy('checks: { tests: { run: ./test.sh, retries: 0 } }\nmerge: { auto: false }')
    const number = await shop.open()
    await shop.rest(number)
    shop.pushBase({ 'base.txt': 'moved\n' })
    shop.tests.answer = () => {
      throw new Error('the checkout is gone')
    }
    await shop.merge(number)
    const { waiting } = await shop.when(
      number,
      'was ejected',
      ({ waiting }) => waiting?.for.includes('ejected') ?? false,
    )
    expect(waiting!.for).toContain('the checkout is gone')
    shop.tests.answers(passed)
    await shop.merge(number)
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
  })

  it('ejects an entry that can not be built at all, and goes on', async () => {
    const shop = newShop()
    const [unknown, good] = [await shop.open({}, { hint: 'lost' }), await approved(shop)]
    const { repo, branch, ...entry } = await shop.entry(unknown, 'a snapshot that is not in the ledger')
    await shop.pipelines.enqueue({ repo, branch, ...entry })
    await shop.merge(good)
    expect(await shop.ended(good)).toMatchObject({ state: 'merged' })
    expect(shop.landed()).toEqual([good])
  })

  it('stops the test of an entry that leaves', async () => {
    const shop = newShop()
    const number = await approved(shop)
    shop.tests.hold()
    await shop.merge(number)
    const run = await shop.tests.started(2)
    const { head } = await shop.pullRequest(number)
    await shop.queue().signal(leave, { number, head: head.sha, reason: 'test' })
    await until('its test was stopped', () => run.state === 'aborted')
    await queueIsEmpty(shop)
    expect(shop.landed()).toEqual([])
  })

  it('tests an entry anew that left and came back before its test had stopped', async () => {
    const shop = newShop()
    const number = await approved(shop)
    shop.tests.answers('hold', passed)
    await shop.merge(number)
    const run = await shop.tests.started(2)
    const { head } = await shop.pullRequest(number)
    const snapshotId = (await shop.status(number))!.decision!.snapshotId
    await shop.queue().signal(leave, { number, head: head.sha, reason: 'test' })
    await shop.queue().signal(enqueue, await shop.entry(number, snapshotId))
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    expect(run.state).toBe('aborted')
    expect(shop.landed()).toEqual([number])
    await record('mergeQueue', 'left-and-came-back', shop.queue())
  })

  it('ignores a `leave` about an older head', async () => {
    const shop = newShop()
    const number = await approved(shop)
    shop.tests.answers('hold')
    await shop.merge(number)
    const run = await shop.tests.started(2)
    await shop.queue().signal(leave, { number, head: '0'.repeat(40), reason: 'test' })
    run.finish(passed)
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
  })
})
