import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createForgeActivities } from '#activities/forge/activities'
import { seedLocalRepository } from '#activities/forge/local'
import { parsePolicy, policyFacts } from '#config/policy'
import { checkSubject } from '#domain/check-subjects'
import { decide } from '#domain/decide'
import type { CheckResults } from '#domain/decision'
import type { CheckConclusion, Evidence } from '#domain/evidence'
import { openInstallation } from '#installation/open'
import { createPolicyReader } from '#installation/policies'
import { createSampleRepository } from '../support/repositories.ts'
import { NOW, switchyard, world, type Ran } from './fakes.ts'

const policy = `checks: { tests: { run: npm test } }
rules:
  - { name: labelled, require: { label: ready } }
  - { name: small, require: { size: { lines: { max: 10 } } } }
`
const people = 'people: [{ name: rita, groups: [reviewers] }]\n'

let folder: string
let env: Record<string, string>

/** The command line on a real installation, without a server. */
function run(...args: string[]): Promise<Ran> {
  return switchyard(args, world(), { cwd: folder, env, openInstallation })
}

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'switchyard-policy-')))
  const home = join(folder, 'state')
  await mkdir(home)
  env = { PATH: process.env['PATH'] ?? '', SWITCHYARD_HOME: home, SWITCHYARD_USER: 'ada@example.test' }
  const sample = await createSampleRepository()
  await sample.commit({ files: { '.switchyard.yaml': policy }, message: 'add a policy' })
  for (const branch of ['one', 'two']) {
    await sample.commit({ files: { [`${branch}.txt`]: 'a\nb\nc\n' }, message: `add ${branch}`, branch })
  }
  const { gitDir } = await seedLocalRepository({ home, name: 'shop', fromRepo: sample.path, branch: 'main' })
  await writeFile(join(home, 'switchyard.yaml'), `repositories: [{ name: shop, remote: forge/shop.git }]\n${people}`)
  for (const branch of ['one', 'two']) await sample.git('push', '--quiet', gitDir, `refs/heads/${branch}`)
  await decideAll([
    ['one', 'passed'],
    ['two', 'failed'],
  ])
  await sample.remove()
}, 60_000)

afterAll(() => rm(folder, { recursive: true, force: true }))

/** Opens a PR for each branch and records what its pipeline would: snapshot, evidence and decision. */
async function decideAll(branches: [string, CheckConclusion][]): Promise<void> {
  const installation = await openInstallation({ cwd: folder, env })
  const { forge, ledger, config } = installation
  const activities = createForgeActivities({
    ...{ forge, ledger, people: config.people, policies: createPolicyReader(installation) },
    repository: (repo) => installation.repository(repo),
    isolation: { mode: 'bubblewrap', network: 'own' },
  })
  for (const [head, conclusion] of branches) {
    const wish = { head, base: 'main', title: `Add ${head}`, body: '', author: 'ada@example.test', draft: false }
    const created = await forge.createPullRequest('shop', { ...wish, labels: [] })
    if (created.outcome === 'refused') throw new Error(created.detail)
    const { number } = created.pullRequest
    const snapshot = await activities.takeSnapshot({ repo: 'shop', number })
    const checks: CheckResults = {}
    for (const check of snapshot.policy.checks) {
      const evidence: Evidence = {
        ...{ id: `${head}-${check.name}`, repo: 'shop', check: check.name, subject: checkSubject(check, snapshot) },
        ...{ digest: check.digest, conclusion: check.name === 'tests' ? conclusion : 'passed', reason: conclusion },
        ...{ findings: [], log: null, startedAt: NOW, finishedAt: NOW, workflowId: `pr:shop#${number}` },
      }
      await ledger.saveEvidence(evidence)
      checks[check.name] = { ...evidence, findingsTotal: 0, reused: false }
    }
    const decision = decide(snapshot, checks, NOW)
    const check = { status: 'completed', conclusion: 'neutral', summary: '' } as const
    const workflowId = `pr:shop#${number}`
    await activities.publishDecision({
      repo: 'shop',
      number,
      workflowId,
      head: snapshot.head.sha,
      comment: '',
      check,
      decision,
    })
  }
  await installation.close()
}

async function file(name: string, text: string): Promise<string> {
  await writeFile(join(folder, name), text)
  return name
}

