import { describe, expect, test } from 'vitest'
import { messageBody } from '#domain/message-body'

const mark = '<!-- switchyard: cut -->'
const text = (body: string, marks = [mark, '---']) => messageBody(body, marks).text

describe('what a commit message takes of a body', () => {
  test.each([
    ['all without a mark', 'one\n\ntwo', 'one\n\ntwo'],
    ['nothing below a mark', `one\n${mark}\ntwo\n${mark}\nthree`, 'one'],
    ['nothing where a mark is its first line', `${mark}\ntwo`, ''],
    ['nothing below the first of several marks', `one\n---\ntwo\n${mark}\nthree`, 'one'],
    ['a mark with spaces around it', `one\n  ${mark} \ntwo`, 'one'],
    ['a line that only holds a mark', `see --- here\n----\nend`, 'see --- here\n----\nend'],
    ['a mark in a block of code as text', '```yaml\n---\na: 1\n```\nend\n---\nout', '```yaml\n---\na: 1\n```\nend'],
    ['a mark in a block that nothing closes as text', '~~~\n---\n```\n~~', '~~~\n---\n```\n~~'],
  ])('%s', (_name, body, expected) => {
    expect(text(body)).toBe(expected)
  })

  test.each([
    ['a comment in a line', 'a<!-- x -->b <!-- y --> c', 'ab  c'],
    ['a comment of its own line, with the gap around it', 'a\n\n<!-- x -->\n\nb', 'a\n\nb'],
    ['a comment of several lines', 'a <!-- x\n---\ny --> b', 'a \n b'],
    ['a comment that nothing closes', 'a\n<!-- x\nb', 'a'],
    ['no comment in code', '`<!-- x -->` and ``\n```\n<!-- y -->\n```', '`<!-- x -->` and ``\n```\n<!-- y -->\n```'],
  ])('leaves out %s', (_name, body, expected) => {
    expect(text(body)).toBe(expected)
  })

  test('does not take the time of a hostile body', () => {
    const hostile = ['`'.repeat(60_000), '<!--'.repeat(15_000), '<!-- --> `'.repeat(6_000), '```\n'.repeat(15_000)]
    const started = performance.now()
    for (const body of hostile) messageBody(body, [mark])
    expect(performance.now() - started).toBeLessThan(2_000)
  })
})

describe('co-authors at the end of a body', () => {
  const ann = 'Co-authored-by: Ann <ann@example.com>'
  const people = [{ name: 'Ann', email: 'ann@example.com' }]

  test.each([
    ['are taken out of it', `text\n\n${ann}`, 'text'],
    ['leave the other lines of their paragraph', `text\n\nCloses: #4\n${ann}`, 'text\n\nCloses: #4'],
    ['may be all of it', ann, ''],
    ['are read below the cut', `text\n${mark}\nnotes\n\n${ann}`, 'text'],
    ['are read above the cut', `text\n\n${ann}\n\n${mark}\nnotes`, 'text'],
  ])('%s', (_name, body, expected) => {
    expect(messageBody(body, [mark])).toEqual({ text: expected, coAuthors: people })
  })

  test('are read on both sides of the cut', () => {
    const bob = 'Co-authored-by: Bob <bob@example.com>'
    expect(messageBody(`text\n\n${ann}\n\n${mark}\n${bob}`, [mark])).toEqual({
      text: 'text',
      coAuthors: [...people, { name: 'Bob', email: 'bob@example.com' }],
    })
  })

  test('are none in a comment or elsewhere', () => {
    expect(messageBody(`${ann}\n\ntext\n\n<!-- ${ann} -->`, [mark]).coAuthors).toEqual([])
  })
})
