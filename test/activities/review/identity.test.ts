import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { reviewersOn } from '#activities/review/identity'
import { createHistory, type History } from './history.ts'

let history: History
beforeAll(async () => void (history = await createHistory()))
afterAll(() => history.remove())

const files = { 'tools/review.sh': 'one\n', 'rules.json': '{}\n', 'app.js': 'one\n' }
const on = (base: string, run: string) => reviewersOn(history.git, base, [{ run }])

describe('what reviewers are on a base', () => {
  it.each([
    ['tools/review.sh', true],
    ['./tools/review.sh --all', true],
    ['sh "tools/review.sh"', true],
    ['cat rules.json | judge', false],
    ['judge --rules=rules.json < tools/review.sh', true],
    ['judge --all', false],
    ['/tools/review.sh ../tools/review.sh', false],
  ])('changes with the script that is named: %s', async (run, changes) => {
    const before = await history.commit(files)
    const after = await history.commit({ 'tools/review.sh': 'two\n' })
    expect((await on(before, run)) !== (await on(after, run))).toBe(changes)
  })

  it('changes when a file that is named appears', async () => {
    const before = await history.commit({ ...files, 'rules.json': null })
    const after = await history.commit({ 'rules.json': '{}\n' })
    expect(await on(before, 'judge rules.json')).not.toBe(await on(after, 'judge rules.json'))
  })

  it('does not change with the rest of the base', async () => {
    const before = await history.commit(files)
    const after = await history.commit({ 'app.js': 'two\n' })
    expect(await on(before, 'sh tools/review.sh')).toBe(await on(after, 'sh tools/review.sh'))
  })

  it('is the tree where a file is too large to be read', async () => {
    const before = await history.commit({ ...files, 'tools/review.sh': 'x'.repeat(6_000_000) })
    const after = await history.commit({ 'app.js': 'three\n' })
    expect(await on(before, 'tools/review.sh')).not.toBe(await on(after, 'tools/review.sh'))
  })
})
