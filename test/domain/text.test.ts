import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { escapeMarkdown, oneLine, plainText } from '#domain/text'

// eslint-disable-next-line no-control-regex -- they are what is looked for
const unsafe = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/

describe('plain text', () => {
  it.each([
    ['a colour', '\u001b[31mred\u001b[0m', 'red'],
    ['a clear screen', 'a\u001b[2J\u001b[Hb', 'ab'],
    ['a window title', '\u001b]0;title\u0007text', 'text'],
    ['a link', '\u001b]8;;https://x\u001b\\text\u001b]8;;\u001b\\', 'text'],
    ['an unfinished title', 'text\u001b]0;never ends', 'text'],
    ['a device string', '\u001bPq#0\u001b\\text', 'text'],
    ['an 8-bit CSI', '\u009b31mred', 'red'],
    ['an escape at the end', 'text\u001b', 'text'],
    ['a backspace', 'safe\b\b\b\bevil', 'safeevil'],
    ['reversed writing', 'a\u202egnp.exe', 'agnp.exe'],
    ['an isolate', 'a\u2066b\u2069', 'ab'],
    ['a lone surrogate', 'a\ud800b', 'a\ufffdb'],
    ['nothing at all', 'Größe 日本 👩‍💻 c++', 'Größe 日本 👩‍💻 c++'],
  ])('has no %s', (_, text, plain) => {
    expect(plainText(text)).toBe(plain)
  })

  it('keeps newline and tab where several lines may be', () => {
    expect(plainText('a\r\n\tb\rc', { multiline: true })).toBe('a\n\tb\nc')
  })

  it('makes newline and tab a space elsewhere', () => {
    expect(plainText('a\n\n\tb')).toBe('a b')
  })

  it('is safe whatever comes in, and stays as it is the second time', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.boolean(), (text, multiline) => {
        const plain = plainText(text, { multiline })
        expect(unsafe.test(plain)).toBe(false)
        expect(plainText(plain, { multiline })).toBe(plain)
      }),
      { numRuns: 2000 },
    )
  })

  it('takes a long hostile text in linear time', () => {
    expect(plainText('\u001b]'.repeat(200_000)).length).toBe(0)
  })
})

describe('one line', () => {
  it('is cut with an ellipsis', () => {
    expect(oneLine('a long title', 7)).toBe('a long…')
  })

  it('that fits stays whole', () => {
    expect(oneLine(' a\n title ', 7)).toBe('a title')
  })

  it('is not cut within a character', () => {
    expect(oneLine('👍👍👍', 2)).toBe('👍…')
  })
})

describe('Markdown', () => {
  it.each([
    ['markup', '**a** _b_ `c`', '\\*\\*a\\*\\* \\_b\\_ \\`c\\`'],
    ['HTML', '<img src=x>', '&lt;img src=x&gt;'],
    ['a hidden marker', '<!-- key -->', '&lt;\\!\\-\\- key \\-\\-&gt;'],
    ['a link', '[a](http://x)', '\\[a\\]\\(http:&#8203;//x\\)'],
    ['a mention', '@team', '&#64;\u200bteam'],
    ['a table cell', 'a | b', 'a \\| b'],
    ['a list', '1. a', '1\\. a'],
    ['an entity', '&lt;', '&amp;lt;'],
  ])('is shown as it is: %s', (_, text, escaped) => {
    expect(escapeMarkdown(text)).toBe(escaped)
  })
})
