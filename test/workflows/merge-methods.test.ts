import { describe, expect, it } from 'vitest'
import { ForgeError } from '#activities/forge/port'
import { pullRequestId } from '#contracts/ids'
import type { MergeMethod } from '#domain/policy'
import type { Waiting } from '#domain/pull-request'
import { expectOnlyTested } from './queue.ts'
import type { Shop } from './shop.ts'
import { inWorld, newShop } from './world.ts'

const bob = { name: 'Bob Sample', email: 'bob@example.test' }

/** A second commit on the head of a pull request, by somebody else. */
async function addCommit(shop: Shop, number: number): Promise<void> {
  const { head } = await shop.pullRequest(number)
  shop.git.setBranch(head.ref, shop.git.add(head.sha, { [`more-${number}.txt`]: 'more\n' }, 'Add more', bob))
  await shop.look(number)
}

/** What the base got since `before`, oldest first. */
function landedOn(shop: Shop, before: string) {
  return shop.git.commits(before, shop.git.branch('main')!)
}

/** An approved pull request of two commits that waits for `pr merge`, on a base that has moved since its tests. */
async function approvedPair(shop: Shop, method: MergeMethod): Promise<{ number: number; base: string }> {
  shop.setPolicy(`merge: { auto: false, method: ${method} }`)
  const number = await shop.open({ branch: 'pair', title: 'Add a pair' }, { hint: 'lost' })
  await addCommit(shop, number)
  await shop.when(number, 'is approved', ({ resting, decision }) => resting && decision?.outcome === 'approve')
  return { number, base: shop.pushBase({ 'base.txt': 'moved\n' }) }
}

/** What a pull request waits for that the queue gave back. */
async function ejection(shop: Shop, number: number): Promise<Waiting> {
  const { waiting } = await shop.when(
    number,
    'is ejected',
    (status) => status.waiting?.for.startsWith('ejected') ?? false,
  )
  return waiting!
}

/** The first landing is killed once the ref has moved, before the forge has its record. */
function killBetweenRefAndRecord(shop: Shop): () => number {
  const { merge } = shop.forge
  let attempts = 0
  shop.forge.merge = async (repo, number, request) => {
    attempts += 1
    if (attempts > 1) return merge(repo, number, request)
    await shop.git.updateRefs([{ ref: 'refs/heads/main', from: request.expectedBase, to: request.commit }])
    throw new ForgeError('unavailable', 'killed')
  }
  return () => attempts
}

