import { ApplicationFailure } from '@temporalio/common'
import { expect, it } from 'vitest'
import { ForgeError } from '#activities/forge/port'
import { repositoryWatchStatus, sweep } from '#contracts/repository-watch'
import { record } from './record.ts'
import { passed, red } from './scripted-check.ts'
import type { Shop } from './shop.ts'
import { until } from './until.ts'
import { inWorld, newShop } from './world.ts'

async function sweeps(shop: Shop): Promise<number> {
  return (await shop.watch().query(repositoryWatchStatus)).sweeps
}

inWorld('the watch of a repository', () => {
  it('finds a pull request whose hint was lost', async () => {
    const shop = newShop({ sweep: 200 })
    await shop.pipelines.watchRepository(shop.repo)
    const number = await shop.open({}, { hint: 'lost' })
    await until('it landed', () => shop.landed().includes(number))
    await shop.watch().terminate()
  })

  it('finds a new head whose hint was lost', async () => {
    const shop = newShop({ sweep: 200 })
    await shop.pipelines.watchRepository(shop.repo)
    shop.tests.answers(red, passed)
    const number = await shop.open()
    await shop.phase(number, 'rejected')
    await shop.push(number, { 'fix.txt': 'fixed\n' }, { hint: 'lost' })
    await until('it landed', () => shop.landed().includes(number))
    await shop.watch().terminate()
  })

  it('finds a close whose hint was lost', async () => {
    const shop = newShop({ sweep: 200 })
    await shop.pipelines.watchRepository(shop.repo)
    shop.tests.answers(red)
    const number = await shop.open()
    await shop.phase(number, 'rejected')
    await until('it was seen', async () => (await sweeps(shop)) >= 2)
    await shop.update(number, { state: 'closed' }, { hint: 'lost' })
    expect(await shop.ended(number)).toMatchObject({ state: 'closed' })
    await shop.watch().terminate()
  })

  it('starts a pipeline again that failed, says so, and leaves it to a person after the third time', async () => {
    const shop = newShop({ sweep: 200 })
    let looks = 0
    shop.forge.getPullRequest = async () => {
      looks += 1
      return null
    }
    const number = await shop.open()
    await expect(shop.ended(number)).rejects.toThrow()
    await shop.pipelines.watchRepository(shop.repo)
    const said = async () => {
      const entries = await shop.ledger.audit({ repo: shop.repo, number })
      return entries.flatMap(({ action, details }) =>
        /restarted|given-up/.test(action) ? [[action, details['reason']]] : [],
      )
    }
    const reason = `${shop.repo} has no pull request #${number}`
    await until('it was given up', async () => (await said()).some(([action]) => action === 'pr.given-up'))
    const [before, last] = [await sweeps(shop), looks]
    await until('it swept again', async () => (await sweeps(shop)) >= before + 3)
    await shop.watch().terminate()
    const restarts = (await said()).slice(0, -1)
    expect((await said()).at(-1)).toEqual(['pr.given-up', reason])
    expect(restarts).toEqual(restarts.map(() => ['pr.restarted', reason]))
    expect([1, 2, 3]).toContain(restarts.length)
    expect(looks).toBe(last)
  })

  it('does not start again what a person ended', async () => {
    const shop = newShop({ sweep: 100 })
    shop.tests.answers(red)
    const number = await shop.open()
    await shop.rest(number)
    await shop.pipelines.watchRepository(shop.repo)
    await until('it was seen', async () => (await sweeps(shop)) >= 2)
    await shop.pipeline(number).terminate()
    const before = await sweeps(shop)
    await until('it swept again', async () => (await sweeps(shop)) >= before + 3)
    expect((await shop.pipeline(number).describe()).status.name).toBe('TERMINATED')
    await shop.watch().terminate()
  })

  it('wakes nothing that did not change', async () => {
    const shop = newShop({ sweep: 50 })
    shop.tests.answers(red)
    const number = await shop.open()
    await shop.rest(number)
    let looks = 0
    const { pipelines } = shop
    shop.pipelines = {
      ...pipelines,
      lookAtPullRequest: (...args) => {
        looks += 1
        return pipelines.lookAtPullRequest(...args)
      },
    }
    await shop.pipelines.watchRepository(shop.repo)
    await until('it swept again and again', async () => (await sweeps(shop)) >= 5)
    await shop.watch().terminate()
    expect(looks).toBe(1)
    await record('repositoryWatch', 'swept-without-news', shop.watch())
  })

  it('sweeps at once when it is asked to', async () => {
    const shop = newShop({ sweep: 600_000 })
    await shop.pipelines.watchRepository(shop.repo)
    await until('it swept', async () => (await sweeps(shop)) >= 1)
    const before = await sweeps(shop)
    await shop.watch().signal(sweep)
    await until('it swept again', async () => (await sweeps(shop)) > before)
  })

  it('ends where the installation has no such repository any more', async () => {
    const shop = newShop()
    shop.forge.listPullRequests = async () => {
      throw ApplicationFailure.nonRetryable('There is no repository.', 'Unknown')
    }
    await shop.pipelines.watchRepository(shop.repo)
    expect(await shop.watch().result()).toEqual({ reason: `${shop.repo} is no repository of this installation` })
  })

  it('goes on when a sweep failed for good', async () => {
    const shop = newShop({ sweep: 200 })
    const { listPullRequests } = shop.forge
    let refused = 0
    shop.forge.listPullRequests = async (...args) => {
      if ((refused += 1) > 2) return listPullRequests(...args)
      throw new ForgeError('forbidden', 'this may not be seen')
    }
    await shop.pipelines.watchRepository(shop.repo)
    const number = await shop.open({}, { hint: 'lost' })
    await until('it landed', () => shop.landed().includes(number))
    await shop.watch().terminate()
  })

  it('goes on when the forge was away', async () => {
    const shop = newShop({ sweep: 200 })
    for (let failures = 0; failures < 3; failures += 1) shop.forge.failNext('listPullRequests', '5xx')
    await shop.pipelines.watchRepository(shop.repo)
    const number = await shop.open({}, { hint: 'lost' })
    await until('it landed', () => shop.landed().includes(number))
    await shop.watch().terminate()
  })
})
