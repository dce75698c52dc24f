import { expect, it } from 'vitest'
import { createMergeActivities } from '#activities/merge/activities'
import type { CheckReport } from '#domain/check-report'
import type { Rule } from '#domain/decision'
import type { PlannedCheck } from '#domain/policy'
import { expectOnlyTested, queueIsEmpty } from './queue.ts'
import { record } from './record.ts'
import { broken, passed, red, type Answer, type ScriptedCheck } from './scripted-check.ts'
import type { Shop } from './shop.ts'
import { until } from './until.ts'
import { inWorld, newShop } from './world.ts'

const trees = 'tests: { run: ./test.sh }, lint: { run: ./lint.sh }'
const withRange = 'tests: { run: ./test.sh }, commits: { run: ./commits.sh, subject: range }'

/** A repository whose policy has checks of its own; `lint` and `commits` are scripted apart from the tests. */
function shopWith(checks: string, auto = false): { shop: Shop; lint: ScriptedCheck; commits: ScriptedCheck } {
  const shop = newShop()
  shop.setPolicy(`checks: { ${checks} }\nmerge: { auto: ${auto} }`)
  return { shop, lint: shop.command('./lint.sh'), commits: shop.command('./commits.sh') }
}

/** Approved, and waiting for `pr merge` on a base that has moved since. */
async function approvedOn(shop: Shop): Promise<number> {
  const number = await shop.open()
  await shop.when(number, 'is approved', ({ resting, decision }) => resting && decision?.outcome === 'approve')
  shop.pushBase({ [`base-${number}.txt`]: 'moved\n' })
  return number
}

const ruleOf = (rules: Rule[], name: string) => rules.find(({ rule }) => rule === name)

async function ejection(shop: Shop, number: number): Promise<string> {
  const { waiting } = await shop.when(number, 'was ejected', ({ waiting }) => /ejected/.test(waiting?.for ?? ''))
  return waiting!.for
}

function junit(failed: string[], total = 40): Pick<Answer, 'report'> {
  const failures = failed.map((name) => ({ name, message: 'no', since: null }))
  const report: CheckReport = {
    path: 'junit.xml',
    tests: { total, failed: failed.length, skipped: 0, failures },
    findings: null,
    problem: null,
  }
  return { report }
}

