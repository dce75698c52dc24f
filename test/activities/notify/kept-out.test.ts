import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createForgeActivities, type ForgeTools } from '#activities/forge/activities'
import { openRepository } from '#activities/git/repository'
import { parseInstallation } from '#config/installation-file'
import { createPolicyReader } from '#installation/policies'
import { openLedger, type SqliteLedger } from '#ledger/sqlite'
import { createSampleRepository, type SampleRepository } from '../../support/repositories.ts'

let sample: SampleRepository
let ledger: SqliteLedger

beforeEach(async () => {
  sample = await createSampleRepository()
  ledger = await openLedger(join(sample.path, '..', 'ledger.db'), { synchronous: 'normal' })
})
afterEach(async () => {
  await ledger.close()
  await sample.remove()
})

it('a snapshot says who somebody is, and never how to reach them', async () => {
  const people = `
people:
  - name: ann
    groups: [reviewers]
    notify: { slack: https://hooks.slack.com/services/T00/B00/c2VjcmV0 }
    hours: { from: 09:00, to: 17:00, zone: UTC }
`
  const parsed = parseInstallation(people, 's.yaml', sample.path)
  if (!parsed.ok) throw new Error('the people are wrong')
  await sample.commit({ files: { '.switchyard.yaml': 'version: 1\n' }, message: 'policy' })
  const head = await sample.commit({ files: { a: 'a\n' }, message: 'a', branch: 'head' })
  const at = '2026-03-01T00:00:00.000Z'
  const pullRequest = {
    ...{ repo: 'shop', number: 7, title: 'Add', body: '', author: 'ann', state: 'open', draft: false, labels: [] },
    ...{ head: { ref: 'head', sha: head }, base: { ref: 'main', sha: await sample.sha('main') } },
    ...{ mergeable: 'clean', reviews: [], newestComment: null, merged: null, createdAt: at, updatedAt: at },
  }
  const repository = () => openRepository(sample.gitDir)
  const policies = createPolicyReader({ ledger, repository, paths: { file: null, home: sample.path } } as never)
  const forge = { getPullRequest: async () => pullRequest, branch: async () => pullRequest.base.sha }
  const tools = {
    forge,
    ledger,
    repository,
    policies,
    people: parsed.config.people,
    isolation: { mode: 'none', network: 'host' },
  }
  const { takeSnapshot } = createForgeActivities(tools as unknown as ForgeTools)
  const { id } = await takeSnapshot({ repo: 'shop', number: 7 })
  const kept = await ledger.snapshot(id)
  expect(kept!.people).toEqual([{ name: 'ann', login: null, email: null, groups: ['reviewers'] }])
})
