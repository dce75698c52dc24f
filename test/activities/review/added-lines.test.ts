import { afterEach, beforeEach, expect, test } from 'vitest'
import { markerLines } from '#activities/review/added-lines'
import { createHistory, type History } from './history.ts'

// Put together here, so that this file is no conflict itself.
const [start, separator, end] = ['<', '=', '>'].map((character) => character.repeat(7))
const conflict = `${start} HEAD\n1\n${separator}\n2\n${end} topic\n`

let history: History

beforeEach(async () => {
  history = await createHistory()
})

afterEach(() => history.remove())

type Files = Record<string, string | null>

async function markersBetween(before: Files, after: Files) {
  const from = await history.commit(before)
  const to = await history.commit(after)
  return markerLines(history.git.additions({ from, to, findRenames: true }))
}

test('lines have their number in the new file', async () => {
  const found = await markersBetween({ a: 'x\n'.repeat(20) }, { a: `${'x\n'.repeat(9)}${conflict}${'x\n'.repeat(11)}` })
  expect(found.map(({ line }) => line)).toEqual([10, 12, 14])
})

test('a separator without a start is left out', async () => {
  expect(await markersBetween({ a: 'x\n' }, { a: `Title\n${separator}\n${end} x\n` })).toEqual([])
})

test('a conflict is found once where two pieces of a long file meet', async () => {
  const files = Array.from({ length: 8 }, (_, n) => [`f${n}`, `${'x'.repeat(99)}\n`.repeat(620 + n * 28) + conflict])
  const tail = 'y\n'.repeat(20_000)
  const after = Object.fromEntries(files.map(([path, text]) => [path, `${text}${tail}`]))
  expect((await markersBetween({ other: 'x' }, after)).map(({ text }) => text[0]).join('')).toBe('<=>'.repeat(8))
})

test('a file that is only renamed adds nothing', async () => {
  const content = `some\nlines\nthat\nstay\n${conflict}`
  expect(await markersBetween({ a: content }, { a: null, c: content })).toEqual([])
})

test('six hundred thousand markers are no more than three', { timeout: 60_000 }, async () => {
  const text = `${start} HEAD\n`.repeat(200_000) + `${separator}\n`.repeat(200_000) + `${end} topic\n`.repeat(200_000)
  expect(await markersBetween({ a: 'x\n' }, { a: text })).toHaveLength(3)
})