inWorld("a policy's own checks", () => {
  it('land a pull request that passes every one of them, each proven for the tree that lands', async () => {
    const { shop, lint } = shopWith(trees, true)
    const number = await shop.open()
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    expect([shop.tests.runs.length, lint.runs.length]).toEqual([1, 1])
    await expectOnlyTested(shop)
    const [landed] = await shop.ledger.audit({ repo: shop.repo, action: 'pr.landed' })
    const proofs = await Promise.all(`${landed!.details['evidence']}`.split(' ').map((id) => shop.ledger.evidence(id)))
    expect(proofs.map((evidence) => evidence!.check)).toEqual(['tests', 'lint'])
    await record('pullRequest', 'own-checks-landed', shop.pipeline(number))
  })

  it('reject a pull request that one of them fails', async () => {
    const { shop, lint } = shopWith(trees)
    lint.answers(red)
    const number = await shop.open()
    const { decision, checks } = await shop.phase(number, 'rejected')
    expect(ruleOf(decision!.rules, 'lint')).toMatchObject({ outcome: 'fail', reason: 'exit code 1' })
    expect(ruleOf(decision!.rules, 'tests')).toMatchObject({ outcome: 'pass' })
    expect(checks.map(({ name, state }) => [name, state])).toContainEqual(['lint', 'failed'])
    await shop.comment(number, 'lint')
  })

  it('all test the candidate: the one that is red on the base of the moment is named, and nothing lands', async () => {
    const { shop, lint } = shopWith(trees)
    const number = await approvedOn(shop)
    lint.answers(red)
    await shop.merge(number)
    expect(await ejection(shop, number)).toBe('ejected from the merge queue: lint on the merge result: exit code 1')
    expect(shop.landed()).toEqual([])
    expect([shop.tests.runs.length, lint.runs.length]).toEqual([2, 2])
    await queueIsEmpty(shop)
    lint.answers(passed)
    await shop.merge(number)
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    await expectOnlyTested(shop)
    await record('mergeQueue', 'second-check-red', shop.queue())
  })

  it('test the candidate at once, and none of them is enough alone', async () => {
    const { shop, lint } = shopWith(trees)
    const number = await approvedOn(shop)
    shop.tests.hold()
    lint.hold()
    await shop.merge(number)
    const [tests, linted] = [await shop.tests.started(2), await lint.started(2)]
    linted.finish(passed)
    await until('the queue says what is left', async () => {
      const front = (await shop.queueStatus())?.entries[0]
      return front?.state === 'testing' && front.waiting.for.startsWith('tests of candidate')
    })
    expect(shop.landed()).toEqual([])
    tests.finish(passed)
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
  })

  it('stop each other at the first that is red', async () => {
    const { shop, lint } = shopWith(trees)
    const number = await approvedOn(shop)
    shop.tests.hold()
    lint.answers(red)
    await shop.merge(number)
    const run = await shop.tests.started(2)
    expect(await ejection(shop, number)).toContain('lint on the merge result')
    await until('the tests were stopped', () => run.state === 'aborted')
    await queueIsEmpty(shop)
    expect(shop.landed()).toEqual([])
  })

  it('are tried again alone where only one could not run', async () => {
    const { shop, lint } = shopWith(trees)
    const number = await approvedOn(shop)
    lint.answers(broken, passed)
    await shop.merge(number)
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    expect([shop.tests.runs.length, lint.runs.length]).toEqual([2, 3])
    await record('mergeQueue', 'one-check-tried-again', shop.queue())
  })

  it('are tried again each as often as its own policy says, where several could not run', async () => {
    const { shop, lint } = shopWith(trees)
    const number = await approvedOn(shop)
    lint.answers(broken, passed)
    shop.tests.answers(broken, passed)
    await shop.merge(number)
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    expect([shop.tests.runs.length, lint.runs.length]).toEqual([3, 3])
    await expectOnlyTested(shop)
  })

  it('are enough without tests, if one is of the tree', async () => {
    const { shop, lint } = shopWith('lint: { run: ./lint.sh }', true)
    const number = await shop.open()
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    expect([shop.tests.runs.length, lint.runs.length]).toEqual([0, 1])
    await expectOnlyTested(shop)
  })

  it('of the range are run for each head, on the merge result, and not again by the queue', async () => {
    const { shop, commits } = shopWith(withRange)
    commits.answers(red, passed)
    const number = await shop.open()
    const { decision } = await shop.phase(number, 'rejected')
    expect(ruleOf(decision!.rules, 'commits')).toMatchObject({ outcome: 'fail' })
    await shop.push(number, { 'more.txt': 'more\n' })
    await shop.when(number, 'is approved', ({ resting, decision }) => resting && decision?.outcome === 'approve')
    shop.pushBase({ 'base.txt': 'moved\n' })
    await shop.merge(number)
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    expect([shop.tests.runs.length, commits.runs.length]).toEqual([3, 2])
    await record('pullRequest', 'range-check', shop.pipeline(number))
  })

  it('of the range alone land nothing', async () => {
    const { shop } = shopWith('commits: { run: ./commits.sh, subject: range }', true)
    const number = await shop.open()
    expect((await shop.rest(number)).waiting!.for).toContain('nothing untested lands')
    expect(shop.landed()).toEqual([])
  })
})

/** The activities of the merge role, called as the queue would, on a host with these surroundings. */
function merging(shop: Shop, surroundings = 'a machine') {
  return createMergeActivities({
    ...{ forge: shop.forge, ledger: shop.ledger },
    repository: () => shop.git.asRepository(),
    runner: { surroundings: async () => surroundings },
  })
}

