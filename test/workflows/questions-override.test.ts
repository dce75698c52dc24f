import { expect, it } from 'vitest'
import type { KnownPerson } from '#domain/people'
import { cancelled, question, questionsOf, say } from './clarify.ts'
import { record } from './record.ts'
import { passed, red } from './scripted-check.ts'
import type { Shop } from './shop.ts'
import { until } from './until.ts'
import { inWorld, newShop, world } from './world.ts'

const people: KnownPerson[] = [
  { name: 'otto', login: null, email: null, groups: ['owners'] },
  { name: 'olga', login: null, email: null, groups: ['owners'] },
]

const rule = `rules: [{ name: small, require: { paths: { only: ['*.txt'] } } }]`
const overridable = (count = 1) =>
  `${rule}\noverrides: { rules: [small, review/criteria], by: [owners], count: ${count} }`

/** The id of the question whether to override what keeps a pull request from landing. */
async function asked(shop: Shop, number: number, isNew: (id: string) => boolean = () => true): Promise<string> {
  return until(`#${number} shows its question`, async () => {
    const status = await shop.status(number)
    const id = /whether to override it is asked as (ask:\w+)$/.exec(status?.waiting?.for ?? '')?.[1]
    return status?.resting && id !== undefined && isNew(id) ? id : null
  })
}

const forbidden = { files: { 'a.js': 'x\n' } }

function define(): void {
  it('lands what a rule refused, with the reason, once its tests passed', async () => {
    const shop = newShop()
    shop.setPolicy(overridable())
    const number = await shop.open(forbidden)
    const id = await asked(shop, number)
    const refused = await shop.rest(number)
    expect(refused).toMatchObject({ phase: 'rejected', waiting: { who: ['ann', 'owners'] } })
    expect(await question(id)).toMatchObject({ kind: 'escalation', who: ['owners'], expiresAt: null })
    expect(await say(id, 'ann', 'override', 'mine')).toBe('NotAllowed')
    expect(await say(id, 'otto', 'override')).toBe('NoReason')
    expect(await say(id, 'otto', 'override', 'the fair is tomorrow')).toBeNull()
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    const [decision] = await world().ledger.decisions(shop.repo, number)
    expect(decision!.outcome).toBe('approve')
    expect(decision!.rules.find((each) => each.rule === 'small')).toMatchObject({
      outcome: 'pass',
      reason: expect.stringMatching(/^overridden by otto: the fair is tomorrow \(also changes a\.js/) as string,
      overridden: { by: ['otto'], reason: 'the fair is tomorrow' },
    })
    const audit = (await shop.ledger.audit({ repo: shop.repo, number })).filter(
      ({ action }) => action === 'pr.overridden',
    )
    expect(audit).toMatchObject([{ actor: 'otto', details: { rules: 'small', reason: 'the fair is tomorrow' } }])
    await shop.comment(number, 'overridden by otto')
    expect(shop.tests.runs.length).toBeGreaterThan(0)
    await record('pullRequest', 'overridden-by-an-answer', shop.pipeline(number))
  })

  it('is not asked about while its tests are red, nor once something else keeps it from landing, too', async () => {
    const shop = newShop()
    shop.setPolicy(overridable())
    shop.tests.answers(red)
    const number = await shop.open(forbidden)
    await shop.rest(number)
    expect(await questionsOf(shop, number)).toEqual([])
    shop.tests.answers(passed)
    await shop.rerun(number)
    const id = await asked(shop, number)
    await shop.update(number, { draft: true })
    expect(await cancelled(id)).toBe(`#${number} needs no more of it`)
    expect(shop.landed()).toEqual([])
  })

  it('is void with a new head, which is asked about anew', async () => {
    const shop = newShop()
    shop.setPolicy(`merge: { auto: false }\n${overridable()}`)
    const number = await shop.open(forbidden)
    const first = await asked(shop, number)
    expect(await say(first, 'otto', 'override', 'the fair')).toBeNull()
    await shop.when(number, 'is approved', ({ waiting }) => waiting?.for === 'pr merge: merge.auto is off')
    await shop.push(number, { 'b.js': 'y\n' })
    const second = await asked(shop, number, (id) => id !== first)
    expect(await shop.rest(number)).toMatchObject({ phase: 'rejected', decision: { outcome: 'reject' } })
    expect(await question(second)).toMatchObject({ state: 'open' })
  })

  it('is asked about anew where more people must agree, and where somebody else refuses it, too', async () => {
    const shop = newShop()
    const policy = (count: number) =>
      `merge: { auto: false }\noverrides: { rules: [review/no-changes-requested], by: [owners], count: ${count} }`
    shop.setPolicy(policy(1))
    const number = await shop.open()
    await shop.submitReview(number, 'rob', 'changes-requested')
    const first = await asked(shop, number)
    shop.setPolicy(policy(2))
    await shop.look(number)
    const second = await asked(shop, number, (id) => id !== first)
    expect(await cancelled(first)).toBe(`#${number} needs no more of it`)
    for (const by of ['otto', 'olga']) expect(await say(second, by, 'override', 'the fair')).toBeNull()
    await shop.when(number, 'is approved', ({ decision }) => decision?.outcome === 'approve')
    await shop.submitReview(number, 'rita', 'changes-requested')
    const third = await asked(shop, number, (id) => id !== first && id !== second)
    expect(await shop.rest(number)).toMatchObject({ phase: 'rejected' })
    expect(await question(third)).toMatchObject({ state: 'open', needed: 2 })
  })

  it('stays refused where somebody leaves it, and is not asked about again', async () => {
    const shop = newShop()
    shop.setPolicy(overridable(2))
    const number = await shop.open(forbidden)
    const id = await asked(shop, number)
    expect(await question(id)).toMatchObject({ needed: 2 })
    expect(await say(id, 'otto', 'override', 'the fair')).toBeNull()
    expect(await say(id, 'olga', 'leave', 'no')).toBeNull()
    await shop.when(number, 'waits for its author only', ({ waiting, resting, phase }) => {
      return resting && phase === 'rejected' && waiting?.who.join() === 'ann'
    })
    await shop.rerun(number)
    expect(await shop.rest(number)).toMatchObject({ phase: 'rejected', waiting: { who: ['ann'] } })
    expect(await questionsOf(shop, number)).toHaveLength(1)
  })

  it('is not asked for where the policy has no overrides, or another criterion refuses it as well', async () => {
    const shop = newShop()
    shop.setPolicy(rule)
    const without = await shop.open(forbidden)
    await shop.rest(without)
    shop.setPolicy(overridable())
    const draft = await shop.open({ ...forbidden, draft: true })
    await shop.rest(draft)
    for (const number of [without, draft]) expect(await questionsOf(shop, number)).toEqual([])
  })
}

inWorld('what alone refuses a pull request', define, undefined, people)
