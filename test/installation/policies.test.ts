import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openRepository } from '#activities/git/repository'
import type { PolicyReader } from '#activities/policy/port'
import { createPolicyReader } from '#installation/policies'
import { openLedger, type SqliteLedger } from '#ledger/sqlite'
import { createSampleRepository, type SampleRepository } from '../support/repositories.ts'

const file = '.switchyard.yaml'
const good = 'version: 1\nchecks: { tests: { run: ./test.sh } }\n'
const huge = `# ${'x'.repeat(300_000)}\n${good}`

let sample: SampleRepository
let ledger: SqliteLedger
let policies: PolicyReader

beforeEach(async () => {
  sample = await createSampleRepository()
  ledger = await openLedger(join(sample.path, '..', 'ledger.db'), { synchronous: 'normal' })
  const repository = () => openRepository(sample.gitDir)
  policies = createPolicyReader({ ledger, repository, paths: { file: null, home: sample.path } } as never)
})
afterEach(async () => {
  await ledger.close()
  await sample.remove()
})

it('refuses a proposed policy that is too large, and goes on', async () => {
  const head = await sample.commit({ files: { [file]: huge }, message: 'huge', branch: 'head' })
  expect(await policies.proposed('shop', [file], head)).toEqual({
    digest: null,
    problem: '.switchyard.yaml:1:1: is larger than 256 KB',
  })
})

it('keeps the last good policy of a base whose own has become too large', async () => {
  const first = await sample.commit({ files: { [file]: good }, message: 'good' })
  const { facts } = await policies.read('shop', 'main', first)
  const second = await sample.commit({ files: { [file]: huge }, message: 'huge' })
  expect((await policies.read('shop', 'main', second)).facts).toMatchObject({
    ...{ digest: facts.digest, source: 'last-good' },
    problem: '.switchyard.yaml:1:1: is larger than 256 KB',
  })
})