inWorld('a landing', () => {
  const pass = (shop: Shop, check: PlannedCheck, tree: string) =>
    shop.ledger.saveEvidence({
      ...{ id: `pass of ${check.name} in ${shop.repo}`, repo: shop.repo, check: check.name },
      ...{ subject: { kind: 'tree', tree }, digest: check.digest, surroundings: 'a machine' },
      ...{ conclusion: 'passed', reason: 'exit code 0', findings: [], log: null },
      ...{ startedAt: new Date().toISOString(), finishedAt: new Date().toISOString(), workflowId: 'a test' },
    })

  it('needs a pass of its tree by each check of its entry, whatever the queue says', async () => {
    const { shop } = shopWith(trees)
    const number = await approvedOn(shop)
    const [decision] = await shop.ledger.decisions(shop.repo, number)
    const entry = await shop.entry(number, decision!.snapshotId)
    const place = { repo: shop.repo, branch: 'main' }
    const built = await merging(shop).buildCandidate({ ...place, entry, knownBase: null })
    if (built.outcome !== 'built') throw new Error(built.outcome)
    for (const check of entry.checks!) await pass(shop, check, built.candidate.tree)
    const [tests, lint] = [`pass of tests in ${shop.repo}`, `pass of lint in ${shop.repo}`]
    const land = (proofs: Record<string, string>, changed = entry) =>
      merging(shop).landCandidate({ ...place, entry: changed, candidate: { ...built.candidate, proofs } })
    await expect(land({ tests })).rejects.toThrow('evidence missing of lint does not prove')
    await expect(land({ tests, lint: tests })).rejects.toThrow(`evidence ${tests} of lint does not prove`)
    await expect(land({ tests, lint }, { ...entry, checks: [] })).rejects.toThrow('names no check that proves')
    expect(shop.landed()).toEqual([])
    expect(await land({ tests, lint })).toMatchObject({ outcome: 'landed' })
  })

  it('finds the passes of its tree, but none of other surroundings', async () => {
    const { shop } = shopWith(trees)
    const number = await approvedOn(shop)
    const [decision] = await shop.ledger.decisions(shop.repo, number)
    const request = { repo: shop.repo, branch: 'main', entry: await shop.entry(number, decision!.snapshotId) }
    const proofsOn = async (surroundings: string) => {
      const built = await merging(shop, surroundings).buildCandidate({ ...request, knownBase: null })
      return built.outcome === 'built' ? [built.candidate.proofs, built.candidate.tree] : []
    }
    const [, tree] = await proofsOn('a machine')
    for (const check of request.entry.checks!) await pass(shop, check, `${tree as string}`)
    expect((await proofsOn('a machine'))[0]).toEqual({
      tests: `pass of tests in ${shop.repo}`,
      lint: `pass of lint in ${shop.repo}`,
    })
    expect((await proofsOn('another machine'))[0]).toEqual({})
  })
})

inWorld('the report of a check', () => {
  it('names the tests that failed, and since when each does', async () => {
    const { shop } = shopWith('tests: { run: ./test.sh, report: junit.xml }')
    shop.tests.answers({ ...red, ...junit(['cart › adds']) })
    const number = await shop.open()
    const before = await shop.phase(number, 'rejected')
    expect(ruleOf(before.decision!.rules, 'tests')!.reason).toBe('1 of 40 tests failed: cart › adds')

    shop.tests.answers({ ...red, ...junit(['cart › adds', 'cart › removes']) })
    await shop.push(number, { 'again.txt': 'again\n' })
    const { decision, checks } = await shop.when(number, 'names both', ({ phase, checks }) => {
      return phase === 'rejected' && checks.some(({ reason }) => reason.startsWith('2 of 40'))
    })
    const [evidence] = await Promise.all(
      decision!.rules.filter(({ rule }) => rule === 'tests').map((rule) => shop.ledger.evidence(rule.evidence!)),
    )
    const [adds, removes] = evidence!.tests!.failures
    const since = (await shop.ledger.evidence(ruleOf(before.decision!.rules, 'tests')!.evidence!))!.finishedAt
    expect([adds, removes]).toMatchObject([
      { name: 'cart › adds', since },
      { name: 'cart › removes', since: null },
    ])
    const reason = `2 of 40 tests failed: cart › adds (since ${since.slice(0, 16).replace('T', ' ')} UTC), cart › removes`
    expect(ruleOf(decision!.rules, 'tests')!.reason).toBe(reason)
    expect(checks.find(({ name }) => name === 'tests')!.reason).toBe(reason)
    await shop.comment(number, '2 of 40 tests failed')
  })

  it('fails a check whose command says that all is well', async () => {
    const { shop } = shopWith('tests: { run: ./test.sh, report: junit.xml }', true)
    shop.tests.answers({ ...passed, ...junit(['cart › adds']) })
    const number = await shop.open()
    expect(await shop.phase(number, 'rejected')).toMatchObject({ phase: 'rejected' })
    expect(shop.landed()).toEqual([])
  })

  it('that is missing leaves the decision to the exit code', async () => {
    const { shop } = shopWith('tests: { run: ./test.sh, report: junit.xml }', true)
    const report = { path: 'junit.xml', tests: null, findings: null, problem: 'report junit.xml is missing' }
    shop.tests.answers({ ...passed, report })
    const number = await shop.open()
    expect(await shop.ended(number)).toMatchObject({ state: 'merged' })
    const [decision] = await shop.ledger.decisions(shop.repo, number)
    expect(ruleOf(decision!.rules, 'tests')!.reason).toBe('exit code 0; report junit.xml is missing')
  })
})
