import { afterEach, beforeEach, expect, test } from 'vitest'
import { rangeInput } from '#activities/tests/range-input'
import type { Subject } from '#domain/evidence'
import { createHistory, type History } from '../review/history.ts'

let history: History

beforeEach(async () => {
  history = await createHistory()
})
afterEach(() => history.remove())

const requestOf = (subject: Subject) => ({
  ...{ repo: 'shop', number: 7, subject, policyDigest: 'p', evidenceMaxAge: 1 },
  check: { name: 'commits', digest: 'd', timeout: 1, retries: 0 },
})

test('a check of the range is told its diff, its paths and its commits', async () => {
  const base = await history.commit({ 'a.txt': 'a\n' })
  const first = await history.commit({ 'a.txt': 'a\nb\n' })
  const head = await history.commit({ 'new\nline': 'x\n', '"quoted"': 'y\n' })
  const { env, files } = await rangeInput(history.git, requestOf({ kind: 'range', base, head }))
  expect(env).toEqual({
    SWITCHYARD_REPO: 'shop',
    SWITCHYARD_PR: '7',
    SWITCHYARD_BASE_SHA: base,
    SWITCHYARD_HEAD_SHA: head,
    SWITCHYARD_DIFF_TRUNCATED: 'false',
  })
  const content = (variable: string) => files!.find((file) => file.variable === variable)!.content
  expect(content('SWITCHYARD_DIFF')).toContain('+b\n')
  expect(content('SWITCHYARD_CHANGED_PATHS').split('\n').sort()).toEqual(
    ['', 'a.txt', '"new\\nline"', '"\\"quoted\\""'].sort(),
  )
  const commits = JSON.parse(content('SWITCHYARD_COMMITS')) as { sha: string; message: string; parents: string[] }[]
  expect(commits.map(({ sha }) => sha)).toEqual([first, head])
  expect(commits[1]!.parents).toEqual([first])
  expect(commits[1]!.message.trim()).not.toBe('')
})

test('a check of the tree is told nothing of the pull request', async () => {
  expect(await rangeInput(history.git, requestOf({ kind: 'tree', tree: 'f'.repeat(40) }))).toEqual({
    ...{ env: {}, files: [] },
  })
})
