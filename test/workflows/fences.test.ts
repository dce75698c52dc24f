import { expect, it } from 'vitest'
import { red } from './scripted-check.ts'
import { approved, queueIsEmpty } from './queue.ts'
import { until } from './until.ts'
import { inWorld, newShop } from './world.ts'

inWorld('what nobody decided', () => {
  it('never lands: an entry of a rejected pull request, signalled by whomever', async () => {
    const shop = newShop()
    shop.tests.answers(red)
    const number = await shop.open()
    const { head } = await shop.rest(number)
    const [decision] = await shop.ledger.decisions(shop.repo, number)
    await shop.ledger.saveEvidence({
      id: `forged-${shop.repo}`,
      repo: shop.repo,
      check: 'tests',
      subject: { kind: 'tree', tree: (await shop.ledger.snapshot(decision!.snapshotId))!.mergeResult!.tree },
      digest: shop.policy.facts.checks[0]!.digest,
      conclusion: 'passed',
      reason: 'a pass from elsewhere',
      findings: [],
      log: null,
      startedAt: decision!.decidedAt,
      finishedAt: new Date().toISOString(),
      workflowId: 'elsewhere',
    })
    await shop.pipelines.enqueue({
      repo: shop.repo,
      branch: 'main',
      number,
      head: head!.sha,
      title: 'forged',
      snapshotId: decision!.snapshotId,
      policyDigest: decision!.policyDigest,
      tests: shop.policy.facts.checks[0]!,
      evidenceMaxAge: 60_000,
      enqueuedAt: decision!.decidedAt,
      enqueuedBy: 'mallory',
    })
    await queueIsEmpty(shop)
    expect(shop.landed()).toEqual([])
  })

  it('is never shown with a secret in its title: not in status, history or search attributes', async () => {
    const shop = newShop()
    const key = ['AKIA', 'Q7ZTR4XW', 'P3MB6NDK'].join('')
    const number = await shop.open({ title: `Use ${key}` })
    expect((await shop.rest(number)).title).toBe('Use AKIA****')
    const text = JSON.stringify((await shop.pipeline(number).fetchHistory()).events, (_key, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : value,
    )
    expect(text).not.toContain(key)
  })

  it('is looked at again when the policy on the base changes, though no hint says so', async () => {
    const shop = newShop({ sweep: 200 })
    const number = await approved(shop)
    await shop.pipelines.watchRepository(shop.repo)
    shop.setPolicy('merge: { auto: true }')
    await until('it landed', () => shop.landed().includes(number))
    await shop.watch().terminate()
  })

  it('is looked at again when a moved base takes its conflict away', async () => {
    const shop = newShop({ sweep: 200 })
    const before = shop.git.branch('main')!
    const number = await shop.open({ files: { 'README.md': '# Ours\n' } }, { hint: 'lost' })
    shop.pushBase({ 'README.md': '# Theirs\n' })
    await shop.look(number)
    await shop.phase(number, 'rejected')
    await shop.pipelines.watchRepository(shop.repo)
    shop.git.setBranch('main', shop.git.add(before, { 'other.txt': 'moved\n' }, 'Take it back'))
    await until('it landed', () => shop.landed().includes(number))
    await shop.watch().terminate()
  })
})