describe('policy check', () => {
  test('tells problems of the policy with line and column, and ends with 2', async () => {
    const ran = await run(
      'policy',
      'check',
      '--file',
      await file('bad.yaml', `${policy}  - { require: { lable: x } }\n`),
    )
    expect(ran.code).toBe(2)
    expect(ran.stderr).toContain("bad.yaml:5:18: unknown key 'rules.2.require.lable' (did you mean 'label'?)")
  })

  test('tells problems of the installation as well', async () => {
    const installation = await file('bad-installation.yaml', 'forge: svn\n')
    const ran = await run('policy', 'check', '--config', installation, '--file', await file('bad.yaml', 'bsae: []\n'))
    expect(ran.code).toBe(2)
    expect(ran.stderr).toContain("bad-installation.yaml:1:8: 'forge' must be local")
    expect(ran.stderr).toContain("bad.yaml:1:1: unknown key 'bsae'")
  })

  test('warns of names of nobody and checks that are not there', async () => {
    const text = `${policy}  - { name: hm, require: [{ check: lint }, { group: ops }, { approvals: { from: [reviewers, owners] } }] }
policyChange: { approvals: { count: 1, from: [rita, bosses] } }
`
    const ran = await run('policy', 'check', '--file', await file('warned.yaml', text), '--json')
    expect(ran.code).toBe(0)
    expect(ran.json).toMatchObject({
      files: { policy: 'warned.yaml' },
      warnings: [
        {
          ...{ file: 'warned.yaml', line: 5, column: 36, path: 'rules.2.require' },
          message: 'the policy has no check "lint"',
        },
        { line: 5, column: 53, message: 'nobody in `people` of switchyard.yaml is in the group "ops"' },
        { line: 5, column: 93, message: expect.stringContaining('is "owners" or in a group of that name') },
        { line: 6, column: 53, message: expect.stringContaining('is "bosses" or in a group of that name') },
      ],
    })
    const shown = await run('policy', 'check', '--file', 'warned.yaml')
    expect(shown.stdout).toContain('! warned.yaml:5:36: the policy has no check "lint"\n')
  })

  test('of a file that is not there is an error only where it is named', async () => {
    expect((await run('policy', 'check', '--file', 'none.yaml')).stderr).toContain(
      "none.yaml:1:1: can't be read: ENOENT",
    )
    expect((await run('policy', 'check', '--json')).json).toMatchObject({ files: { policy: null }, policyDigest: null })
  })
})

test('where a file is named that is not there, the hint is not about other files', async () => {
  for (const line of ['policy check --file none.yaml', 'policy simulate 1 --policy none.yaml']) {
    const { stderr } = await run(...line.split(' '))
    expect(stderr).toContain('Give the path of a file that is there.')
    expect(stderr).not.toContain('doctor')
  }
})

test('where a flag is missing, the hint is about this very command', async () => {
  expect((await run('policy', 'simulate', '1')).stderr).toContain('See `switchyard policy simulate --help`.')
})

describe('policy explain', () => {
  test('shows the decision as it was stored, and who can act on what is not met', async () => {
    const ran = await run('policy', 'explain', '1', '--json')
    expect(ran.code).toBe(0)
    expect(ran.json).toMatchObject({
      ...{ repo: 'shop', number: 1, outcome: 'wait', dryRun: false, decidedAt: NOW, policy: { source: 'base' } },
      remedies: [{ rule: 'labelled', who: ['ada@example.test'] }],
    })
    const text = (await run('policy', 'explain', '1')).stdout
    expect(text).toMatch(
      /labelled {2}has no label ready\n.*label: ready {2}has no label ready\n.*to pass: set the label ready/,
    )
    expect(text).toContain('size: lines at most 10  3 lines changed')
  })

  test('of what nobody decided says so', async () => {
    expect((await run('policy', 'explain', '9')).code).toBe(2)
  })
})

