import { expect, it } from 'vitest'
import { ForgeError } from '#activities/forge/port'
import type { KnownPerson } from '#domain/people'
import { cancelled, question, questionsOf, say } from './clarify.ts'
import { record } from './record.ts'
import type { Shop } from './shop.ts'
import { until } from './until.ts'
import { inWorld, newShop, world } from './world.ts'

const people: KnownPerson[] = [
  { name: 'rita', login: null, email: 'rita@example.org', groups: ['reviewers'] },
  { name: 'rob', login: null, email: null, groups: ['reviewers'] },
  { name: 'otto', login: null, email: null, groups: ['owners'] },
]

const asking = (approvals: string, more = '') =>
  `checks: { tests: { run: ./test.sh }, review: { approvals: { ${approvals}, ask: true } } }\n${more}`

/** The id of the question that a pull request waits for. */
async function asked(shop: Shop, number: number, isNew: (id: string) => boolean = () => true): Promise<string> {
  return until(`#${number} shows its question`, async () => {
    const status = await shop.status(number)
    const id = /^switchyard answer (ask:\w+) approve$/.exec(status?.waiting?.command ?? '')?.[1]
    return status?.resting && id !== undefined && isNew(id) ? id : null
  })
}

function define(): void {
  it('is asked for once, and lands what was answered with approve', async () => {
    const shop = newShop()
    shop.setPolicy(asking('count: 1, from: [reviewers]'))
    const number = await shop.open()
    const id = await asked(shop, number)
    expect((await shop.status(number))!.waiting).toMatchObject({
      for: `review: 0 of 1 approvals of this head from reviewers; asked as ${id}`,
      who: ['reviewers'],
    })
    await shop.comment(number, `switchyard answer ${id} approve`)
    const { head } = await shop.pullRequest(number)
    expect(await question(id)).toMatchObject({
      kind: 'approval',
      title: `Approve #${number} Add feature-1?`,
      key: `approval:${head.sha}:main`,
      who: ['reviewers'],
      needed: 1,
      context: expect.stringContaining(`switchyard pr diff ${number} --repo ${shop.repo}`) as string,
    })
    await shop.look(number)
    await shop.rest(number)
    expect(await say(id, 'ann', 'approve')).toBe('NotAllowed')
    expect(await say(id, 'rita@example.org', 'approve', 'well done')).toBeNull()
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    expect((await shop.pullRequest(number)).reviews).toMatchObject([
      { author: 'rita@example.org', state: 'approved', head: head.sha, body: 'well done' },
    ])
    expect(await questionsOf(shop, number)).toHaveLength(1)
    expect(shop.tests.runs).toHaveLength(1)
    await record('pullRequest', 'approved-by-an-answer', shop.pipeline(number))
  })

  it('rejects what was answered with reject, whoever else approved', async () => {
    const shop = newShop()
    shop.setPolicy(asking('count: 2'))
    const number = await shop.open()
    const id = await asked(shop, number)
    expect(await say(id, 'rita', 'approve')).toBeNull()
    expect(await say(id, 'rob', 'reject', 'not without a test')).toBeNull()
    const status = await shop.phase(number, 'rejected')
    expect(status.waiting!.for).toBe('review: rob asked for changes')
    expect((await shop.pullRequest(number)).reviews).toMatchObject([
      { author: 'rita', state: 'approved' },
      { author: 'rob', state: 'changes-requested', body: 'not without a test' },
    ])
  })

  it('counts an answer at once, with an approval that was given otherwise, before it or after it', async () => {
    const shop = newShop()
    shop.setPolicy(asking('count: 2'))
    const [early, late] = [await shop.open(), await shop.open()]
    for (const number of [early, late]) {
      const id = await asked(shop, number)
      expect(await question(id)).toMatchObject({ needed: 2 })
      const steps = [
        () => shop.submitReview(number, 'rob', 'approved'),
        async () => expect(await say(id, 'rita', 'approve', 'well done')).toBeNull(),
      ]
      for (const step of number === early ? steps : steps.toReversed()) {
        await step()
        await shop.rest(number)
      }
      expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
      expect(await cancelled(id)).toBe(`#${number} has the approvals that it needs`)
      expect(await questionsOf(shop, number)).toHaveLength(1)
      const { reviews } = await shop.pullRequest(number)
      expect(reviews.toSorted((a, b) => b.author.localeCompare(a.author))).toMatchObject([
        { author: 'rob', state: 'approved' },
        { author: 'rita', state: 'approved', body: 'well done' },
      ])
    }
    await record('pullRequest', 'approved-by-an-answer-and-a-review', shop.pipeline(late))
  })

  it('makes one review of each answer, though it is told before and with the last one', async () => {
    const shop = newShop()
    shop.setPolicy(asking('count: 2'))
    const number = await shop.open()
    const id = await asked(shop, number)
    expect(await say(id, 'rita', 'approve')).toBeNull()
    await shop.when(number, 'has her review', ({ waiting }) => waiting?.for.startsWith('review: 1 of 2') === true)
    expect(await question(id)).toMatchObject({ state: 'open', answered: [{ by: 'rita' }] })
    expect(await say(id, 'rob', 'approve')).toBeNull()
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    expect((await shop.pullRequest(number)).reviews.map(({ author }) => author).sort()).toEqual(['rita', 'rob'])
  })

  it('is taken back with a new head, and asked for anew', async () => {
    const shop = newShop()
    shop.setPolicy(asking('count: 1'))
    const number = await shop.open()
    const first = await asked(shop, number)
    const head = await shop.push(number, { 'more.txt': 'more\n' })
    const second = await asked(shop, number, (id) => id !== first)
    expect(await cancelled(first)).toBe(`the head of #${number} is ${head.slice(0, 12)} now`)
    expect(await say(first, 'rita', 'approve')).not.toBeNull()
    expect(await say(second, 'rita', 'approve')).toBeNull()
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    expect((await shop.pullRequest(number)).reviews).toMatchObject([{ head }])
    await record('pullRequest', 'asked-anew-for-a-new-head', shop.pipeline(number))
  })

  it('is taken back when somebody approves on the forge', async () => {
    const shop = newShop()
    shop.setPolicy(asking('count: 1', 'merge: { auto: false }'))
    const number = await shop.open()
    const id = await asked(shop, number)
    await shop.submitReview(number, 'rob', 'approved')
    expect(await cancelled(id)).toBe(`#${number} has the approvals that it needs`)
    expect(await shop.rest(number)).toMatchObject({ waiting: { for: 'pr merge: merge.auto is off' } })
  })

  it('is taken back when the pull request is closed, and asked for anew when it is reopened', async () => {
    const shop = newShop()
    shop.setPolicy(asking('count: 1'))
    const number = await shop.open()
    const first = await asked(shop, number)
    await shop.update(number, { state: 'closed' })
    expect(await cancelled(first)).toBe(`#${number} is closed`)
    await shop.ended(number)
    await shop.update(number, { state: 'open' })
    const second = await asked(shop, number, (id) => id !== first)
    expect(await say(second, 'rita', 'approve')).toBeNull()
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
  })

  it('asks nobody without the setting, in a dry run, or while something else is missing', async () => {
    const shop = newShop()
    shop.setPolicy('checks: { tests: { run: ./test.sh }, review: { approvals: 1 } }')
    const silent = await shop.open()
    await shop.rest(silent)
    shop.setPolicy(asking('count: 1', 'mode: dry-run'))
    const dry = await shop.open()
    await shop.rest(dry)
    shop.setPolicy(asking('count: 1'))
    const draft = await shop.open({ draft: true })
    await shop.rest(draft)
    for (const number of [silent, dry, draft]) expect(await questionsOf(shop, number)).toEqual([])
    await shop.update(draft, { draft: false })
    await asked(shop, draft)
    expect(await questionsOf(shop, draft)).toHaveLength(1)
  })

  it('is not asked for again after it expired, and a new head is', async () => {
    const shop = newShop()
    shop.setPolicy(asking('count: 1', 'questions: { approval: { expiresAfter: 300ms } }'))
    const number = await shop.open()
    const expired = await shop.when(number, 'says that nobody answered', ({ waiting, resting }) => {
      return resting && waiting!.for.endsWith('nobody answered in time when asked')
    })
    expect(expired.waiting!.command).toBe(`switchyard pr approve ${number} --repo ${shop.repo}`)
    await shop.rerun(number)
    await shop.rest(number)
    expect(await questionsOf(shop, number)).toHaveLength(1)
    shop.setPolicy(asking('count: 1'))
    await shop.push(number, { 'more.txt': 'more\n' })
    await asked(shop, number)
  })

  it('asks the owners about a change of the policy, and the reviewers about the change', async () => {
    const shop = newShop()
    const policy = `version: 1\n${asking('count: 1, from: [reviewers]', 'policyChange: { approvals: { count: 1, from: [owners] } }')}\n`
    shop.commitPolicy(policy)
    const number = await shop.open({ files: { '.switchyard.yaml': `${policy}mode: dry-run\n` } })
    const first = await asked(shop, number)
    expect(await questionsOf(shop, number)).toHaveLength(2)
    expect(await say(first, 'otto', 'approve')).toBe('NotAllowed')
    expect(await say(first, 'rita', 'approve')).toBeNull()
    const second = await asked(shop, number, (id) => id !== first)
    expect((await question(second)).title).toContain('(it changes the policy)')
    expect(await say(second, 'otto', 'approve')).toBeNull()
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
  })

  it('is asked for once where the owners are to approve both a change of the policy and the change', async () => {
    const shop = newShop()
    const policy = `version: 1\n${asking('count: 1', 'policyChange: { approvals: { count: 1, from: [owners] } }')}\n`
    shop.commitPolicy(policy)
    const number = await shop.open({ files: { '.switchyard.yaml': `${policy}mode: dry-run\n` } })
    const id = await asked(shop, number)
    expect(await questionsOf(shop, number)).toHaveLength(1)
    expect(await question(id)).toMatchObject({
      title: expect.stringContaining('(it changes the policy)') as string,
      who: ['owners'],
      context: expect.stringContaining('One approval counts for each of policy\\-change, review.') as string,
    })
    expect(await say(id, 'otto', 'approve')).toBeNull()
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
  })

  it('is asked for by a rule of the policy while the rule applies', async () => {
    const shop = newShop()
    const rule = '{ name: owned, if: { label: risky }, require: { approvals: { count: 1, from: [owners] } } }'
    shop.setPolicy(asking('count: 0', `merge: { auto: false }\nrules: [${rule}]`))
    const number = await shop.open()
    await shop.rest(number)
    expect(await questionsOf(shop, number)).toEqual([])
    await shop.update(number, { labels: ['risky'] })
    const first = await asked(shop, number)
    expect(await question(first)).toMatchObject({
      who: ['owners'],
      title: expect.stringContaining('(rule owned)?') as string,
    })
    await shop.update(number, { labels: [] })
    expect(await cancelled(first)).toBe(`#${number} needs no more of it`)
    await shop.update(number, { labels: ['risky'] })
    const second = await asked(shop, number, (id) => id !== first)
    expect(await say(second, 'otto', 'approve')).toBeNull()
    await shop.when(number, 'waits for pr merge', ({ waiting }) => waiting?.for === 'pr merge: merge.auto is off')
  })

  it('makes one review of an answer, though the attempt that made it was lost', async () => {
    const shop = newShop()
    shop.setPolicy(asking('count: 1'))
    const number = await shop.open()
    const id = await asked(shop, number)
    const { submitReview } = shop.forge
    let attempts = 0
    shop.forge.submitReview = async (...args) => {
      const review = await submitReview(...args)
      attempts += 1
      if (attempts === 1) throw new ForgeError('unavailable', 'the answer was lost')
      return review
    }
    expect(await say(id, 'rita', 'approve')).toBeNull()
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    expect(attempts).toBe(2)
    expect((await shop.pullRequest(number)).reviews).toHaveLength(1)
  })

  it('goes on after a signal that is no answer', async () => {
    const shop = newShop()
    shop.setPolicy(asking('count: 1'))
    const number = await shop.open()
    const id = await asked(shop, number)
    const { key } = await question(id)
    const given = { state: 'answered', value: 'approve', by: ['rita'], at: '2026-01-01T00:00:00.000Z', comment: '' }
    for (const outcome of [null, { ...given, answers: [null] }, { ...given, by: [null], answers: [] }]) {
      await shop.pipeline(number).signal('answered', { id, key, outcome })
    }
    const forged = { by: 'rita', value: 'approve', comment: '', through: 'cli', at: given.at }
    const words = [null, { answers: [forged] }, { answers: [null], remarks: [] }, { answers: [forged], remarks: [7] }]
    for (const word of words) await shop.pipeline(number).signal('progress', word && { id, key, ...word })
    await shop.pipeline(number).signal('progress', { id: 'ask:0', key, answers: [forged], remarks: [] })
    await shop.look(number)
    expect(await asked(shop, number)).toBe(id)
    expect((await shop.pullRequest(number)).reviews).toEqual([])
    expect(await say(id, 'rita', 'approve')).toBeNull()
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
  })

  it('is not forgotten that somebody rejected it while somebody else approved', async () => {
    const shop = newShop()
    shop.setPolicy(asking('count: 1'))
    const number = await shop.open()
    const id = await asked(shop, number)
    const { getPullRequest, submitReview } = shop.forge
    let refused: string | null = 'not asked'
    const duringLook: typeof getPullRequest = async (...args) => {
      shop.forge.getPullRequest = getPullRequest
      refused = await say(id, 'rita', 'reject', 'not without a test')
      await until('the pull request heard it', async () => {
        const { status } = await world().client.workflow.getHandle(id).describe()
        return status.name === 'COMPLETED' ? true : null
      })
      return getPullRequest(...args)
    }
    shop.forge.submitReview = (...args) => {
      shop.forge.submitReview = submitReview
      shop.forge.getPullRequest = duringLook
      return submitReview(...args)
    }
    await shop.submitReview(number, 'rob', 'approved')
    expect((await shop.phase(number, 'rejected')).waiting!.for).toBe('review: rita asked for changes')
    expect(refused).toBeNull()
    expect(shop.landed()).toEqual([])
  })

  it('is taken back where its pipeline is cancelled', async () => {
    const shop = newShop()
    shop.setPolicy(asking('count: 1'))
    const number = await shop.open()
    const id = await asked(shop, number)
    await shop.pipeline(number).cancel()
    expect(await cancelled(id)).toBe(`the pipeline of #${number} was cancelled`)
  })

  it('counts approvals that are there, and asks for the rest', async () => {
    const shop = newShop()
    shop.setPolicy('checks: { tests: { run: ./test.sh }, review: { approvals: 2 } }')
    const number = await shop.open()
    await shop.rest(number)
    await shop.submitReview(number, 'rob', 'approved')
    shop.setPolicy(asking('count: 2'))
    await shop.look(number)
    const id = await asked(shop, number)
    expect(await question(id)).toMatchObject({ needed: 1 })
    expect(await say(id, 'rob', 'approve')).toBe('NotAllowed')
    expect(await say(id, 'rita', 'approve')).toBeNull()
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
  })
}

inWorld('an approval that is missing', define, undefined, people)
