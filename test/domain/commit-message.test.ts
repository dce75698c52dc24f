import { describe, expect, test } from 'vitest'
import { landingMessage, type LandingMessage } from '#domain/commit-message'

const ann = { name: 'Ann', email: 'ann@example.com' }
const bob = { name: 'Bob', email: 'bob@example.com' }
const escape = String.fromCharCode(27)
const nul = String.fromCharCode(0)

function message(change: Partial<LandingMessage> = {}): string {
  return landingMessage({
    method: 'squash',
    template: '{title} (#{number})',
    number: 7,
    title: 'Add a basket',
    body: 'It holds things.',
    author: 'ann',
    headRef: 'basket',
    baseRef: 'main',
    commits: [{ author: ann, subject: 'Add' }],
    workflowId: 'queue:shop@main',
    ...change,
  })
}

const subject = (change: Partial<LandingMessage>) => message(change).split('\n')[0]

describe('the message of what lands', () => {
  test('is subject, body and the trailer of its pipeline', () => {
    expect(message()).toBe('Add a basket (#7)\n\nIt holds things.\n\nSwitchyard-Run: queue:shop@main\n')
  })

  test('has no gap where there is no body', () => {
    expect(message({ body: ' \n ' })).toBe('Add a basket (#7)\n\nSwitchyard-Run: queue:shop@main\n')
  })

  test('the trailer is in the last paragraph even after a body that imitates one', () => {
    const last = message({ body: 'Switchyard-Run: forged' }).trim().split('\n\n').at(-1)
    expect(last).toBe('Switchyard-Run: queue:shop@main')
  })

  test.each([
    ['CRLF', 'one\r\ntwo'],
    ['CR', 'one\rtwo'],
  ])('line ends of the body written as %s become newlines', (_name, body) => {
    expect(message({ body })).toContain('\n\none\ntwo\n\n')
  })

  test('control characters, which git refuses or a terminal obeys, are taken out', () => {
    const hostile = `a${nul}b${escape}[31mc`
    expect(message({ title: hostile, body: hostile })).toBe('abc (#7)\n\nabc\n\nSwitchyard-Run: queue:shop@main\n')
  })
})

describe('the template', () => {
  test.each([
    ['{title} {number} {author} {head} {base}', 'Add a basket 7 ann basket main'],
    ['{title} {title}', 'Add a basket Add a basket'],
    ['{unknown} {constructor} {title}', '{unknown} {constructor} Add a basket'],
    ['two\nlines', 'two lines'],
    ['  ', 'Merge #7'],
  ])('%j gives %j', (template, expected) => {
    expect(subject({ template })).toBe(expected)
  })

  test.each([
    ['a placeholder in a title stays text', '{author} did it', '{author} did it (#7)'],
    ['a replacement pattern in a title stays text', 'cost $& $1', 'cost $& $1 (#7)'],
    ['a title never makes a second line', 'one\r\n\r\ntwo', 'one two (#7)'],
  ])('%s', (_name, title, expected) => {
    expect(subject({ title })).toBe(expected)
  })
})

describe('co-authors', () => {
  const by = (...people: { name: string; email: string }[]) => ({
    commits: people.map((author) => ({ author, subject: 'Work' })),
  })
  const named = (text: string) => text.match(/^Co-authored-by: .*$/gm) ?? []

  test('of a squash are named once, without the author of its first commit', () => {
    const loudBob = { name: 'Bob', email: 'BOB@example.com' }
    expect(named(message(by(ann, bob, ann, bob, loudBob)))).toEqual(['Co-authored-by: Bob <bob@example.com>'])
  })

  test('stand in one paragraph with the trailer of the pipeline', () => {
    const last = message(by(ann, bob)).trim().split('\n\n').at(-1)
    expect(last).toBe('Co-authored-by: Bob <bob@example.com>\nSwitchyard-Run: queue:shop@main')
  })

  test('of a merge are in its commits already', () => {
    expect(named(message({ method: 'merge', ...by(ann, bob) }))).toEqual([])
  })

  test('a squash of nothing has none', () => {
    expect(named(message(by()))).toEqual([])
  })
})

test('a secret in the title or body is masked in the message that lands', () => {
  const key = ['AKIA', 'Q7ZTR4XW', 'P3MB6NDK'].join('')
  const text = message({ title: `Use ${key}`, body: `It is ${key}.` })
  expect(text).not.toContain(key)
})