describe('policy simulate', () => {
  const label = 'rules: [{ name: labelled, require: { not: { label: ready } } }]\n'

  test('decides on the recorded facts under another policy, and tells what differs', async () => {
    const other = await file('other.yaml', `checks: { tests: { run: npm test } }\n${label}`)
    const ran = await run('policy', 'simulate', '1', '--policy', other, '--json')
    expect(ran.code).toBe(0)
    expect(ran.json).toMatchObject({
      ...{ recorded: { outcome: 'wait' }, decision: { outcome: 'approve' }, neverRan: [] },
      differences: [
        { rule: 'labelled', before: 'pending', after: 'pass' },
        { rule: 'small', before: 'pass', after: null },
      ],
    })
  })

  test('takes no evidence of another command for a check that never ran', async () => {
    const other = await file('slower.yaml', `checks: { tests: { run: npm run slow } }\n${label}`)
    const ran = await run('policy', 'simulate', '1', '--policy', other, '--json')
    expect(ran.json).toMatchObject({ decision: { outcome: 'wait' }, neverRan: ['tests'] })
    expect((await run('policy', 'simulate', '1', '--policy', other)).stdout).toContain('so they are pending: tests.')
  })

  test('takes a pass of its very command that another pull request left, whatever it ran in', async () => {
    const run_ = 'npm run elsewhere'
    const text = `checks: { tests: { run: ${run_} } }\n${label}`
    const other = await file('elsewhere.yaml', text)
    const installation = await openInstallation({ cwd: folder, env })
    const [recorded] = await installation.ledger.decisions('shop', 1)
    const snapshot = await installation.ledger.snapshot(recorded!.snapshotId)
    const parsed = parsePolicy(text, 'elsewhere.yaml')
    if (!parsed.ok) throw new Error('it is a good policy')
    const facts = policyFacts(parsed.policy, parsed.digest, 'base', null)
    const check = facts.checks.find(({ name }) => name === 'tests')!
    await installation.ledger.saveEvidence({
      ...{ id: 'elsewhere', repo: 'shop', check: 'tests', digest: check.digest, surroundings: 'node 24' },
      ...{ subject: { kind: 'tree', tree: snapshot!.mergeResult!.tree }, conclusion: 'passed', reason: 'passed' },
      ...{ findings: [], log: null, startedAt: NOW, finishedAt: NOW, workflowId: 'pr:shop#7' },
    })
    await installation.close()
    const ran = await run('policy', 'simulate', '1', '--policy', other, '--json')
    expect(ran.json).toMatchObject({ decision: { outcome: 'approve' }, neverRan: [] })
  })

  test('ends with 1 where it would reject', async () => {
    const strict = await file(
      'strict.yaml',
      'checks: { tests: { run: npm test } }\nrules: [{ require: { size: { lines: { max: 1 } } } }]\n',
    )
    const ran = await run('policy', 'simulate', '1', '--policy', strict, '--json')
    expect(ran.code).toBe(1)
    expect(ran.json).toMatchObject({ decision: { outcome: 'reject' } })
  })

  test('of all recorded decisions counts those that would differ', async () => {
    const other = await file('other.yaml', `checks: { tests: { run: npm test } }\n${label}`)
    const ran = await run('policy', 'simulate', '--all', '--policy', other, '--json')
    expect(ran.json).toMatchObject({
      decisions: 2,
      differ: 1,
      unknown: 0,
      changes: [{ number: 1, before: 'wait', after: 'approve', rules: ['labelled'] }],
    })
    expect((await run('policy', 'simulate', '--since', '1s', '--policy', other)).code).toBe(0)
  })

  test('names as causes only the criteria that are as bad as the outcome', async () => {
    const rules = 'rules: [{ name: tiny, require: { size: { lines: { max: 1 } } } }, { require: { label: ready } }]\n'
    const strict = await file('tiny.yaml', `checks: { tests: { run: npm test } }\n${rules}`)
    const ran = await run('policy', 'simulate', '--all', '--policy', strict, '--json')
    expect(ran.json).toMatchObject({ changes: [{ number: 1, before: 'wait', after: 'reject', rules: ['tiny'] }] })
  })

  test.each([
    [['1', '--all', '--policy', 'other.yaml'], /one pull request, or many/],
    [['--policy', 'other.yaml'], /one pull request, or many/],
    [['1', '--policy', 'none.yaml'], /none\.yaml:1:1: can't be read/],
    [['1'], /required option '--policy/],
  ])('refuses %j', async (args, message) => {
    const ran = await run('policy', 'simulate', ...args)
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringMatching(message)])
  })
})
