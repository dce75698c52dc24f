import { afterEach, beforeEach, expect, test } from 'vitest'
import { parseAddedLines } from '#activities/review/added-lines'
import { createHistory, type History } from './history.ts'

let history: History

beforeEach(async () => {
  history = await createHistory()
})

afterEach(() => history.remove())

async function addedBetween(before: Record<string, string | null>, after: Record<string, string | null>) {
  const from = await history.commit(before)
  const to = await history.commit(after)
  return parseAddedLines((await history.git.diff(from, to, 1024 * 1024)).text)
}

test('lines have their number in the new file', async () => {
  const lines = Array.from({ length: 20 }, (_, n) => `line ${n + 1}`)
  const changed = lines.with(1, 'second').toSpliced(15, 0, 'between')
  expect(await addedBetween({ a: `${lines.join('\n')}\n` }, { a: `${changed.join('\n')}\n` })).toEqual([
    { path: 'a', line: 2, text: 'second' },
    { path: 'a', line: 16, text: 'between' },
  ])
})

test('lines that look like headers of a diff are lines', async () => {
  const text = '++ b/other\n@@ -1 +1 @@\ndiff --git a/x b/x\n-- a/other\n'
  expect(await addedBetween({ a: '-- gone\n' }, { a: text, b: 'end' })).toEqual([
    { path: 'a', line: 1, text: '++ b/other' },
    { path: 'a', line: 2, text: '@@ -1 +1 @@' },
    { path: 'a', line: 3, text: 'diff --git a/x b/x' },
    { path: 'a', line: 4, text: '-- a/other' },
    { path: 'b', line: 1, text: 'end' },
  ])
})

test.each(['with space', 'größe', 'tab\there', 'quote"d', 'back\\slash'])('the path %j is read', async (path) => {
  expect(await addedBetween({ other: 'x' }, { [path]: 'y\n' })).toEqual([{ path, line: 1, text: 'y' }])
})

test('a file that is deleted or only renamed adds nothing', async () => {
  const content = 'some\nlines\nthat\nstay\n'
  expect(await addedBetween({ a: content, b: 'x\n' }, { a: null, b: null, c: content })).toEqual([])
})
