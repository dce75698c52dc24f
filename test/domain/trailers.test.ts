import { expect, test } from 'vitest'
import { takeCoAuthors, withTrailer } from '#domain/trailers'

const run = 'Switchyard-Run: pr:shop#7'

test.each([
  ['a subject', 'Add a basket\n', `Add a basket\n\n${run}\n`],
  ['a subject that looks like a trailer', 'fix: a typo', `fix: a typo\n\n${run}\n`],
  ['a body', 'Add\n\nIt: holds\nthings.', `Add\n\nIt: holds\nthings.\n\n${run}\n`],
  ['trailers', 'Add\n\nSigned-off-by: A <a@b>\n', `Add\n\nSigned-off-by: A <a@b>\n${run}\n`],
  ['a trailer of two lines', 'Add\n\nNote: a\n  b\n', `Add\n\nNote: a\n  b\n${run}\n`],
  ['the trailer of another run', 'Add\n\nSwitchyard-Run: pr:shop#1', `Add\n\nSwitchyard-Run: pr:shop#1\n${run}\n`],
  ['nothing', '', `${run}\n`],
])('a trailer is added to %s', (_name, message, expected) => {
  expect(withTrailer(message, run)).toBe(expected)
})

test('a trailer that is there is not added again', () => {
  const once = withTrailer('Add\n\nbody', run)
  expect(withTrailer(once, run)).toBe(once)
})

test.each([
  ['a name that is missing', 'Co-authored-by: <a@b>', [{ name: 'a@b', email: 'a@b' }]],
  ['an address that is missing', 'Co-authored-by: Ann', []],
  ['an address with spaces', 'Co-authored-by: Ann <a b>', []],
  ['other letters', 'CO-AUTHORED-BY : Ann Lee <a@b> ', [{ name: 'Ann Lee', email: 'a@b' }]],
])('a co-author with %s', (_name, text, expected) => {
  expect(takeCoAuthors(text).coAuthors).toEqual(expected)
})