inWorld('landing by each method', () => {
  describe('a pull request of two commits by two people, on a base that moved,', () => {
    it('lands as one commit of both by squash', async () => {
      const shop = newShop()
      const { number, base } = await approvedPair(shop, 'squash')
      await shop.merge(number)
      expect(await shop.ended(number)).toMatchObject({ state: 'merged', merged: { method: 'squash' } })
      const [commit, ...others] = await landedOn(shop, base)
      expect(others).toEqual([])
      expect(commit).toMatchObject({ author: { email: 'ada@example.test' }, parents: [base] })
      expect(commit!.subject).toBe(
        `Add a pair (#${number})\n\nCo-authored-by: Bob Sample <bob@example.test>\n` +
          `Switchyard-Run: ${pullRequestId(shop.repo, number)}\n`,
      )
      await expectOnlyTested(shop)
    })

    it('lands as both commits, each by its author, by rebase', async () => {
      const shop = newShop()
      const { number, base } = await approvedPair(shop, 'rebase')
      await shop.merge(number)
      expect(await shop.ended(number)).toMatchObject({ state: 'merged', merged: { method: 'rebase' } })
      const [first, second] = await landedOn(shop, base)
      expect([first!.author.email, second!.author.email]).toEqual(['ada@example.test', bob.email])
      expect([first!.parents, second!.parents]).toEqual([[base], [first!.sha]])
      expect(second!.sha).toBe((await shop.pullRequest(number)).merged!.sha)
      expect(shop.git.files(second!.sha)).toMatchObject({ 'pair.txt': 'pair\n', 'base.txt': 'moved\n' })
      await shop.comment(number, `Landed as \`${second!.sha.slice(0, 12)}\` (rebase)`)
      await expectOnlyTested(shop)
    })

    it('lands with both commits behind a merge by merge', async () => {
      const shop = newShop()
      const { number, base } = await approvedPair(shop, 'merge')
      const { head } = await shop.pullRequest(number)
      await shop.merge(number)
      expect(await shop.ended(number)).toMatchObject({ state: 'merged', merged: { method: 'merge' } })
      const tip = (await landedOn(shop, base)).at(-1)
      expect(tip!.parents).toEqual([base, head.sha])
      await expectOnlyTested(shop)
    })

    it('waits for its branch to be rebased where only a fast-forward may land it, then lands by itself', async () => {
      const shop = newShop()
      shop.setPolicy('merge: { method: fast-forward }')
      const number = await shop.open({ branch: 'pair' }, { hint: 'lost' })
      await addCommit(shop, number)
      const base = shop.pushBase({ 'base.txt': 'moved\n' })
      await shop.look(number)
      const waiting = await ejection(shop, number)
      expect(waiting.for).toContain(`main is at ${base.slice(0, 12)}`)
      expect(waiting.command).toContain('git rebase switchyard/main pair')
      const rebased = shop.git.add(base, { 'pair.txt': 'pair\n' }, 'Add a pair')
      shop.git.setBranch('pair', rebased)
      await shop.look(number)
      expect(await shop.ended(number)).toMatchObject({
        state: 'merged',
        merged: { sha: rebased, method: 'fast-forward' },
      })
      expect(shop.git.branch('main')).toBe(rebased)
      await expectOnlyTested(shop)
    })
  })

  describe('a landing that was killed once the ref had moved', () => {
    it.each(['rebase', 'fast-forward'] as const)('is recognised and recorded once: %s', async (method) => {
      const shop = newShop()
      shop.setPolicy(`merge: { method: ${method} }`)
      const attempts = killBetweenRefAndRecord(shop)
      const base = shop.git.branch('main')!
      const number = await shop.open({}, { hint: 'lost' })
      await addCommit(shop, number)
      const { merged } = await shop.ended(number)
      expect(attempts()).toBeGreaterThan(1)
      expect(merged).toMatchObject({ method, sha: shop.git.branch('main') })
      expect(await landedOn(shop, base)).toHaveLength(2)
      expect(await shop.ledger.landings(shop.repo, 'main')).toMatchObject([{ number, base, commit: merged!.sha }])
    })
  })

  describe('a pull request whose changes the base has already', () => {
    it.each(['merge', 'squash', 'rebase'] as const)(
      'is given back with that reason, never landed empty: %s',
      async (method) => {
        const shop = newShop()
        shop.setPolicy(`merge: { method: ${method} }`)
        const number = await shop.open({ files: { 'same.txt': 'same\n' } }, { hint: 'lost' })
        const base = shop.pushBase({ 'same.txt': 'same\n' })
        await shop.look(number)
        const waiting = await ejection(shop, number)
        expect(waiting).toMatchObject({
          for: 'ejected from the merge queue: its changes are in main already',
          command: `switchyard pr close ${number} --repo ${shop.repo}`,
        })
        expect(shop.git.branch('main')).toBe(base)
        expect(shop.landed()).toEqual([])
      },
    )
  })

  describe('a pull request one of whose commits conflicts', () => {
    it('is given back by rebase with the name of that commit', async () => {
      const shop = newShop()
      shop.setPolicy('merge: { method: rebase }')
      const number = await shop.open({}, { hint: 'lost' })
      const { head } = await shop.pullRequest(number)
      const there = shop.git.add(head.sha, { 'base.txt': 'there\n' }, 'Go there')
      shop.git.setBranch(head.ref, shop.git.add(there, { 'base.txt': null }, 'And back'))
      shop.pushBase({ 'base.txt': 'taken\n' })
      await shop.look(number)
      const waiting = await ejection(shop, number)
      expect(waiting.for).toContain(`its commit ${there.slice(0, 12)} "Go there" conflicts with main in base.txt`)
      expect(shop.landed()).toEqual([])
    })
  })
})
